// WebAssembly as the passes see it: functions lie in no memory but are entered through a table, so nothing here jumps, is
// decoded or padded. Code that calls an entry says so with one instruction.
import type { Machine } from '../machine.js';
import { WASM_ROWS } from '../wasm.js';

const CALL = 0x10;
const RETURN_CALL = 0x12;
/** `unreachable`. */
const TRAP = 0x00;

function unused(): never {
  throw new Error('internal: no code of this machine lies in memory');
}

const NO_ENTRY: Machine['entry'] = {
  ...{ longSize: 0, shortSize: 0, shortReach: { min: 0, max: 0 } },
  long: unused,
  short: unused,
  wordOf: () => null,
  // No thread stands in code that a patch replaces, and none has to be shown to.
  decode: () => ({ lengths: [], branchTargets: [], returnOffsets: [], endless: false, complete: true }),
  isPadding: () => false,
};

const I32_CONST = 0x41;
const CALL_INDIRECT = 0x11;
/** Numbers below this fit two bytes of a signed LEB128 number, and one byte of an unsigned one. */
const [TWO_BYTES, ONE_BYTE] = [0x2000, 0x80] as const;

/**
 * `call` and its padded field are six bytes, as are `i32.const` of two bytes and `call_indirect`: code keeps its offsets,
 * which debug information counts in, and saves a call.
 */
function callThroughTable(bytes: Uint8Array, offset: number, slot: number, type: number): boolean {
  if (bytes[offset - 1] !== CALL || slot >= TWO_BYTES || type >= ONE_BYTE) return false;
  bytes.set([I32_CONST, (slot % 0x80) + 0x80, Math.floor(slot / 0x80), CALL_INDIRECT, type, 0], offset - 1);
  return true;
}

const PLT = { headerSize: 0, entrySize: 0, align: 1, reservedWords: 0, header: unused, entry: unused, unbound: null };

const rows = new Map(WASM_ROWS.map((row) => [row.type, row]));

/** Patches are instances of their own, so that pages of memory and their protection are no matter. */
const ALIGNMENT = 16;

/** The machine. */
export const WASM32_MACHINE: Machine = {
  pointerSize: 4,
  pageSize: ALIGNMENT,
  codeStays: true,
  codeIn: 'table',
  hasAgent: true,
  countsFromEnd: false,
  rows,
  addressRow: rows.get(5) ?? unused(),
  codeFill: TRAP,
  threadLocalsStart: () => 0,
  stub: { size: 0, align: 1, encode: unused },
  entryStubs: { align: 1, longest: 0, build: unused, slotOf: () => null, bodyOf: () => null },
  far: { near: 0, align: 1, references: (_bytes, uses) => uses.map(() => null) },
  entry: NO_ENTRY,
  entryThroughWord: NO_ENTRY,
  wordJump: null,
  callThroughTable,
  calls: (bytes, offset) => bytes[offset - 1] === CALL || bytes[offset - 1] === RETURN_CALL,
  stackPointer: -1,
  longestCall: 0,
  callBefore: () => undefined,
  rewrite: () => null,
  shared: {
    ...{ maxPageSize: ALIGNMENT, slotAddend: 0, table: 'got', dynamic: null },
    ...{ plt: PLT, landingPlt: PLT, veneer: null, landingVeneer: null },
  },
};
