// Where data goes that a module brings to its memory itself, as it must be there once only though every thread makes an
// instance: segments without a place, and a function of the linker's that copies each to the address of its own.
import { ByteReader } from '../../bytes/reader.js';
import * as wasm from './constants.js';
import type { WasmFacts } from './facts.js';
import { namesIn } from './names.js';

const INIT_FUNCTION = '__wasm_init_memory';
const PREFIX = 0xfc;
const MEMORY_INIT = 8;

/** Addresses of passive segments, by their index: those that it names. What is a thread's own goes elsewhere. */
export function passiveAddresses(facts: WasmFacts): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  const named = namesIn(facts.names(), 'function').find(({ name }) => name === INIT_FUNCTION);
  const body = named === undefined ? undefined : facts.bodies()[named.index - facts.imports('function').length];
  if (body === undefined) return found;
  const segments = facts.dataSegments();
  for (let at = 0; at < body.bytes.length; at++) {
    const copy = readCopy(body.bytes, at);
    // Bytes that look so by chance would have to name a segment's very size.
    if (copy === null || segments[copy.segment]?.bytes.length !== copy.size) continue;
    if (segments[copy.segment]?.place === null) found.set(copy.segment, copy.address);
  }
  return found;
}

interface Copy {
  readonly address: number;
  readonly size: number;
  readonly segment: number;
}

/** `i32.const ADDRESS, i32.const 0, i32.const SIZE, memory.init SEGMENT` at an offset; null for anything else. */
function readCopy(bytes: Uint8Array, at: number): Copy | null {
  if (bytes[at] !== wasm.OP_I32_CONST) return null;
  try {
    const reader = new ByteReader(bytes, INIT_FUNCTION).seek(at);
    const numbers: number[] = [];
    for (let count = 0; count < 3; count++) {
      if (reader.u8() !== wasm.OP_I32_CONST) return null;
      numbers.push(reader.sleb());
    }
    const [address = 0, from, size = 0] = numbers;
    if (from !== 0 || reader.u8() !== PREFIX || reader.uleb() !== MEMORY_INIT) return null;
    return { address, size, segment: reader.uleb() };
  } catch {
    return null;
  }
}
