// A machine's rows as columns by relocation number, made once per machine: a link applies millions of relocations, and a
// row looked up in a Map and read through its properties costs ten times as much as one in typed arrays.
import type { RelocationColumns } from '../../formats/columns.js';
import type { Machine } from '../../reloc/machine.js';
import {
  EXPRESSIONS,
  isWithinPage,
  type Base,
  type Expression,
  type Field,
  type FixupRow,
  type Term,
} from '../../reloc/fixup.js';

/** Terms of expressions by their numbers here; `UNKNOWN_TYPE` marks numbers without a row. */
export const UNKNOWN_TYPE = 0;
export const TERM_NONE = 1;
export const TERM_SYMBOL = 2;
export const TERM_STUB = 3;
export const TERM_SLOT = 4;
export const TERM_TABLE = 5;
export const TERM_SIZE = 6;
export const TERM_THREAD = 7;
export const TERM_MODULE_OFFSET = 8;
export const TERM_THREAD_SLOT = 9;
export const TERM_GENERAL = 10;
export const TERM_LOCAL = 11;
export const TERM_DESCRIPTOR = 12;
/** The call through a descriptor: no value. */
export const TERM_DESCRIPTOR_CALL = 13;
export const TERM_PLACE = 14;

export const BASE_NOTHING = 0;
export const BASE_PLACE = 1;
export const BASE_TABLE = 2;
export const BASE_PLACE_PAGE = 3;
export const BASE_TABLE_PAGE = 4;
export const BASE_SYMBOL = 5;
/** A second symbol. */
export const BASE_OTHER = 6;

/** How a field is written: by its own encoder, or at once as four or eight bytes; eight bytes with a mark. */
export const WRITE_FIELD = 0;
export const WRITE_32 = 1;
export const WRITE_64 = 2;
export const WRITE_MARKED = 3;

const TERMS: Readonly<Record<Term, number>> = {
  none: TERM_NONE,
  S: TERM_SYMBOL,
  P: TERM_PLACE,
  signed: UNKNOWN_TYPE,
  L: TERM_STUB,
  G: TERM_SLOT,
  GOT: TERM_TABLE,
  Z: TERM_SIZE,
  TP: TERM_THREAD,
  DTP: TERM_MODULE_OFFSET,
  GTP: TERM_THREAD_SLOT,
  GGD: TERM_GENERAL,
  GLD: TERM_LOCAL,
  GDESC: TERM_DESCRIPTOR,
  // Of modules that are not linked here.
  ...{ offset: UNKNOWN_TYPE, function: UNKNOWN_TYPE, type: UNKNOWN_TYPE },
  ...{ global: UNKNOWN_TYPE, table: UNKNOWN_TYPE, tag: UNKNOWN_TYPE },
};

const BASES: Readonly<Record<Base, number>> = {
  nothing: BASE_NOTHING,
  P: BASE_PLACE,
  S: BASE_SYMBOL,
  T: BASE_OTHER,
  GOT: BASE_TABLE,
  'page of P': BASE_PLACE_PAGE,
  'page of GOT': BASE_TABLE_PAGE,
  // Of modules that are not linked here.
  ...{ memory: BASE_NOTHING, table: BASE_NOTHING },
};

/** Columns with `size` rows; row = a relocation's number. Numbers from `size` on are unknown. */
export interface LoweredRows {
  readonly size: number;
  readonly term: Uint8Array;
  readonly base: Uint8Array;
  readonly writer: Uint8Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly multiple: Float64Array;
  /** 0 where the field holds all of the value. */
  readonly modulo: Float64Array;
  /** 1 where it holds the part below a page, which does not change when the module moves. */
  readonly withinPage: Uint8Array;
  readonly width: Uint8Array;
  readonly relaxable: Uint8Array;
  /** The row's partner, 0 for none; −1 for rows that are the partner of another. */
  readonly partner: Int16Array;
  /** Bytes from the place to what an undefined weak symbol stands for; −1 where that is address 0. */
  readonly absent: Int8Array;
  readonly row: readonly (FixupRow | undefined)[];
}

/** Of each table of rows that was asked for: numbers go up to thousands, so making it takes longer than a small link. */
const known = new WeakMap<Machine['rows'], LoweredRows>();

/** A machine's rows. */
export function lowerRows({ rows }: Machine): LoweredRows {
  const before = known.get(rows);
  if (before !== undefined) return before;
  const lowered = lower(rows);
  known.set(rows, lowered);
  return lowered;
}

function lower(rows: Machine['rows']): LoweredRows {
  const size = Math.max(...rows.keys()) + 1;
  const row: (FixupRow | undefined)[] = new Array<FixupRow | undefined>(size).fill(undefined);
  const lowered = {
    size,
    term: new Uint8Array(size),
    base: new Uint8Array(size),
    writer: new Uint8Array(size),
    min: new Float64Array(size),
    max: new Float64Array(size),
    multiple: new Float64Array(size).fill(1),
    modulo: new Float64Array(size),
    withinPage: new Uint8Array(size),
    width: new Uint8Array(size),
    relaxable: new Uint8Array(size),
    partner: new Int16Array(size),
    absent: new Int8Array(size),
    row,
  };
  for (const [type, source] of rows) {
    const { term, base } = EXPRESSIONS[source.expression];
    row[type] = source;
    lowered.term[type] = termOf(source.expression, term);
    lowered.base[type] = BASES[base];
    lowered.writer[type] = writerOf(source.field);
    lowered.min[type] = source.field.min;
    lowered.max[type] = source.field.max;
    // No number is a multiple of NaN: what depends on the instruction is left to the function that looks at it.
    lowered.multiple[type] = source.field.chosenBy === null ? source.field.multiple : NaN;
    lowered.modulo[type] = source.field.modulo ?? 0;
    lowered.withinPage[type] = isWithinPage(source.field) ? 1 : 0;
    lowered.width[type] = source.field.size;
    lowered.relaxable[type] = source.relaxable ? 1 : 0;
    lowered.absent[type] = source.absent ?? -1;
    if (source.partner === null) continue;
    lowered.partner[type] = source.partner;
    lowered.partner[source.partner] = -1;
  }
  return lowered;
}

/**
 * Do all relocations [first, end) that are rewritten in pairs stand in pairs? Where one stands alone, code that comes from
 * there may go on behind another's first. The scan and the fixups ask it of the same ranges.
 */
export function standInPairs(
  { partner, width }: LoweredRows,
  { type, symbol, offset, addend }: RelocationColumns,
  first: number,
  end: number,
): boolean {
  for (let index = first; index < end; index++) {
    const wanted = partner[type[index] as number] ?? 0;
    if (wanted === 0) continue;
    const next = index + 1;
    if (wanted < 0 || next === end || type[next] !== wanted || symbol[next] !== symbol[index]) return false;
    const behind = (offset[index] as number) + (width[type[index] as number] as number);
    if (offset[next] !== behind || addend[next] !== addend[index]) return false;
    index = next;
  }
  return true;
}

function termOf(expression: Expression, term: Term): number {
  return expression.startsWith('tls-desc') ? TERM_DESCRIPTOR_CALL : TERMS[term];
}

/** Whole numbers of four and eight bytes are nearly all of the fields of data, and of some machines all of them. */
function writerOf(field: Field): number {
  if (field.name === 'int32' || field.name === 'uint32') return WRITE_32;
  if (field.name === 'marked64') return WRITE_MARKED;
  return field.name === 'int64' ? WRITE_64 : WRITE_FIELD;
}
