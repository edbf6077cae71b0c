// The jumps that redirect an x86_64 function, and what a function's bytes say about where they may be written.
// The decoder is in decode.ts; which jump is chosen, and the padding it may need, in src/patch/redirect.ts.
import { applyField } from '../apply.js';
import { INT8, INT32 } from '../fields.js';
import type { EntryFacts, EntryJumps } from '../machine.js';
import { decodeInstruction, type Instruction } from './decode.js';

/** jmp rel32. */
const LONG_SIZE = 5;
/** jmp rel8. */
const SHORT_SIZE = 2;

/** An instruction and where it stands in the function. */
interface Placed extends Instruction {
  readonly at: number;
}

function long(from: number, to: number): Uint8Array {
  const bytes = Uint8Array.of(0xe9, 0, 0, 0, 0);
  applyField(INT32, bytes, 1, to - (from + LONG_SIZE), { what: 'jump over an entry', where: 'entry' });
  return bytes;
}

function short(from: number, to: number): Uint8Array {
  const bytes = Uint8Array.of(0xeb, 0);
  applyField(INT8, bytes, 1, to - (from + SHORT_SIZE), { what: 'short jump over an entry', where: 'entry' });
  return bytes;
}

/** Length of the no-operation at `at`, in the forms that assemblers and linkers fill gaps with; 0 when it is none. */
function nopLength(bytes: Uint8Array, at: number): number {
  let opcode = at;
  while (bytes[opcode] === 0x66 || bytes[opcode] === 0x2e) opcode += 1;
  const isNop = bytes[opcode] === 0x90 || (bytes[opcode] === 0x0f && bytes[opcode + 1] === 0x1f);
  return isNop ? (decodeInstruction(bytes, at)?.length ?? 0) : 0;
}

/**
 * True for int3 (lld, mold) and no-operations (GNU ld, `.p2align`). Zeros count only when asked for: they are also
 * the start of data.
 */
function isPadding(bytes: Uint8Array, zeros = false): boolean {
  let at = 0;
  while (at < bytes.length) {
    const size = bytes[at] === 0xcc || (zeros && bytes[at] === 0) ? 1 : nopLength(bytes, at);
    if (size === 0) return false;
    at += size;
  }
  return true;
}

/** Control does not reach the bytes behind it. */
function endsBlock({ kind }: Instruction): boolean {
  return kind === 'branch' || kind === 'indirect-jump' || kind === 'return' || kind === 'trap';
}

function isTransfer({ kind }: Instruction): boolean {
  return kind !== 'plain' && kind !== 'system-call';
}

/** ModRM fields of an instruction that is just REX.W, `opcode`, ModRM …; null for any other. */
function wideModrm(bytes: Uint8Array, at: number, opcode: number): { reg: number; rm: number; mod: number } | null {
  const rex = bytes[at] ?? 0;
  const modrm = bytes[at + 2] ?? 0;
  if (rex < 0x48 || rex > 0x4f || bytes[at + 1] !== opcode) return null;
  const reg = ((modrm >> 3) & 7) + ((rex & 4) !== 0 ? 8 : 0);
  const rm = (modrm & 7) + ((rex & 1) !== 0 ? 8 : 0);
  return { reg, rm, mod: modrm >> 6 };
}

/** True when the memory operand whose ModRM is at `at` has an index register. SDM volume 2, table 2-3. */
function hasIndex(bytes: Uint8Array, at: number, rex: number): boolean {
  if (((bytes[at] ?? 0) & 7) !== 4) return false;
  const index = ((bytes[at + 1] ?? 0) & 0x38) >> 3;
  return index !== 4 || (rex & 2) !== 0;
}

/**
 * Whether an indirect jump may go through a jump table. A tail call loads its target whole from one place (a GOT slot,
 * a vtable, a field: no index register), while a table needs an index: in the jump's own operand, in the load of
 * its register, or, as in all position-independent code by LLVM and gcc, in an `add` into that register. The last of
 * these that stands before the jump in its block decides; when none is found the jump may be either.
 */
function mayUseTable(bytes: Uint8Array, code: readonly Placed[], index: number): boolean {
  const jump = code[index];
  if (jump === undefined) return true;
  let opcode = jump.at;
  while (bytes[opcode] !== 0xff) opcode += 1;
  const before = opcode > jump.at ? (bytes[opcode - 1] ?? 0) : 0;
  const rex = before >= 0x40 && before <= 0x4f ? before : 0;
  const modrm = bytes[opcode + 1] ?? 0;
  if (modrm >> 6 !== 3) return hasIndex(bytes, opcode + 1, rex);
  const register = (modrm & 7) + ((rex & 1) !== 0 ? 8 : 0);
  for (let back = index - 1; back >= 0; back -= 1) {
    const earlier = code[back];
    if (earlier === undefined || isTransfer(earlier)) return true;
    const load = wideModrm(bytes, earlier.at, 0x8b);
    if (load !== null && load.reg === register && load.mod !== 3) {
      return hasIndex(bytes, earlier.at + 2, bytes[earlier.at] ?? 0);
    }
    const sum = wideModrm(bytes, earlier.at, 0x01);
    if (sum !== null && sum.mod === 3 && sum.rm === register) return true;
    if (wideModrm(bytes, earlier.at, 0x03)?.reg === register) return true;
  }
  return true;
}

