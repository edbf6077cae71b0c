// What a relocation means, as data: an expression over S A P G T … and a field that holds the result.
// Rows are written once per format × machine (elf-x86-64.ts, …); nothing else knows a relocation's number.

/**
 * What a value starts from, in the letters of the psABI documents: S symbol, P place, L stub of the symbol if it needs one,
 * G the address of the symbol's GOT slot, GOT the GOT's start, Z size of the symbol. Of thread-locals: TP offset from the
 * thread pointer, DTP offset from the start of the module's template, and addresses of GOT slots: GTP one that holds TP,
 * GGD a pair of module and DTP, GLD a pair of the own module and 0, GDESC a descriptor (two words). `signed` is S with the
 * processor's signature, which only the process can make. Where functions lie in no memory, S of one is its element of the
 * table; `function`, `type`, `global`, `table` and `tag` are indexes in spaces of those, `offset` where something lies in
 * the part of the file that it is in.
 */
export type Term =
  | 'none'
  | 'S'
  | 'P'
  | 'signed'
  | 'L'
  | 'G'
  | 'GOT'
  | 'Z'
  | 'TP'
  | 'DTP'
  | 'GTP'
  | 'GGD'
  | 'GLD'
  | 'GDESC'
  | 'offset'
  | IndexSpace;

/** What has indexes and lies in no memory. */
export type IndexSpace = 'function' | 'type' | 'global' | 'table' | 'tag';

/**
 * What is taken off: P the place, S the symbol, T the second symbol that a relocation names (`Relocation.minus`), GOT the
 * GOT's start, `memory` and `table` where a module that may lie anywhere has its own part of those; with pages, whole pages are counted: `Page(S+A)-Page(P)` starts
 * from the page of the sum. `G+A-Page(GOT)` takes the page off and leaves the sum as it is.
 */
export type Base = 'nothing' | 'P' | 'S' | 'T' | 'GOT' | 'memory' | 'table' | 'page of P' | 'page of GOT';

/** An expression taken apart: the addend is added to the term, then the base is taken off. */
export interface Parts {
  readonly term: Term;
  readonly base: Base;
}

/** Pages as instructions count them, however large those of the memory are. */
const PAGE = 0x1000;

/** The start of the page of 4 KiB that an address lies in. */
export function pageOf(address: number): number {
  return Math.floor(address / PAGE) * PAGE;
}

function parts(term: Term, base: Base): Parts {
  return { term, base };
}

/**
 * Every expression that rows use. `tls-desc` has no value: it marks code that uses a descriptor (the call through it), and
 * is rewritten together with the code that loads it.
 */
