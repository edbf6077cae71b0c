// The jumps that redirect an x86_64 function, and what a function's bytes say about where they may be written.
// The decoder is in decode.ts; which jump is chosen, and the padding it may need, in src/patch/redirect/redirect.ts.
import { applyField } from '../apply.js';
import { INT8, INT32 } from '../fields.js';
import type { CodePlace, EntryFacts, EntryJumps } from '../machine.js';
import { decodeInstruction } from './decode.js';
import { codeBefore, hiddenTargets, type Placed } from './hidden-targets.js';
import { isPadding, nopLength } from './nops.js';

/** jmp rel32. */
const DIRECT_SIZE = 5;
/** jmp *word(%rip): FF /4. */
const THROUGH_WORD = [0xff, 0x25] as const;
const THROUGH_WORD_SIZE = 6;
/** jmp rel8. */
const SHORT_SIZE = 2;

function direct(from: number, to: number): Uint8Array {
  const bytes = Uint8Array.of(0xe9, 0, 0, 0, 0);
  applyField(INT32, bytes, 1, to - (from + DIRECT_SIZE), { what: 'jump over an entry', where: 'entry' });
  return bytes;
}

function throughWord(from: number, word: number): Uint8Array {
  const bytes = Uint8Array.of(...THROUGH_WORD, 0, 0, 0, 0);
  applyField(INT32, bytes, 2, word - (from + THROUGH_WORD_SIZE), { what: 'jump over an entry', where: 'entry' });
  return bytes;
}

function wordOf(bytes: Uint8Array, at: number): number | null {
  const isJump = bytes.length >= THROUGH_WORD_SIZE && THROUGH_WORD.every((byte, i) => bytes[i] === byte);
  return isJump ? at + THROUGH_WORD_SIZE + INT32.decode(bytes, THROUGH_WORD.length) : null;
}

function short(from: number, to: number): Uint8Array {
  const bytes = Uint8Array.of(0xeb, 0);
  applyField(INT8, bytes, 1, to - (from + SHORT_SIZE), { what: 'short jump over an entry', where: 'entry' });
  return bytes;
}

/** True where a pause, an endbr64 or a no-operation stands. */
function idles(bytes: Uint8Array, at: number): boolean {
  const pause = bytes[at] === 0xf3 && bytes[at + 1] === 0x90;
  const endbr64 = bytes[at] === 0xf3 && bytes[at + 1] === 0x0f && bytes[at + 2] === 0x1e && bytes[at + 3] === 0xfa;
  return pause || endbr64 || nopLength(bytes, at) > 0;
}

/** Control may go on in the caller or in another function; where an indirect jump leads is not known. */
function leaves({ kind, target }: Placed, size: number): boolean {
  if (kind === 'return' || kind === 'indirect-jump') return true;
  return (kind === 'branch' || kind === 'conditional') && (target === undefined || target < 0 || target >= size);
}

function goesBack({ kind, target, at }: Placed): boolean {
  return (kind === 'branch' || kind === 'conditional') && target !== undefined && target <= at;
}

/** Up to the first that is none. */
function instructions(bytes: Uint8Array): readonly Placed[] {
  const code: Placed[] = [];
  for (let at = 0; at < bytes.length;) {
    const instruction = decodeInstruction(bytes, at);
    if (instruction === null) break;
    code.push({ at, length: instruction.length, kind: instruction.kind, target: instruction.target });
    at += instruction.length;
  }
  return code;
}

function decode(bytes: Uint8Array, longSize: number, place?: CodePlace): EntryFacts {
  let code: readonly Placed[] = instructions(bytes);
  let complete = code.reduce((sum, { length }) => sum + length, 0) === bytes.length;
  if (!complete) {
    // Some formats have a function's jump tables behind its code, and know no more of its end than where the next begins.
    const own = codeBefore(bytes, code, longSize);
    complete = own !== null;
    code = own ?? code;
  }
  // Where nothing but pauses and no-operations lies before an unconditional jump to the entry, a thread that takes it is
  // then in the state of a caller, and may as well enter the new code.
  const idle = code.findIndex(({ at: start }) => !idles(bytes, start));
  const targets = new Set<number>(hiddenTargets(bytes, code, longSize, place));
  const returns: number[] = [];
  code.forEach(({ kind, target, length, at: start }, index) => {
    if (kind === 'call' || kind === 'indirect-call' || kind === 'system-call') returns.push(start + length);
    if (target === undefined || target < 0 || target >= bytes.length) return;
    // A call of the entry is a call like any other; a call to elsewhere in the body reads its own address.
    if (target === 0 && (kind === 'call' || (kind === 'branch' && index === idle))) return;
    targets.add(target);
  });
  return {
    lengths: code.map(({ length }) => length),
    branchTargets: [...targets].sort((a, b) => a - b),
    returnOffsets: returns,
    endless: complete && !code.some((one) => leaves(one, bytes.length)) && code.some(goesBack),
    complete,
  };
}

/** Redirects on x86_64: `jmp rel32` and `jmp rel8`. SDM volume 2, JMP. */
export const X86_64_ENTRY: EntryJumps = {
  longSize: DIRECT_SIZE,
  shortSize: SHORT_SIZE,
  shortReach: { min: INT8.min, max: INT8.max },
  long: direct,
  short,
  wordOf: () => null,
  decode: (bytes, place) => decode(bytes, DIRECT_SIZE, place),
  isPadding,
};

/** The same with `jmp` through a word that lies within 2 GiB and is read when the function is called. SDM volume 2, JMP. */
export const X86_64_ENTRY_THROUGH_WORD: EntryJumps = {
  ...X86_64_ENTRY,
  longSize: THROUGH_WORD_SIZE,
  long: throughWord,
  wordOf,
  decode: (bytes, place) => decode(bytes, THROUGH_WORD_SIZE, place),
};
