// How an x86_64 instruction that reaches a place by its distance becomes one that reaches it at any distance, through a
// word that holds the place's address: `lea` loads the word, all else is done aside, by a copy of the instruction whose
// operand is in a register. Which references are so, and where pieces and words lie, is src/link/far-references.ts's.
// Source: Intel SDM volume 2, 2.1 to 2.7 (encoding); System V ABI, AMD64 supplement, 3.2 (registers, red zone).
import { INT32 } from '../fields.js';
import { madeRow } from '../fixup.js';
import type { FarCode, FarField, FarReference, FarUse } from '../machine.js';
import { decodeInstruction, type Instruction } from './decode.js';

const [RAX, RSP, RBP, RSI, RDI] = [0, 4, 5, 6, 7] as const;
/** No instruction with an operand in memory uses the first two without naming them; rax only counts beside both. */
const SCRATCH = [RSI, RDI, RAX] as const;

const JUMP = 0xe9;
const CALL = 0xe8;
const NOP = 0x90;
const FIELD = 4;
/** Those that change nothing about where the operand is; 64, 65 and 67 are not among them. */
const PREFIXES: ReadonlySet<number> = new Set([0x66, 0xf0, 0xf2, 0xf3, 0x2e, 0x3e, 0x26, 0x36]);

/** Opcodes whose ModRM names a general register of more than a byte beside the operand. Tables. */
const GENERAL: ReadonlySet<number> = new Set([0x63, 0x69, 0x6b, 0x85, 0x87, 0x89, 0x8b]);
const GENERAL_TWO_BYTE: ReadonlySet<number> = new Set([
  0x02, 0x03, 0x2c, 0x2d, 0xa3, 0xa4, 0xa5, 0xab, 0xac, 0xad, 0xaf, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8,
  0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0xc1, 0xc3,
]);
/** movzx and movsx. */
const EXTENDING: ReadonlySet<number> = new Set([0xb6, 0xb7, 0xbe, 0xbf]);

/** An instruction with an operand relative to the next instruction, taken apart. */
interface Operation {
  readonly bytes: Uint8Array;
  readonly map: 'one-byte' | 'two-byte' | 'other';
  readonly opcode: number;
  /** Offset of ModRM; the operand's four bytes follow. */
  readonly modrm: number;
  /** Offset of REX, and of the byte with the inverted bits R, X and B behind C4, 62 or 8F; null for none. */
  readonly rex: number | null;
  readonly vector: number | null;
  /** Its registers are of 16 bits. */
  readonly narrow: boolean;
  /** The one that ModRM names, without the bit that REX adds, and that bit. */
  readonly named: number;
  readonly extended: boolean;
  readonly wide: boolean;
  /** A second named register, without its upper bit. */
  readonly second: number | null;
}

function takeApart(bytes: Uint8Array, modrm: number): Operation | null {
  const byte = (at: number): number => bytes[at] ?? 0;
  // A relocation may stand where no compiler puts one: in an immediate.
  if (modrm < 1 || (byte(modrm) & 0xc7) !== RBP || modrm + 1 + FIELD > bytes.length) return null;
  let at = 0;
  while (PREFIXES.has(byte(at))) at++;
  const short = bytes.subarray(0, at).includes(0x66);
  const named = (byte(modrm) >> 3) & 7;
  const opcode = byte(modrm - 1);
  const lead = byte(at);
  if (lead === 0xc5 || lead === 0xc4 || lead === 0x62 || (lead === 0x8f && modrm > at + 1)) {
    const vector = lead === 0xc5 ? null : at + 1;
    const second = (~byte(at + (lead === 0xc5 ? 1 : 2)) >> 3) & 7;
    const rest = { rex: null, narrow: false, extended: false, wide: false };
    return { bytes, map: 'other', opcode, modrm, vector, named, second, ...rest };
  }
  const rex = lead >= 0x40 && lead <= 0x4f ? at++ : null;
  const wide = (lead & 8) !== 0 && rex !== null;
  const [map, size] =
    byte(at) !== 0x0f
      ? (['one-byte', 1] as const)
      : byte(at + 1) === 0x38 || byte(at + 1) === 0x3a
        ? (['other', 3] as const)
        : (['two-byte', 2] as const);
  // Another prefix is one that says where the operand is.
  if (at + size !== modrm) return null;
  const extended = rex !== null && (lead & 4) !== 0;
  return { bytes, map, opcode, modrm, rex, vector: null, narrow: short && !wide, named, extended, wide, second: null };
}

