// The stub that stands for a function whose calls go through a slot: jmp *slot(%rip), and before it an endbr64 where the
// body has one, as callers by address then land on the stub (SDM volume 1, 17.3 "Indirect Branch Tracking").
import { alignUp } from '../../bytes/align.js';
import { INT32 } from '../fields.js';
import type { FixupRow } from '../fixup.js';
import type { EntryStubs } from '../machine.js';

const ENDBR64 = [0xf3, 0x0f, 0x1e, 0xfa] as const;
/** jmp through memory at a distance from the next instruction. SDM volume 2, JMP, FF /4. */
const JUMP = [0xff, 0x25] as const;
const JUMP_SIZE = 6;
/** Up to the next multiple of 8: traps. */
const FILL = 0xcc;

function startsWith(bytes: Uint8Array, offset: number, pattern: readonly number[]): boolean {
  return pattern.every((byte, i) => bytes[offset + i] === byte);
}

const headOf = (stub: Uint8Array): number => (startsWith(stub, 0, ENDBR64) ? ENDBR64.length : 0);
/** Where the distance to the body stands, as a word of four bytes behind the jump. */
const distanceAt = (head: number): number => alignUp(head + JUMP_SIZE, 4);
const LONGEST = 16;

/** The stubs, given the format's PC-relative row of 32 bits, which fills the field. */
export function entryStubs(row: FixupRow): EntryStubs {
  return {
    align: 8,
    longest: LONGEST,
    build(body, apart = false) {
      const head = startsWith(body, 0, ENDBR64) ? ENDBR64 : [];
      const end = head.length + JUMP_SIZE;
      const bytes = new Uint8Array(apart ? distanceAt(head.length) + 4 : alignUp(end, 8)).fill(FILL);
      bytes.set([...head, ...JUMP, 0, 0, 0, 0]);
      // The field is the instruction's last four bytes, and counts from their end.
      const slot = { offset: head.length + JUMP.length, to: 'slot', row, addend: -4 } as const;
      if (!apart) return { bytes, fields: [slot] };
      bytes.fill(0, -4);
      return { bytes, fields: [slot, { offset: distanceAt(head.length), to: 'body', row, addend: 0 }] };
    },
    slotOf(stub, at) {
      const head = headOf(stub);
      if (stub.length < head + JUMP_SIZE || !startsWith(stub, head, JUMP)) return null;
      return at + head + JUMP_SIZE + INT32.decode(stub, head + JUMP.length);
    },
    bodyOf(stub, at) {
      const field = distanceAt(headOf(stub));
      return stub.length < field + 4 ? null : at + field + INT32.decode(stub, field);
    },
  };
}
