// The table that a section's folded relocations are: rows of numbers in one array. What they mean is relocation-types.ts's,
// how they are read relocations.ts's.

/**
 * Folded relocations of one section of the file, by rising offset in it. A file has few of each section, so that they are
 * rows of one array, not columns: what is costly is to make arrays.
 */
export interface FoldedRelocations {
  readonly count: number;
  /** Rows of FOLDED_ROW numbers; there may be more. */
  readonly rows: Float64Array;
}

/** Numbers of a row, and which is which: the symbols are the model's. */
export const FOLDED_ROW = 5;
export const OFFSET = 0;
export const TYPE = 1;
export const SYMBOL = 2;
export const ADDEND = 3;
/** The symbol that is taken off, where the type says that there is one. */
export const MINUS = 4;

/** The numbers of a row that takes nothing off. */
export function foldedRow(offset: number, type: number, symbol: number, addend: number): readonly number[] {
  return [offset, type, symbol, addend, 0];
}

/** Both, by rising offset; `made` are the numbers of rows, which come before others of one place. */
export function joined(made: readonly number[], folded: FoldedRelocations): FoldedRelocations {
  if (made.length === 0) return folded;
  const own = sortedRows(Float64Array.from(made), made.length / FOLDED_ROW).rows;
  const before = folded.rows.subarray(0, folded.count * FOLDED_ROW);
  const rows = new Float64Array(own.length + before.length);
  for (let to = 0, a = 0, b = 0; to < rows.length; to += FOLDED_ROW) {
    const isOwn =
      b === before.length || (a < own.length && (own[a + OFFSET] as number) <= (before[b + OFFSET] as number));
    const [from, at] = isOwn ? [own, a] : [before, b];
    for (let number = 0; number < FOLDED_ROW; number++) rows[to + number] = from[at + number] as number;
    if (isOwn) a += FOLDED_ROW;
    else b += FOLDED_ROW;
  }
  return { count: rows.length / FOLDED_ROW, rows };
}

/** The offsets of all. */
export function offsetsOf({ count, rows }: FoldedRelocations): Set<number> {
  const offsets = new Set<number>();
  for (let row = 0; row < count; row++) offsets.add(rows[row * FOLDED_ROW + OFFSET] as number);
  return offsets;
}

export const NO_RELOCATIONS: FoldedRelocations = { count: 0, rows: new Float64Array(0) };

/** The first `count` rows by rising offset; assemblers write them falling. Those of one place keep their order. */
export function sortedRows(rows: Float64Array, count: number): FoldedRelocations {
  let rising = true;
  let falling = true;
  const end = count * FOLDED_ROW;
  for (let row = FOLDED_ROW; row < end; row += FOLDED_ROW) {
    const step = (rows[row + OFFSET] as number) - (rows[row - FOLDED_ROW + OFFSET] as number);
    rising &&= step >= 0;
    falling &&= step < 0;
  }
  if (falling && !rising) reverseRows(rows, count);
  return rising || falling ? { count, rows } : { count, rows: sortedByOffset(rows, count) };
}

function reverseRows(rows: Float64Array, count: number): void {
  for (let first = 0, last = (count - 1) * FOLDED_ROW; first < last; first += FOLDED_ROW, last -= FOLDED_ROW) {
    for (let at = 0; at < FOLDED_ROW; at++) {
      const kept = rows[first + at] as number;
      rows[first + at] = rows[last + at] as number;
      rows[last + at] = kept;
    }
  }
}

function sortedByOffset(rows: Float64Array, count: number): Float64Array {
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) order[index] = index;
  const offset = (index: number): number => rows[index * FOLDED_ROW + OFFSET] as number;
  order.sort((a, b) => offset(a) - offset(b) || a - b);
  const result = new Float64Array(count * FOLDED_ROW);
  for (let row = 0, to = 0; row < count; row++) {
    const from = (order[row] as number) * FOLDED_ROW;
    for (let at = 0; at < FOLDED_ROW; at++) result[to++] = rows[from + at] as number;
  }
  return result;
}