export const EXPRESSIONS = {
  none: parts('none', 'nothing'),
  'S+A': parts('S', 'nothing'),
  'S+A-P': parts('S', 'P'),
  'S+A-T': parts('S', 'T'),
  'P+A-S': parts('P', 'S'),
  'signed(S+A)': parts('signed', 'nothing'),
  'S+A-GOT': parts('S', 'GOT'),
  'Page(S+A)-Page(P)': parts('S', 'page of P'),
  'L+A-P': parts('L', 'P'),
  'L+A-GOT': parts('L', 'GOT'),
  'G+A': parts('G', 'nothing'),
  'G+A-P': parts('G', 'P'),
  'G+A-GOT': parts('G', 'GOT'),
  'G+A-Page(GOT)': parts('G', 'page of GOT'),
  'Page(G+A)-Page(P)': parts('G', 'page of P'),
  'GOT+A-P': parts('GOT', 'P'),
  'Z+A': parts('Z', 'nothing'),
  'TP+A': parts('TP', 'nothing'),
  'DTP+A': parts('DTP', 'nothing'),
  'GTP+A': parts('GTP', 'nothing'),
  'GTP+A-P': parts('GTP', 'P'),
  'GTP+A-GOT': parts('GTP', 'GOT'),
  'Page(GTP+A)-Page(P)': parts('GTP', 'page of P'),
  'GGD+A': parts('GGD', 'nothing'),
  'GGD+A-P': parts('GGD', 'P'),
  'GGD+A-GOT': parts('GGD', 'GOT'),
  'Page(GGD+A)-Page(P)': parts('GGD', 'page of P'),
  'GLD+A': parts('GLD', 'nothing'),
  'GLD+A-P': parts('GLD', 'P'),
  'GLD+A-GOT': parts('GLD', 'GOT'),
  'Page(GLD+A)-Page(P)': parts('GLD', 'page of P'),
  'GDESC+A': parts('GDESC', 'nothing'),
  'GDESC+A-P': parts('GDESC', 'P'),
  'GDESC+A-GOT': parts('GDESC', 'GOT'),
  'Page(GDESC+A)-Page(P)': parts('GDESC', 'page of P'),
  'tls-desc': parts('none', 'nothing'),
  'S+A-memory': parts('S', 'memory'),
  'S+A-table': parts('S', 'table'),
  'offset+A': parts('offset', 'nothing'),
  function: parts('function', 'nothing'),
  type: parts('type', 'nothing'),
  global: parts('global', 'nothing'),
  table: parts('table', 'nothing'),
  tag: parts('tag', 'nothing'),
} as const satisfies Record<string, Parts>;

export type Expression = keyof typeof EXPRESSIONS;

/**
 * True for the first and following relocations of a sequence that asks the loader where a thread-local is; the code
 * around them may be rewritten as a whole.
 */
export function asksForThreadLocal(expression: Expression): boolean {
  const { term } = EXPRESSIONS[expression];
  return term === 'GGD' || term === 'GLD' || term === 'GDESC' || expression === 'tls-desc';
}

/** Where a value goes: how many bytes, which values fit, how it is written and read back. */
export interface Field {
  readonly name: string;
  /** Bytes that the field touches, from the relocation's offset. */
  readonly size: number;
  /** Smallest and largest value that fits; both inclusive. */
  readonly min: number;
  readonly max: number;
  /** Values are multiples of this: 1, or what the instruction leaves out of its immediate. */
  readonly multiple: number;
  /** The field holds the value modulo this, and says so by its name (`…lo12`); null when it holds all of it. */
  readonly modulo: number | null;
  /**
   * For a field that is another one in each of several instructions: which one it is, by the instruction at `offset`; null
   * for an instruction that has none. What `multiple` says is then the least that all ask for.
   */
  readonly chosenBy: ((bytes: Uint8Array, offset: number) => Field | null) | null;
  encode(bytes: Uint8Array, offset: number, value: number): void;
  decode(bytes: Uint8Array, offset: number): number;
}

/**
 * True when the field holds no more than where in its page a value lies, which is the same at every load address: modules
 * are loaded at multiples of a page.
 */
export function isWithinPage({ modulo }: Field): boolean {
  return modulo !== null && PAGE % modulo === 0;
}

/** One relocation type. */
export interface FixupRow {
  readonly type: number;
  /** As the specification spells it. */
  readonly name: string;
  readonly expression: Expression;
  readonly field: Field;
  /** The instruction may be rewritten to do without the GOT slot (psABI relaxations). */
  readonly relaxable: boolean;
  /**
   * Number of the relocation that stands right behind the field, for the same symbol, when both instructions may be
   * rewritten: they are together or not at all. Null where there is no such.
   */
  readonly partner: number | null;
  /** What S is when nothing defines a weak symbol: so many bytes behind the place, or null for address 0. */
  readonly absent: number | null;
  /** Document and section. */
  readonly spec: string;
}

/** A row for code that a link makes itself: no file has a number for it. */
export function madeRow(name: string, expression: Expression, field: Field, spec: string): FixupRow {
  return { type: -1, name, expression, field, relaxable: false, partner: null, absent: null, spec };
}
