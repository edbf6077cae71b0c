// Jumps through a word on arm64. Stubs: adrp x16, word; ldr x16, [x16]; br x16, also read back. Over an entry stands one
// instruction, `b`, which leads to such a jump near it: a word in one place that all threads see whole.
import { applyField } from '../apply.js';
import { pageOf } from '../fixup.js';
import type { CodePlace, EntryJumps } from '../machine.js';
import type { StubShape } from '../shared-machine.js';
import { ARM64_ENTRY, jumpTarget } from './entry.js';
import { ADRP21, LDST64, LITERAL19 } from './fields.js';
import { assemble, br, loadLiteral } from './instructions.js';
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

const IP0 = 16;

/** ldr x16, word; br x16: the word lies within 1 MiB. */
export const ARM64_WORD_JUMP: StubShape = {
  size: 8,
  align: 8,
  encode(at, word) {
    const bytes = assemble(loadLiteral(IP0), br(IP0));
    applyField(LITERAL19, bytes, 0, word - at, { what: 'jump through a word', where: 'made code' });
    return bytes;
  },
};

function wordOf(bytes: Uint8Array, at: number, read: CodePlace['read']): number | null {
  const jump = jumpTarget(bytes, at);
  const code = jump === null ? null : read(jump, ARM64_WORD_JUMP.size);
  if (jump === null || code === null) return null;
  const word = jump + LITERAL19.decode(code, 0);
  return ARM64_WORD_JUMP.encode(jump, word).every((byte, i) => code[i] === byte) ? word : null;
}

/** Redirects to an {@link ARM64_WORD_JUMP} that lies within 128 MiB. */
export const ARM64_ENTRY_THROUGH_WORD: EntryJumps = { ...ARM64_ENTRY, wordOf };