/** The same instruction with its operand at the address in one of the first eight registers, or (`high`) the others. */
function throughRegister({ bytes, modrm, rex, vector }: Operation, register: number, high = false): Uint8Array {
  const head = bytes.slice(0, modrm);
  if (rex !== null) head[rex] = ((head[rex] ?? 0) & 0xfc) | (high ? 1 : 0);
  if (vector !== null) head[vector] = (head[vector] ?? 0) | 0x60;
  const field = (bytes[modrm] ?? 0) & 0x38;
  // rsp and r12 as a base need a SIB byte, rbp and r13 a displacement. SDM volume 2, table 2-5.
  const operand =
    register === RSP ? [field | RSP, 0x24] : register === RBP ? [0x40 | field | RBP, 0] : [field | register];
  return Uint8Array.from([...head, ...operand, ...bytes.subarray(modrm + 1 + FIELD)]);
}

/** It writes all of the register it names and reads none of it. A 32-bit load clears the upper half. */
function replacesNamed({ map, opcode, narrow, wide, named, extended }: Operation): boolean {
  if (narrow || (named === RSP && !extended)) return false;
  if (map === 'one-byte') return opcode === 0x8b || (opcode === 0x63 && wide);
  return map === 'two-byte' && EXTENDING.has(opcode);
}

function namesStackPointer({ map, opcode, named, extended }: Operation): boolean {
  if (named !== RSP || extended) return false;
  if (map === 'one-byte') return GENERAL.has(opcode) || (opcode < 0x40 && opcode % 2 === 1);
  return map === 'two-byte' && (GENERAL_TWO_BYTE.has(opcode) || (opcode >= 0x40 && opcode <= 0x4f));
}

const SPEC = 'Intel SDM volume 2, 2.2.1.6';
const WORD = madeRow('place of a word', 'G+A-P', INT32, SPEC);
const CODE = madeRow('rel32', 'S+A-P', INT32, SPEC);
const BRANCH = madeRow('rel32 of a branch', 'L+A-P', INT32, SPEC);

type Part = readonly number[] | Uint8Array | FarField['to'];

/** Bytes, and four for each field. */
function assemble(...parts: readonly Part[]): FarCode {
  const bytes: number[] = [];
  const fields: FarField[] = [];
  for (const part of parts) {
    if (typeof part !== 'string') bytes.push(...part);
    else {
      fields.push({ offset: bytes.length, to: part, row: part === 'word' ? WORD : CODE, addend: -FIELD });
      bytes.push(0, 0, 0, 0);
    }
  }
  return { bytes: Uint8Array.from(bytes), fields };
}

/** A jump aside that takes the instruction's place: that has at least six bytes. */
function jumpAside(length: number): FarCode {
  return assemble([JUMP], 'aside', new Array<number>(length - 5).fill(NOP));
}

/** mov word(%rip),%register, 64 bits. */
function loadWord(register: number, high = false): readonly number[] {
  return [high ? 0x4c : 0x48, 0x8b, (register << 3) | RBP];
}

