// x86-64 as the passes see it: its stub, its redirects, its rewrites. Rows come from the format's table.
import type { Expression, Field, FixupRow } from '../fixup.js';
import type { Machine } from '../machine.js';
import { boundStubs, type MachineFormat, type StubShape } from '../shared-machine.js';
import { INT32, INT64 } from '../fields.js';
import { applyField } from '../apply.js';
import { decodeInstruction } from './decode.js';
import { X86_64_ENTRY, X86_64_ENTRY_THROUGH_WORD } from './entry.js';
import { entryStubs } from './entry-stubs.js';
import { farReferences } from './far-access.js';
import { X86_64_LANDING_PLT, X86_64_PLT } from './plt.js';
import { rewriter } from './rewrite.js';

/** jmp *slot(%rip); two bytes of padding that trap, so that stubs stay 8 bytes apart. */
function encodeStub(at: number, slot: number): Uint8Array {
  const bytes = Uint8Array.of(0xff, 0x25, 0, 0, 0, 0, 0xcc, 0xcc);
  applyField(INT32, bytes, 2, slot - (at + 6), { what: 'stub', where: 'GOT slot' });
  return bytes;
}

/**
 * The block ends at the thread pointer, aligned as the template asks.
 * Source: ELF Handling For Thread-Local Storage, 3.4.6 (variant II).
 */
function threadLocalsStart({
  address,
  memorySize,
  align,
}: {
  address: number;
  memorySize: number;
  align: number;
}): number {
  const rest = (address + memorySize) % align;
  return -memorySize - (rest === 0 ? 0 : align - rest);
}

/**
 * Whether a PC-relative field ends a call or jump: E8, E9, 0F 8x before a distance, FF /2 and FF /4 before the place of a
 * slot. No other instruction has these bytes there: a ModRM byte before such a field is below 40. SDM volume 2, CALL,
 * JMP, Jcc.
 */
function calls(bytes: Uint8Array, offset: number): boolean {
  const last = bytes[offset - 1] ?? 0;
  const before = bytes[offset - 2] ?? 0;
  if (last === 0xe8 || last === 0xe9) return true;
  if (before === 0x0f) return last >= 0x80 && last <= 0x8f;
  return before === 0xff && (last === 0x15 || last === 0x25);
}

/** FF /2 with a SIB byte and a displacement of four bytes. */
const LONGEST_CALL = 7;

/** FF /2 of any length before the end, or E8. An operand before FF /2 can end in E8, so that one comes second. */
function callBefore(bytes: Uint8Array, address: number): number | null | undefined {
  const end = bytes.length;
  for (let at = Math.max(0, end - LONGEST_CALL); at + 2 <= end; at += 1) {
    const instruction = bytes[at] === 0xff ? decodeInstruction(bytes, at) : null;
    if (instruction?.kind === 'indirect-call' && at + instruction.length === end) return null;
  }
  return end >= 5 && bytes[end - 5] === 0xe8 ? address + INT32.decode(bytes, end - 4) : undefined;
}

const STUB: StubShape = { size: 8, align: 8, encode: encodeStub };

/** The machine with the rows and loaders of one format. */
export function x86Machine({ rows, pageSize, dynamic, lazy, codeStays, hasAgent }: MachineFormat): Machine {
  const find = (expression: Expression, field: Field): FixupRow | undefined =>
    rows.find((candidate) => candidate.expression === expression && candidate.field === field);
  const rowOf = (expression: Expression, field: Field): FixupRow => {
    const row = find(expression, field);
    if (row === undefined) throw new Error(`internal: a format of this machine has no ${expression} in ${field.name}`);
    return row;
  };
  const distance = rowOf('S+A-P', INT32);
  const threadOffset = find('TP+A', INT32);
  const threadOffsetSlot = find('GTP+A-P', INT32);
  return {
    pointerSize: 8,
    pageSize,
    codeStays,
    codeIn: 'memory',
    countsFromEnd: true,
    hasAgent,
    rows: new Map(rows.map((row) => [row.type, row])),
    addressRow: rowOf('S+A', INT64),
    codeFill: 0xcc,
    threadLocalsStart,
    stub: STUB,
    entryStubs: entryStubs(distance),
    far: { near: INT32.max, align: 1, references: farReferences },
    entry: X86_64_ENTRY,
    entryThroughWord: X86_64_ENTRY_THROUGH_WORD,
    wordJump: null,
    calls,
    stackPointer: 7,
    longestCall: LONGEST_CALL,
    callBefore,
    rewrite: rewriter(
      distance,
      threadOffset === undefined || threadOffsetSlot === undefined ? null : { threadOffset, threadOffsetSlot },
    ),
    shared: {
      maxPageSize: pageSize,
      slotAddend: -4,
      table: 'got.plt',
      dynamic,
      plt: lazy ? X86_64_PLT : boundStubs(STUB),
      landingPlt: lazy ? X86_64_LANDING_PLT : boundStubs(STUB),
      veneer: null,
      landingVeneer: null,
    },
  };
}
