// Fields inside the 32-bit instruction words of arm64: an encoder and a decoder each. Words are little-endian on all
// systems. Source: Arm Architecture Reference Manual (DDI 0487), C6.2, the instruction named at each field; ranges and
// alignments: AAELF64, the tables under "Static AArch64 relocations". Nothing is checked here: apply.ts does.
import type { Field } from '../fixup.js';

/** The instruction at an offset, as a signed 32-bit number. */
export function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** Writes an instruction at an offset. */
export function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >> 8;
  bytes[at + 2] = word >> 16;
  bytes[at + 3] = word >> 24;
}

interface Limits {
  readonly min: number;
  readonly max: number;
  readonly multiple?: number;
  readonly modulo?: number;
}

/** The limits of a field that leaves out what is above its bits: any value will do. */
function anyModulo(modulo: number, multiple = 1): Limits {
  return { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, modulo, multiple };
}

/** Multiples of `multiple` from −reach up to below reach. */
function within(reach: number, multiple = 1): Limits {
  return { min: -reach, max: reach - multiple, multiple };
}

/** A field of one word; `put` and `get` see the instruction and the value as it is, unscaled. */
function inWord(
  name: string,
  { min, max, multiple = 1, modulo }: Limits,
  put: (word: number, value: number) => number,
  get: (word: number) => number,
): Field {
  return {
    name,
    size: 4,
    min,
    max,
    multiple,
    modulo: modulo ?? null,
    chosenBy: null,
    encode: (bytes, offset, value) => writeWord(bytes, offset, put(readWord(bytes, offset), value)),
    decode: (bytes, offset) => get(readWord(bytes, offset)),
  };
}

/** An immediate that stands in one piece: `bits` bits from bit `from` on, of the value divided by `scale`. */
function immediate(name: string, from: number, bits: number, scale: number, signed: boolean, limits: Limits): Field {
  const mask = 2 ** bits - 1;
  const hole = ~(mask << from);
  const above = 32 - bits - from;
  return inWord(
    name,
    limits,
    // `&` takes a number modulo 2^32, negative ones as well: what is above the mask falls away.
    (word, value) => (word & hole) | ((Math.floor(value / scale) & mask) << from),
    (word) => (signed ? (word << above) >> (32 - bits) : (word >>> from) & mask) * scale,
  );
}

const KIB = 0x400;
const MIB = 0x10_0000;
const GIB = 0x4000_0000;
const PAGE = 0x1000;

/** B and BL: imm26. */
export const BRANCH26 = immediate('branch26', 0, 26, 4, true, within(128 * MIB, 4));
/** B.cond, CBZ and CBNZ: imm19. */
export const BRANCH19 = immediate('branch19', 5, 19, 4, true, within(MIB, 4));
/** TBZ and TBNZ: imm14. */
export const BRANCH14 = immediate('branch14', 5, 14, 4, true, within(32 * KIB, 4));
/** LDR (literal): imm19. */
export const LITERAL19 = immediate('literal19', 5, 19, 4, true, within(MIB, 4));

/** ADR and ADRP: the two low bits at bit 29, nineteen more at bit 5. */
function adr(name: string, scale: number, limits: Limits): Field {
  return inWord(
    name,
    limits,
    (word, value) => {
      const scaled = Math.floor(value / scale) & 0x1f_ffff;
      return (word & 0x9f00_001f) | ((scaled & 3) << 29) | ((scaled >> 2) << 5);
    },
    (word) => ((((word << 8) >> 13) << 2) | ((word >>> 29) & 3)) * scale,
  );
}

export const ADR21 = adr('adr21', 1, within(MIB));
/** Counts pages of 4 KiB. */
export const ADRP21 = adr('adrp21', PAGE, within(4 * GIB, PAGE));
export const ADRP21_NC = adr('adrp21 unchecked', PAGE, anyModulo(8 * GIB, PAGE));

/** ADD (immediate): imm12. */
export const ADD12 = immediate('add12', 10, 12, 1, false, { min: 0, max: PAGE - 1 });
export const ADD12_LO = immediate('add12 lo12', 10, 12, 1, false, anyModulo(PAGE));
/** ADD with `lsl #12`: bits 12 to 23 of the value. */
export const ADD12_HI = immediate('add12 hi12', 10, 12, PAGE, false, { min: 0, max: PAGE * PAGE - 1 });