/** True when the block from instruction `start` on sets up a frame, so that nothing in the function jumps there again. */
function runsOnce(bytes: Uint8Array, code: readonly Placed[], start: number): boolean {
  let pushes = false;
  for (let index = start; index < code.length; index += 1) {
    const instruction = code[index];
    if (instruction === undefined) return false;
    if (isTransfer(instruction)) return pushes && instruction.kind !== 'call' && instruction.kind !== 'indirect-call';
    const { at } = instruction;
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    const opcode = first === 0x41 ? second : first;
    if (opcode >= 0x50 && opcode <= 0x57) pushes = true;
    const reserves = (second === 0x81 || second === 0x83) && third === 0xec;
    if (first === 0x48 && (reserves || (second === 0x89 && third === 0xe5))) return true;
  }
  return false;
}

/**
 * Offsets below `LONG_SIZE` that may be entered in ways that the code does not show, so that they count as targets:
 *
 * - Behind an instruction that does not go on, a block starts that something must enter: a landing pad or a
 *   jump table's case, if no branch does. (A landing pad cannot lie elsewhere: nothing falls through into one.)
 * - A jump table's case is either reached from the table jump alone, so that it starts behind an instruction that does not
 *   go on and is found by the rule before, or it is also fallen into: a loop's head on the way to the table jump.
 *   The stack is as deep each time a block starts and what sets up the frame runs once, so a head cannot lie before a
 *   push, `sub rsp` or `mov rbp, rsp` of its own block (pushes of a block that ends in a call may be arguments, and do
 *   not count). Where a table jump may exist, every other instruction start counts as a head.
 *
 * Measured: of 807 functions with tables in std and 40 crates, debug and release, the lowest of 8,521 targets is 19.
 */
function hiddenTargets(bytes: Uint8Array, code: readonly Placed[]): number[] {
  const found: number[] = [];
  for (const instruction of code) {
    const next = instruction.at + instruction.length;
    if (next >= LONG_SIZE) break;
    if (endsBlock(instruction) && !isPadding(bytes.subarray(next))) found.push(next);
  }
  if (!code.some(({ kind }, index) => kind === 'indirect-jump' && mayUseTable(bytes, code, index))) return found;
  code.forEach((candidate, index) => {
    if (candidate.at < LONG_SIZE && !runsOnce(bytes, code, index)) found.push(candidate.at);
  });
  return found;
}

/**
 * True when nothing but pauses and no-operations lies before an unconditional jump to the entry: a thread that takes it
 * is then in the state of a caller, and may as well enter the new code.
 */
function loopsIdly(bytes: Uint8Array, code: readonly Placed[], index: number): boolean {
  if (code[index]?.kind !== 'branch') return false;
  return code.slice(0, index).every(({ at }) => {
    const pause = bytes[at] === 0xf3 && bytes[at + 1] === 0x90;
    const endbr64 = bytes[at] === 0xf3 && bytes[at + 1] === 0x0f && bytes[at + 2] === 0x1e && bytes[at + 3] === 0xfa;
    return pause || endbr64 || nopLength(bytes, at) > 0;
  });
}

function decode(bytes: Uint8Array, extraTargets?: readonly number[]): EntryFacts {
  const code: Placed[] = [];
  let at = 0;
  while (at < bytes.length) {
    const instruction = decodeInstruction(bytes, at);
    if (instruction === null) break;
    code.push({ ...instruction, at });
    at += instruction.length;
  }
  const targets = new Set<number>(extraTargets ?? hiddenTargets(bytes, code));
  const returns: number[] = [];
  code.forEach(({ kind, target, length, at: start }, index) => {
    if (kind === 'call' || kind === 'indirect-call' || kind === 'system-call') returns.push(start + length);
    if (target === undefined || target < 0 || target >= bytes.length) return;
    // A call of the entry is a call like any other; a call to elsewhere in the body reads its own address.
    if (target === 0 && (kind === 'call' || loopsIdly(bytes, code, index))) return;
    targets.add(target);
  });
  return {
    lengths: code.map(({ length }) => length),
    branchTargets: [...targets].sort((a, b) => a - b),
    returnOffsets: returns,
    complete: at === bytes.length,
  };
}

/** Redirects on x86_64: `jmp rel32` and `jmp rel8`. SDM volume 2, JMP. */
export const X86_64_ENTRY: EntryJumps = {
  longSize: LONG_SIZE,
  shortSize: SHORT_SIZE,
  shortReach: { min: INT8.min, max: INT8.max },
  long,
  short,
  decode,
  isPadding,
};