/** FF: inc, dec, call, far call, jmp, far jmp, push. Null for those that are not made by compilers. */
function accessOfGroup5(operation: Operation): readonly [inPlace: FarCode, aside: FarCode] | null {
  const { bytes, named, narrow } = operation;
  // r11 is nobody's between functions: mov word(%rip),%r11; jmp *(%r11).
  const goOn = assemble(loadWord(3, true), 'word', [0x41, 0xff, 0x23]);
  switch (named) {
    case 0:
    case 1:
      return accessWithSaved(operation);
    case 2: {
      // The call returns to where it did: a prefix without effect fills the place.
      const fill = new Array<number>(bytes.length - 5).fill(0x67);
      return [assemble([...fill, CALL], 'aside'), goOn];
    }
    case 4:
      return [jumpAside(bytes.length), goOn];
    case 6: {
      // push %rax; mov word(%rip),%rax; mov (%rax),%rax; xchg %rax,(%rsp)
      const swap = [0x48, 0x8b, 0x00, 0x48, 0x87, 0x04, 0x24, JUMP];
      return narrow ? null : [jumpAside(bytes.length), assemble([0x50], loadWord(RAX), 'word', swap, 'back')];
    }
    default:
      return null;
  }
}

/** With a register that is saved below the red zone and restored; none of it changes flags. */
function accessWithSaved(operation: Operation): readonly [inPlace: FarCode, aside: FarCode] | null {
  if (namesStackPointer(operation)) return null;
  const scratch = SCRATCH.find((register) => register !== operation.named && register !== operation.second) ?? RAX;
  const aside = assemble(
    [0x48, 0x8d, 0x64, 0x24, 0x80], // lea -128(%rsp),%rsp
    [0x50 + scratch], // push
    loadWord(scratch),
    'word',
    throughRegister(operation, scratch),
    [0x58 + scratch], // pop
    [0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0], // lea 128(%rsp),%rsp
    [JUMP],
    'back',
  );
  return [jumpAside(operation.bytes.length), aside];
}

function access(operation: Operation): readonly [inPlace: FarCode, aside: FarCode | null] | null {
  const { bytes, map, opcode, modrm, named, extended } = operation;
  if (map === 'one-byte' && opcode === 0x8d) {
    // lea place(%rip),… → mov word(%rip),…: as long.
    const head = bytes.slice(0, modrm + 1);
    head[modrm - 1] = 0x8b;
    return [assemble(head, 'word'), null];
  }
  if (map === 'one-byte' && opcode === 0xff) return accessOfGroup5(operation);
  // pop: the stack pointer is not where it was.
  if (map === 'one-byte' && opcode === 0x8f) return null;
  if (replacesNamed(operation)) {
    const load = assemble(
      loadWord(named, extended),
      'word',
      throughRegister(operation, named, extended),
      [JUMP],
      'back',
    );
    return [jumpAside(bytes.length), load];
  }
  return accessWithSaved(operation);
}

function referenceOf(
  bytes: Uint8Array,
  start: number,
  { kind, length }: Instruction,
  { offset, addend }: FarUse,
): FarReference | null {
  const end = start + length;
  const behind = addend + end - offset;
  const branches = kind === 'call' || kind === 'branch' || kind === 'conditional';
  // xbegin's abort is no branch that goes through code elsewhere.
  if (branches) {
    if (offset + FIELD !== end || bytes[offset - 1] === 0xf8) return null;
    return { kind: 'branch', row: BRANCH, addend: -FIELD, behind };
  }
  const operation = takeApart(bytes.subarray(start, end), offset - 1 - start);
  const done = operation === null ? null : access(operation);
  if (done === null) return null;
  return { kind: 'access', start, end, behind, inPlace: done[0], aside: done[1] };
}

/** What stands around each field of a whole function: see Machine.far. */
export function farReferences(bytes: Uint8Array, uses: readonly FarUse[]): readonly (FarReference | null)[] {
  let start = 0;
  let instruction = decodeInstruction(bytes, 0);
  return uses.map((use) => {
    const { offset, row } = use;
    while (instruction !== null && start + instruction.length <= offset) {
      start += instruction.length;
      instruction = decodeInstruction(bytes, start);
    }
    const known = instruction !== null && offset >= start && row.field.size === FIELD;
    return known ? referenceOf(bytes, start, instruction as Instruction, use) : null;
  });
}