/** LDR and STR (unsigned offset): imm12 counts what is loaded. `checked` are those of a value below 4 KiB. */
function loadStore(size: number): { readonly checked: Field; readonly low: Field } {
  const name = `ldst${size * 8}`;
  return {
    checked: immediate(name, 10, 12, size, false, { min: 0, max: PAGE - size, multiple: size }),
    // Only what is in the page: the immediate would hold more, but goes with an address of a page.
    low: inWord(
      `${name} lo12`,
      anyModulo(PAGE, size),
      (word, value) => (word & ~(0xfff << 10)) | (((value & 0xfff) / size) << 10),
      (word) => ((word >>> 10) & 0xfff) * size,
    ),
  };
}

export const LDST8 = loadStore(1);
export const LDST16 = loadStore(2);
export const LDST32 = loadStore(4);
export const LDST64 = loadStore(8);
export const LDST128 = loadStore(16);
/** LDR of a GOT slot within 32 KiB: all of imm12. */
export const LDST64_LO15 = immediate('ldst64 lo15', 10, 12, 8, false, { min: 0, max: 32 * KIB - 8, multiple: 8 });

/** ADD (immediate), not shifted; bits 31 and 29 are the size of its registers and whether it sets flags. */
const isAdd = (word: number): boolean => (word & 0x5fc00000) >>> 0 === 0x11000000;
/** Loads and stores with an unsigned offset, of general and of vector registers, and prefetches. */
const isLoadStore = (word: number): boolean => (word & 0x3b000000) >>> 0 === 0x39000000;
/** Bits 30 and 31 are the size; 128 bits are one of vectors' "8 bits", told apart by opc. */
const isVector128 = (word: number): boolean => (word & 0xc4800000) >>> 0 === 0x04800000;
const BY_SIZE = [LDST8.low, LDST16.low, LDST32.low, LDST64.low] as const;

function lowFieldOf(bytes: Uint8Array, offset: number): Field | null {
  const word = readWord(bytes, offset);
  if (isAdd(word)) return ADD12_LO;
  if (!isLoadStore(word)) return null;
  return isVector128(word) ? LDST128.low : (BY_SIZE[word >>> 30] ?? null);
}

/** The low twelve bits of an address in whichever instruction stands there: an addition, a load or a store. */
export const LOW12: Field = {
  ...ADD12_LO,
  name: 'add12 or ldst lo12',
  chosenBy: lowFieldOf,
  encode: (bytes, offset, value) => (lowFieldOf(bytes, offset) ?? ADD12_LO).encode(bytes, offset, value),
  decode: (bytes, offset) => (lowFieldOf(bytes, offset) ?? ADD12_LO).decode(bytes, offset),
};

/** What the group's instruction takes of the value: bits 16·group to 16·group + 15. */
type Group = 0 | 1 | 2 | 3;

const GROUP = 0x1_0000;

/** MOVZ and MOVK: imm16. The lower groups are other instructions', which is no error. */
function moveWide(group: Group, checked: boolean): Field {
  const scale = GROUP ** group;
  const name = `movw g${group}`;
  // The last group's end lies above all numbers that are kept exactly.
  const limits = checked && group < 3 ? { min: 0, max: scale * GROUP - 1 } : anyModulo(scale * GROUP);
  return immediate(checked ? name : `${name} unchecked`, 5, 16, scale, false, limits);
}

/** Bits 29 and 30: 00 is MOVN, 10 is MOVZ. */
const MOVE_KIND = 0x6000_0000;
const MOVZ = 0x4000_0000;

/** MOVZ, or for values below zero MOVN, which has all bits inverted. */
function moveWideSigned(group: Group): Field {
  const scale = GROUP ** group;
  const limits = group < 3 ? { min: -scale * GROUP, max: scale * GROUP - 1 } : anyModulo(scale * GROUP);
  return inWord(
    `movw g${group} signed`,
    limits,
    (word, value) => {
      const scaled = Math.floor(value / scale);
      const bits = (scaled < 0 ? ~scaled : scaled) & 0xffff;
      return (word & ~MOVE_KIND & ~(0xffff << 5)) | (scaled < 0 ? 0 : MOVZ) | (bits << 5);
    },
    (word) => {
      const bits = (word >>> 5) & 0xffff;
      return ((word & MOVE_KIND) === 0 ? -bits - 1 : bits) * scale;
    },
  );
}

/** By group: with a check that nothing is above, and without. */
export const MOVW: readonly Field[] = [0, 1, 2, 3].map((group) => moveWide(group as Group, true));
export const MOVW_NC: readonly Field[] = [0, 1, 2].map((group) => moveWide(group as Group, false));
export const MOVW_SIGNED: readonly Field[] = [0, 1, 2, 3].map((group) => moveWideSigned(group as Group));
