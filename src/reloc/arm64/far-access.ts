// How arm64 code that reaches a place by its distance becomes code that reaches it at any distance, through a word that
// holds the place's address. Code takes an address in parts: `adrp` the page, an addition, loads and stores the rest. Now
// `adrp` loads the whole address, so that nothing is left for the others but how far theirs is from it. Whose parts belong
// together is not looked for: all of a function that refer to one symbol agree on one address.
// Source: Arm Architecture Reference Manual (DDI 0487), C6.2 (ADRP, ADR, LDR (literal), LDR (immediate)).
import { EXPRESSIONS, isWithinPage, madeRow, type Field, type FixupRow } from '../fixup.js';
import type { FarCode, FarReference, FarUse } from '../machine.js';
import { ADR21, ADRP21, BRANCH26, LDST64, LITERAL19, readWord, writeWord } from './fields.js';
import { adr, adrp, assemble, b, load, loadLiteral } from './instructions.js';

const SPEC = 'Arm Architecture Reference Manual (DDI 0487), C6.2';
const WORD_NEAR = madeRow('ldr of a word', 'G+A-P', LITERAL19, SPEC);
const WORD_PAGE = madeRow('adrp of a word', 'Page(G+A)-Page(P)', ADRP21, SPEC);
const WORD_LOW = madeRow('ldr of a word in its page', 'G+A', LDST64.low, SPEC);
const BRANCH = madeRow('b', 'S+A-P', BRANCH26, SPEC);

/** `ldr` (literal) reaches so far in both directions. */
export const NEAR = 0x10_0000;
/** In a page; what an addition can add. */
const MOST_BEHIND = 0xfff;
/** The largest that a load or a store counts in. */
const LARGEST_UNIT = 16;

/** Of an address: zero, or the stack pointer. */
const NO_REGISTER = 31;

const wordAt = (bytes: Uint8Array, offset: number): number => readWord(bytes, offset) >>> 0;
const registerOf = (word: number): number => word & 0x1f;
const isAdrp = (word: number): boolean => (word & 0x9f000000) >>> 0 === adrp(0) >>> 0;
const isAdr = (word: number): boolean => (word & 0x9f000000) >>> 0 === adr(0);
/** ldr xT, literal */
const isLiteral = (word: number): boolean => (word & 0xff000000) >>> 0 === loadLiteral(0);
const isBranch = (word: number): boolean => (word & 0x7c000000) >>> 0 === b();

function isPart({ row }: FarUse): boolean {
  return EXPRESSIONS[row.expression].base === 'nothing' && isWithinPage(row.field);
}

function isPage({ row }: FarUse): boolean {
  return EXPRESSIONS[row.expression].base === 'page of P';
}

/** The field of the instruction's own, with what it counts in. */
function fieldAt(bytes: Uint8Array, { row, offset }: FarUse): Field | null {
  return row.field.chosenBy === null ? row.field : row.field.chosenBy(bytes, offset);
}

function fits(bytes: Uint8Array, part: FarUse, behind: number): boolean {
  const rest = part.addend - behind;
  const field = fieldAt(bytes, part);
  return field !== null && rest >= 0 && rest <= MOST_BEHIND && rest % field.multiple === 0;
}

/**
 * How far behind the symbol the address is that the register of a use gets. Uses that may be parts of one address agree on
 * one, else each addend is its own where every part has a page with the same.
 */
function agree(bytes: Uint8Array, uses: readonly FarUse[], agreed: Map<FarUse, number>): void {
  const parts = uses.filter(isPart);
  if (parts.length === 0) return;
  const least = Math.min(...parts.map(({ addend }) => addend));
  const all = Array.from({ length: LARGEST_UNIT }, (_, i) => least - i).find((behind) =>
    parts.every((part) => fits(bytes, part, behind)),
  );
  const own = new Set(uses.filter(isPage).map(({ addend }) => addend));
  const haveOwn = parts.every((part) => own.has(part.addend) && fits(bytes, part, part.addend));
  if (own.size === 0 || (all === undefined && !haveOwn)) return;
  for (const use of uses) agreed.set(use, all ?? use.addend);
}

