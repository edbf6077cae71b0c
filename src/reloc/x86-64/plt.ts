// The PLT of x86-64, lazily bound. Source: System V ABI, AMD64 supplement, 5.2 "Procedure Linkage Table".
import { applyField } from '../apply.js';
import { INT32 } from '../fields.js';
import type { PltShape } from '../shared-machine.js';

function distance(bytes: Uint8Array, at: number, from: number, to: number, where: string): void {
  applyField(INT32, bytes, at, to - from, { what: 'a distance in the PLT', where });
}

/** push GOT+8(%rip); jmp *GOT+16(%rip); nopl 0(%rax) */
function header(at: number, gotPlt: number): Uint8Array {
  const bytes = Uint8Array.of(0xff, 0x35, 0, 0, 0, 0, 0xff, 0x25, 0, 0, 0, 0, 0x0f, 0x1f, 0x40, 0x00);
  distance(bytes, 2, at + 6, gotPlt + 8, 'PLT header');
  distance(bytes, 8, at + 12, gotPlt + 16, 'PLT header');
  return bytes;
}

/** jmp *slot(%rip); push $index; jmp header */
function entry(at: number, headerAt: number, slot: number, index: number): Uint8Array {
  const bytes = Uint8Array.of(0xff, 0x25, 0, 0, 0, 0, 0x68, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0);
  const where = `PLT entry ${index}`;
  distance(bytes, 2, at + 6, slot, where);
  INT32.encode(bytes, 7, index);
  distance(bytes, 12, at + 16, headerAt, where);
  return bytes;
}

export const X86_64_PLT: PltShape = {
  headerSize: 16,
  entrySize: 16,
  align: 16,
  reservedWords: 3,
  header,
  entry,
  // The push: what follows finds the function and writes the slot.
  unbound: (entryAt) => entryAt + 6,
};

/** endbr64 */
const LANDING = [0xf3, 0x0f, 0x1e, 0xfa] as const;

/**
 * endbr64; jmp *slot(%rip); nop; then what an unbound slot leads to: endbr64; push $index; jmp header; nop. One entry of
 * 32 bytes where GNU ld has two of 16 in two sections.
 */
function landingEntry(at: number, headerAt: number, slot: number, index: number): Uint8Array {
  const bound = [...LANDING, 0xff, 0x25, 0, 0, 0, 0, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00];
  const bytes = Uint8Array.of(...bound, ...LANDING, 0x68, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0, 0x66, 0x90);
  const where = `PLT entry ${index}`;
  distance(bytes, 6, at + 10, slot, where);
  INT32.encode(bytes, 21, index);
  distance(bytes, 26, at + 30, headerAt, where);
  return bytes;
}

/** Where indirect branches are tracked (CET), as GNU ld's lazy PLT for that. The header is only jumped to directly. */
export const X86_64_LANDING_PLT: PltShape = {
  ...X86_64_PLT,
  entrySize: 32,
  entry: landingEntry,
  unbound: (entryAt) => entryAt + 16,
};
