// Direct calls of one body through slots of the table, in place where the instructions have the same length.
import { ByteWriter } from '../../bytes/writer.js';
import * as wasm from './constants.js';
import { type CallSite, visitCalls } from './instructions.js';

/** `return_call_indirect`; the other one is in the table of constants. */
const TAIL_CALL_INDIRECT = 0x13;

/** A call as linkers write it: its index padded to the largest. */
const PADDED_CALL = 6;

/** A body with its calls changed. */
export interface RedirectedBody {
  /** The same array where nothing changed. */
  readonly bytes: Uint8Array;
  readonly indirect: number;
  readonly overEntries: number;
}

/** A call through a slot, of `length` bytes where it can be as short: the slot's number is padded. */
function throughSlot(slot: number, type: number, tail: boolean, length: number): Uint8Array {
  const call = new ByteWriter(8)
    .u8(tail ? TAIL_CALL_INDIRECT : wasm.OP_CALL_INDIRECT)
    .uleb(type)
    .uleb(0);
  const width = Math.max(1, length - call.length - 1);
  const w = new ByteWriter(16).u8(wasm.OP_I32_CONST);
  // A constant is signed: unsigned numbers mean the same while the last byte has room for the sign.
  if (slot < 64 * 128 ** (width - 1)) w.uleb(slot, width);
  else w.sleb(slot);
  return w.raw(call.finish()).finish();
}

/**
 * Calls of functions that have a `target` go through its slot. Where such a call is longer than the one that stands there
 * and that one is padded, it calls `entryOf` the function instead: the code around stays where it is. A call that is
 * not padded comes from a tool that keeps no addresses: it grows. null where an instruction is not known.
 */
export function redirectCalls(
  body: Uint8Array,
  target: (callee: number) => { readonly slot: number; readonly type: number } | null,
  entryOf: (callee: number) => number,
): RedirectedBody | null {
  const changes: { readonly at: number; readonly end: number; readonly bytes: Uint8Array }[] = [];
  let indirect = 0;
  let overEntries = 0;
  const isKnown = visitCalls(body, ({ at, end, tail, callee }: CallSite) => {
    const to = target(callee);
    if (to === null) return;
    const call = throughSlot(to.slot, to.type, tail, end - at);
    const isPadded = end - at === PADDED_CALL;
    if (!isPadded || call.length === end - at) {
      changes.push({ at, end, bytes: call });
      indirect++;
      return;
    }
    const opcode = tail ? wasm.OP_RETURN_CALL : wasm.OP_CALL;
    const over = new ByteWriter(6).u8(opcode).uleb(entryOf(callee), PADDED_CALL - 1);
    changes.push({ at, end, bytes: over.finish() });
    overEntries++;
  });
  if (!isKnown) return null;
  if (changes.length === 0) return { bytes: body, indirect, overEntries };
  const w = new ByteWriter(body.length);
  let done = 0;
  for (const { at, end, bytes } of changes) {
    w.raw(body.subarray(done, at)).raw(bytes);
    done = end;
  }
  return { bytes: w.raw(body.subarray(done)).finish(), indirect, overEntries };
}