/** Uses of one symbol, those apart that cannot be parts of one address: a page and its part lie in one page. */
function apart(uses: readonly FarUse[]): readonly (readonly FarUse[])[] {
  const groups: FarUse[][] = [];
  let last = -Infinity;
  for (const use of [...uses].sort((a, b) => a.addend - b.addend)) {
    if (use.addend - last > MOST_BEHIND) groups.push([]);
    groups.at(-1)?.push(use);
    last = use.addend;
  }
  return groups;
}

/** The word into the register, from a word that is near or wherever it is. */
function loadWord(use: FarUse, register: number, behind: number, near: boolean, then: readonly number[]): FarReference {
  const place = { kind: 'access', start: use.offset, end: use.offset + 4, behind } as const;
  const field = (offset: number, to: 'word' | 'aside' | 'back', row: FixupRow): FarCode['fields'][number] => {
    return { offset, to, row, addend: 0 };
  };
  if (near && then.length === 0) {
    const inPlace = { bytes: assemble(loadLiteral(register)), fields: [field(0, 'word', WORD_NEAR)] };
    return { ...place, inPlace, aside: null };
  }
  const words = [adrp(register), load(register, register), ...then];
  return {
    ...place,
    inPlace: { bytes: assemble(b()), fields: [field(0, 'aside', BRANCH)] },
    aside: {
      bytes: assemble(...words, b()),
      fields: [field(0, 'word', WORD_PAGE), field(4, 'word', WORD_LOW), field(4 * words.length, 'back', BRANCH)],
    },
  };
}

/** An addition, a load or a store whose register holds the address `behind` the symbol. */
function restOf(bytes: Uint8Array, use: FarUse, behind: number): FarReference {
  const code = new Uint8Array(4);
  writeWord(code, 0, readWord(bytes, use.offset));
  fieldAt(bytes, use)?.encode(code, 0, use.addend - behind);
  const { offset } = use;
  return { kind: 'access', start: offset, end: offset + 4, behind, inPlace: { bytes: code, fields: [] }, aside: null };
}

function referenceOf(bytes: Uint8Array, use: FarUse, behind: number | undefined, near: boolean): FarReference | null {
  const { offset, row, addend } = use;
  if (offset % 4 !== 0 || offset + 4 > bytes.length) return null;
  const word = wordAt(bytes, offset);
  const register = registerOf(word);
  if (row.field === BRANCH26) return isBranch(word) ? { kind: 'branch', row, addend: 0, behind: addend } : null;
  if (isPart(use)) return behind === undefined ? null : restOf(bytes, use, behind);
  if (register === NO_REGISTER) return null;
  if (isPage(use)) return behind !== undefined && isAdrp(word) ? loadWord(use, register, behind, near, []) : null;
  if (row.field === ADR21 && isAdr(word)) return loadWord(use, register, addend, near, []);
  if (row.field === LITERAL19 && isLiteral(word))
    return loadWord(use, register, addend, near, [load(register, register)]);
  return null;
}

/** What stands around each field of a whole function: see Machine.far. */
export function farReferences(
  bytes: Uint8Array,
  uses: readonly FarUse[],
  near: boolean,
): readonly (FarReference | null)[] {
  const bySymbol = new Map<number, FarUse[]>();
  for (const use of uses) {
    const others = bySymbol.get(use.symbol);
    if (others !== undefined) others.push(use);
    else bySymbol.set(use.symbol, [use]);
  }
  const agreed = new Map<FarUse, number>();
  for (const all of bySymbol.values()) for (const group of apart(all)) agree(bytes, group, agreed);
  return uses.map((use) => referenceOf(bytes, use, agreed.get(use), near));
}
