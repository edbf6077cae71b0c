// Loads of GOT slots on arm64, and what they become where the address that the slot holds is known to be near. Where the
// two relocations stand side by side by rule (rows with a partner), both instructions are rewritten at once; where they
// may stand anywhere, each is by itself, for all references to the symbol alike.
// Source: AAELF64, "Relocation optimization"; Apple's <mach-o/arm64/reloc.h>.
import type { FixupRow } from '../fixup.js';
import type { Rewrite } from '../machine.js';
import { readWord } from './fields.js';
import { add, adrp, load } from './instructions.js';
import { replaced } from './rewrite.js';

const wordAt = (bytes: Uint8Array, offset: number): number => readWord(bytes, offset) >>> 0;
const isPage = (word: number): boolean => (word & 0x9f000000) >>> 0 === adrp(0) >>> 0;
/** ldr xT, [xN], whatever its immediate holds before the relocation. */
const isLoad = (word: number): boolean => (word & 0xffc00000) >>> 0 === load(0, 0) >>> 0;

/** The register N of `adrp xN; ldr xN, [xN]` at an offset, as code loads a slot; null for everything else. */
function slotLoaded(bytes: Uint8Array, offset: number): number | null {
  if (offset + 8 > bytes.length) return null;
  const head = wordAt(bytes, offset);
  const second = wordAt(bytes, offset + 4);
  const register = head & 0x1f;
  return isPage(head) && isLoad(second) && (second & 0x3ff) === ((register << 5) | register) ? register : null;
}

/** What loads of slots become, given the rows of the page and of the low bits of an address. */
export function directLoads(
  page: FixupRow,
  low: FixupRow,
): (row: FixupRow, bytes: Uint8Array, offset: number) => Rewrite | null {
  /** adrp xN; add xN, xN; by N. */
  const pairs = Array.from({ length: 32 }, (_, register) =>
    replaced(1, [adrp(register), page], [add(register, register), low]),
  );
  return (row, bytes, offset) => {
    if (row.partner !== null) {
      const register = row.expression === 'Page(G+A)-Page(P)' ? slotLoaded(bytes, offset) : null;
      return register === null ? null : (pairs[register] ?? null);
    }
    const word = wordAt(bytes, offset);
    if (row.expression === 'Page(G+A)-Page(P)') return isPage(word) ? replaced(0, [adrp(word & 0x1f), page]) : null;
    if (row.expression !== 'G+A' || !isLoad(word)) return null;
    return replaced(0, [add(word & 0x1f, (word >>> 5) & 0x1f), low]);
  };
}
