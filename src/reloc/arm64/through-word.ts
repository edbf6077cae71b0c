// Jumps through a word on arm64: adrp x16, word; ldr x16, [x16]; br x16. As stubs, at entries, and read back from them.
import { pageOf } from '../fixup.js';
import type { EntryJumps } from '../machine.js';
import { ARM64_ENTRY } from './entry.js';
import { ADRP21, LDST64 } from './fields.js';
import { ARM64_STUB } from './plt.js';

/** The word that the jump at `at` goes through; null for bytes that do not begin with one. */
export function slotOfJump(bytes: Uint8Array, at: number): number | null {
  if (bytes.length < ARM64_STUB.size) return null;
  const inPage = LDST64.low.decode(bytes, 4);
  // The field holds eight times a page; a slot is named by its own page.
  if (pageOf(inPage) !== 0) return null;
  const slot = pageOf(at) + ADRP21.decode(bytes, 0) + inPage;
  // Whatever stood there: if a jump through this slot looks the same, it is one.
  return ARM64_STUB.encode(at, slot).every((byte, i) => bytes[i] === byte) ? slot : null;
}

/** Redirects through a word that lies within 4 GiB: three instructions, of which a thread may be inside. */
export const ARM64_ENTRY_THROUGH_WORD: EntryJumps = {
  ...ARM64_ENTRY,
  longSize: ARM64_STUB.size,
  long: (from, word) => ARM64_STUB.encode(from, word),
  wordOf: slotOfJump,
};
