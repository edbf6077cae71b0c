// Where a function may be entered without a direct branch that says so: jump tables and landing pads. Needed only
// for its first bytes, which a redirect overwrites; everything that cannot be excluded counts.
import { INT32 } from '../fields.js';
import type { CodePlace } from '../machine.js';
import type { InstructionKind } from './decode.js';
import { isPadding } from './nops.js';

/** An instruction and where it stands in the function. */
export interface Placed {
  readonly at: number;
  readonly length: number;
  readonly kind: InstructionKind;
  readonly target: number | undefined;
}

/**
 * Words read of all tables of one function together, at most, for each of its bytes: tables may be laid over each other.
 * Of 7,005 functions with tables in LLVM, cargo and std the most is 12, where 386 cases lead to two places.
 */
const WORDS_PER_BYTE = 32;

/** Control does not reach the bytes behind it. */
function endsBlock({ kind }: Placed): boolean {
  return kind === 'branch' || kind === 'indirect-jump' || kind === 'return' || kind === 'trap';
}

function isTransfer({ kind }: Placed): boolean {
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
  // Nothing was computed yet: the register is an argument.
  if (index === 0) return code.some(({ target }) => target === 0);
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

/** The register number of a push, or null. */
function pushed(bytes: Uint8Array, at: number): number | null {
  const high = bytes[at] === 0x41;
  const opcode = (high ? bytes[at + 1] : bytes[at]) ?? 0;
  return opcode >= 0x50 && opcode <= 0x57 ? opcode - 0x50 + (high ? 8 : 0) : null;
}

/** rax, rbx, rbp, r12 to r15: what they hold at the entry is the caller's, or nothing. psABI, figure 3.4. */
const NOT_ARGUMENTS: readonly number[] = [0, 3, 5, 12, 13, 14, 15];

/**
 * True when the block from instruction `start` on sets up a frame, so that nothing in the function jumps there again.
 * `leading`: how many pushes the function begins with that save a register or make room.
 */
function runsOnce(bytes: Uint8Array, code: readonly Placed[], start: number, leading: number): boolean {
  if (start < leading) return true;
  let pushes = false;
  for (let index = start; index < code.length; index += 1) {
    const instruction = code[index];
    if (instruction === undefined) return false;
    if (isTransfer(instruction)) return pushes && instruction.kind !== 'call' && instruction.kind !== 'indirect-call';
    const { at } = instruction;
    if (pushed(bytes, at) !== null) pushes = true;
    const [first, second, third] = bytes.subarray(at, at + 3);
    const reserves = (second === 0x81 || second === 0x83) && third === 0xec;
    if (first === 0x48 && (reserves || (second === 0x89 && third === 0xe5))) return true;
  }
  return false;
}

/** The offset that the instruction at `at` names by `lea reg, [rip + disp32]`; null for all others. */
function namedOffset(bytes: Uint8Array, at: number, length: number): number | null {
  const lea = wideModrm(bytes, at, 0x8d);
  return lea === null || lea.mod !== 0 || lea.rm % 8 !== 5 ? null : at + length + INT32.decode(bytes, at + 3);
}

/**
 * The instructions before what is none: tables of the function's own, each named by its code, whose words lead to
 * instructions of it; then padding, also zeros. Null where something else is there, or within the first `limit` bytes.
 */
export function codeBefore(bytes: Uint8Array, code: readonly Placed[], limit: number): readonly Placed[] | null {
  const decoded = code.reduce((sum, { length }) => sum + length, 0);
  const named = code.flatMap(({ at, length }) => namedOffset(bytes, at, length) ?? []);
  const behind = (end: number): readonly Placed[] => code.filter(({ at }) => at < end);
  const inside = named.filter((offset) => offset >= limit && offset < bytes.length);
  const first = inside.filter((offset) => offset <= decoded).sort((a, b) => a - b)[0];
  if (first === undefined) {
    return decoded >= limit && isPadding(bytes.subarray(decoded), true) ? code : null;
  }
  const own = behind(first);
  const starts = new Set(own.map(({ at }) => at));
  const tables = [...new Set(inside.filter((offset) => offset >= first))].sort((a, b) => a - b);
  for (const [number, table] of tables.entries()) {
    const end = tables[number + 1] ?? bytes.length;
    let at = table;
    while (at + 4 <= end && starts.has(table + INT32.decode(bytes, at))) at += 4;
    if (at === table || !isPadding(bytes.subarray(at, end), true)) return null;
  }
  const last = own.at(-1);
  return last !== undefined && last.at + last.length === first ? own : null;
}

/** Addresses that the code names by `lea reg, [rip + disp32]`: tables among them. */
function namedAddresses(bytes: Uint8Array, code: readonly Placed[], entry: number): Set<number> {
  const found = new Set<number>();
  for (const { at, length } of code) {
    const offset = namedOffset(bytes, at, length);
    if (offset !== null) found.add(entry + offset);
  }
  return found;
}

/**
 * What `jumps` jumps through tables lead to, read from the tables; null when there seem to be fewer tables, or more in them
 * than a compiler makes.
 */
function readTables(bytes: Uint8Array, code: readonly Placed[], jumps: number, place: CodePlace): Set<number> | null {
  const starts = new Set(code.map(({ at }) => at));
  const targets = new Set<number>();
  let tables = 0;
  let left = WORDS_PER_BYTE * bytes.length;
  for (const table of namedAddresses(bytes, code, place.entry)) {
    for (let index = 0; ; index += 1, left -= 1) {
      if (left === 0) return null;
      const word = place.read(table + 4 * index, 4);
      const target = word === null ? -1 : table + INT32.decode(word, 0) - place.entry;
      if (!starts.has(target)) break; // behind the last case, or no table
      if (index === 0) tables += 1;
      targets.add(target);
    }
  }
  return tables >= jumps ? targets : null;
}

/**
 * Offsets below `limit` that may be entered in ways that the code does not show, so that they count as targets:
 *
 * - Behind an instruction that does not go on, a block starts that something must enter: a landing pad or a jump
 *   table's case, if no branch does. (A landing pad cannot lie elsewhere: nothing falls through into one.)
 * - A jump table's case is either reached from the table jump alone, so that it starts behind an instruction that does not
 *   go on and is found by the rule before, or it is also fallen into: a loop's head on the way to the table jump.
 *   The stack is as deep each time a block starts and what sets up the frame runs once, so a head cannot lie before a
 *   push, `sub rsp` or `mov rbp, rsp` of its own block. (Pushes of a block that ends in a call may be arguments; but not
 *   those that the function begins with, of registers that hold no argument.) Where this leaves a possible head, the
 *   tables are read: 4-byte distances from the table's own address, as all position-independent code has them. Where
 *   they cannot be read, every possible head counts.
 *
 * Measured: of 807 functions with tables in std and 40 crates, debug and release, the lowest of 8,521 targets is 19.
 */
export function hiddenTargets(
  bytes: Uint8Array,
  code: readonly Placed[],
  limit: number,
  place: CodePlace | undefined,
): number[] {
  const found: number[] = [];
  for (const instruction of code) {
    const next = instruction.at + instruction.length;
    if (next >= limit) break;
    if (endsBlock(instruction) && !isPadding(bytes.subarray(next))) found.push(next);
  }
  const jumps = code.filter(({ kind }, index) => kind === 'indirect-jump' && mayUseTable(bytes, code, index)).length;
  if (jumps === 0) return found;
  const other = code.findIndex(({ at }) => !NOT_ARGUMENTS.includes(pushed(bytes, at) ?? -1));
  const heads = code.filter(({ at }, index) => at < limit && !runsOnce(bytes, code, index, other));
  if (heads.length === 0) return found;
  const read = place === undefined ? null : readTables(bytes, code, jumps, place);
  return [...found, ...(read ?? heads.map(({ at }) => at))];
}
