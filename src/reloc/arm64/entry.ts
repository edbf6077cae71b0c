// The jump that redirects an arm64 function, what a function's bytes say about where it may be written, and what calls
// look like. Source: Arm Architecture Reference Manual (DDI 0487), C4.1 "Branches, Exception Generating and System
// instructions".
import { applyField } from '../apply.js';
import type { EntryFacts, EntryJumps } from '../machine.js';
import { BRANCH14, BRANCH19, BRANCH26, readWord } from './fields.js';
import { assemble, b, NOP } from './instructions.js';

/** One word of {@link CODE_FILL}: of the exception-generating instructions, one that does not exist. It traps. */
const FILLED = 0xd4d4d4d4;
export const CODE_FILL = 0xd4;

const word = (bytes: Uint8Array, at: number): number => readWord(bytes, at) >>> 0;

const isBranch = (code: number): boolean => code >>> 26 === 0x05;
const isCall = (code: number): boolean => code >>> 26 === 0x25;
/** B.cond and BC.cond, CBZ, CBNZ. */
const isConditional = (code: number): boolean => code >>> 24 === 0x54 || ((code >>> 25) & 0x3f) === 0x1a;
/** TBZ, TBNZ. */
const isTest = (code: number): boolean => ((code >>> 25) & 0x3f) === 0x1b;
/** BR, BLR, RET and their kind with signed pointers: by bits 21 to 24, of which bit 24 says "signed with a modifier". */
const isToRegister = (code: number): boolean => code >>> 25 === 0x6b;
const registerKind = (code: number): number => (code >>> 21) & 7;
/** PACIASP, PACIBSP. */
const SIGNS: readonly number[] = [0xd503233f, 0xd503237f];
const isSystemCall = (code: number): boolean => (code & 0xffe0001f) >>> 0 === 0xd4000001;

/** Where a direct branch or call at `at` leads; undefined for all other instructions. */
function targetOf(bytes: Uint8Array, at: number): number | undefined {
  const code = word(bytes, at);
  if (isBranch(code) || isCall(code)) return at + BRANCH26.decode(bytes, at);
  if (isConditional(code)) return at + BRANCH19.decode(bytes, at);
  return isTest(code) ? at + BRANCH14.decode(bytes, at) : undefined;
}

/** What call returns to `address`: see Machine.callBefore. */
export function callBefore(bytes: Uint8Array, address: number): number | null | undefined {
  const at = bytes.length - 4;
  if (at < 0) return undefined;
  const code = word(bytes, at);
  if (isCall(code)) return address - 4 + BRANCH26.decode(bytes, at);
  return isToRegister(code) && registerKind(code) === 1 ? null : undefined;
}

/** Whether a branch or call holds the field: see Machine.calls. Slots are loaded into a register, which may be kept. */
export function calls(bytes: Uint8Array, offset: number): boolean {
  if (offset < 0 || offset + 4 > bytes.length) return false;
  const code = word(bytes, offset);
  return isBranch(code) || isCall(code) || isConditional(code) || isTest(code);
}

/** Where the branch leads that these bytes are; null for all others. */
export function jumpTarget(bytes: Uint8Array, at: number): number | null {
  return bytes.length === 4 && isBranch(word(bytes, 0)) ? at + BRANCH26.decode(bytes, 0) : null;
}

function long(from: number, to: number): Uint8Array {
  const bytes = assemble(b());
  applyField(BRANCH26, bytes, 0, to - from, { what: 'jump over an entry', where: 'entry' });
  return bytes;
}

/** sub sp, sp, #n and every store that takes room on the stack first; what signs the return address comes before them. */
function takesStack(bytes: Uint8Array): boolean {
  const signs = bytes.length >= 8 && SIGNS.includes(word(bytes, 0));
  const code = bytes.length >= 4 ? word(bytes, signs ? 4 : 0) : 0;
  const isSub = (code & 0xff8003ff) >>> 0 === 0xd10003ff;
  // Pre-indexed, by a negative distance from the stack pointer: STP of any registers, STR of one.
  const isPair = (code & 0x3be003e0) >>> 0 === 0x29a003e0;
  return isSub || isPair || (code & 0x3bf00fe0) >>> 0 === 0x38100fe0;
}

/**
 * One word is written, so only the entry itself can be hit. A branch through a register may lead there by a table: it
 * counts as one, as none of those is read here, where the entry takes no room on the stack. Where it does, whatever leads
 * there would take it again.
 */
function decode(bytes: Uint8Array): EntryFacts {
  const size = bytes.length - (bytes.length % 4);
  const targets = new Set<number>();
  const returns: number[] = [];
  const ownStack = takesStack(bytes);
  let leaves = false;
  let goesBack = false;
  for (let at = 0; at < size; at += 4) {
    const code = word(bytes, at);
    const target = targetOf(bytes, at);
    const call = isCall(code);
    const through = isToRegister(code);
    if (call || isSystemCall(code) || (through && registerKind(code) === 1)) returns.push(at + 4);
    else if (through) {
      leaves = true;
      if (registerKind(code) === 0 && !ownStack) targets.add(0);
    }
    if (target === undefined || (call && target === 0)) continue;
    if (target < 0 || target >= size) leaves ||= !call;
    else {
      targets.add(target);
      goesBack ||= !call && target <= at;
    }
  }
  return {
    lengths: new Array<number>(size / 4).fill(4),
    branchTargets: [...targets].sort((x, y) => x - y),
    returnOffsets: returns,
    endless: size === bytes.length && !leaves && goesBack,
    complete: size === bytes.length,
  };
}

/** No-operations (`.p2align`) and our own fill; zeros only when asked for: they are also the start of data. */
function isPadding(bytes: Uint8Array, zeros = false): boolean {
  if (bytes.length % 4 !== 0) return false;
  for (let at = 0; at < bytes.length; at += 4) {
    const code = word(bytes, at);
    if (code !== NOP && code !== FILLED && !(zeros && code === 0)) return false;
  }
  return true;
}

/** Redirects on arm64: `b`, which reaches 128 MiB; there is no shorter one. */
export const ARM64_ENTRY: EntryJumps = {
  longSize: 4,
  shortSize: 0,
  shortReach: { min: 0, max: 0 },
  long,
  wordOf: () => null,
  short(): never {
    throw new Error('internal: this machine has no short jump');
  },
  decode,
  isPadding,
};
