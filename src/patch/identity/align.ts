// Aligns two lists of things that a compiler only tells apart by their number: which of the new ones is which of the old
// ones. Knows nothing of what they are. What cannot be told is left alone, and said.

/** What is known of two things, asked by their places in the lists. */
export interface Likeness {
  /** May they be the same at all? Else they are not paired, however alike they look. */
  fits(before: number, after: number): boolean;
  /** Contents: equal keys, equal contents. Null where nothing can be said of it. */
  before(index: number): string | null;
  after(index: number): string | null;
  /** From 0, nothing in common, to 1. Asked only of those that have no equal. */
  alike(before: number, after: number): number;
}

export interface Alignment {
  /** For each new one the old one, or null. */
  readonly pairs: readonly (number | null)[];
  /** New ones that may be one of several old ones, or old ones that may be one of several new ones: not paired. */
  readonly ambiguous: readonly { readonly before: number; readonly after: number }[];
}

/** What a pair is worth at the least: as many as fit are paired. */
const PAIR = 1;
/** Equal contents count for more than any likeness of two others. */
const EQUAL = 3;
/** Two ways to pair whose worth differs by less are equally good. */
const MARGIN = 0.02;
/** Longer lists are paired by equal contents and by place only. */
const LONGEST = 200;

/** Aligns `before` old things with `after` new ones, in their order. */
export function align(before: number, after: number, known: Likeness): Alignment {
  const pairs: (number | null)[] = new Array<number | null>(after).fill(null);
  const taken = new Set<number>();
  const pair = (old: number, now: number): void => {
    pairs[now] = old;
    taken.add(old);
  };
  // A content that each side has once is the same thing, wherever it went.
  const oldByContent = group(before, known.before);
  const nowByContent = group(after, known.after);
  for (const [content, places] of nowByContent) {
    const others = oldByContent.get(content) ?? [];
    const [old, now] = [others[0], places[0]];
    if (old === undefined || now === undefined || others.length > 1 || places.length > 1) continue;
    if (known.fits(old, now)) pair(old, now);
  }
  const ambiguous: { before: number; after: number }[] = [];
  for (const gap of gapsOf(before, pairs, taken)) {
    const found = alignGap(gap, known);
    for (const { before: old, after: now } of found.pairs) pair(old, now);
    ambiguous.push(...found.ambiguous);
  }
  return { pairs, ambiguous };
}

function group(count: number, contentOf: (index: number) => string | null): Map<string, number[]> {
  const result = new Map<string, number[]>();
  for (let index = 0; index < count; index++) {
    const content = contentOf(index);
    if (content === null) continue;
    const list = result.get(content);
    if (list === undefined) result.set(content, [index]);
    else list.push(index);
  }
  return result;
}

/** What lies between two pairs, on either side. */
interface Gap {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * What is not paired yet, cut at the pairs that kept their order. Pairs that went elsewhere cut nothing: with them out of
 * the way, the others are as they would be without.
 */
function gapsOf(before: number, pairs: readonly (number | null)[], taken: ReadonlySet<number>): Gap[] {
  const order = longestRising(pairs);
  const gaps: Gap[] = [];
  let old = 0;
  let now = 0;
  for (const stop of [...order, pairs.length]) {
    const until = stop < pairs.length ? (pairs[stop] as number) : before;
    const gap: Gap = {
      before: range(old, until).filter((index) => !taken.has(index)),
      after: range(now, stop).filter((index) => pairs[index] === null),
    };
    if (gap.before.length > 0 && gap.after.length > 0) gaps.push(gap);
    old = until + 1;
    now = stop + 1;
  }
  return gaps;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

/** The places of a longest rising run among the pairs. */
function longestRising(pairs: readonly (number | null)[]): number[] {
  /** Per length, the place that ends the run of that length with the smallest value. */
  const ends: number[] = [];
  const previous = new Map<number, number>();
  pairs.forEach((value, place) => {
    if (value === null) return;
    let length = ends.length;
    while (length > 0 && (pairs[ends[length - 1] as number] as number) > value) length--;
    if (length > 0) previous.set(place, ends[length - 1] as number);
    ends[length] = place;
  });
  const result: number[] = [];
  for (let place = ends.at(-1); place !== undefined; place = previous.get(place)) result.unshift(place);
  return result;
}

interface Paired {
  readonly before: number;
  readonly after: number;
}

function alignGap(gap: Gap, known: Likeness): { readonly pairs: Paired[]; readonly ambiguous: Paired[] } {
  const { before, after } = gap;
  const whole = before.length === after.length && before.every((old, at) => known.fits(old, after[at] as number));
  // Nothing came and nothing went: each is the edited one at its place.
  if (whole || Math.max(before.length, after.length) > LONGEST) {
    const count = Math.min(before.length, after.length);
    const pairs = range(0, count).map((at) => ({ before: before[at] as number, after: after[at] as number }));
    return { pairs: pairs.filter((one) => known.fits(one.before, one.after)), ambiguous: [] };
  }
  const worth = before.map((old) => after.map((now) => worthOf(old, now, known)));
  const best = bestPairs(worth);
  const pairs: Paired[] = [];
  const ambiguous: Paired[] = [];
  for (const [row, column] of best.pairs) {
    const one = { before: before[row] as number, after: after[column] as number };
    const value = worth[row]?.[column] ?? null;
    if (value !== null && value < EQUAL && isReplaceable(worth, row, column, best.total)) ambiguous.push(one);
    else pairs.push(one);
  }
  return { pairs, ambiguous };
}

function worthOf(old: number, now: number, known: Likeness): number | null {
  if (!known.fits(old, now)) return null;
  const content = known.before(old);
  return content !== null && content === known.after(now) ? EQUAL : PAIR + known.alike(old, now);
}

type Worth = readonly (readonly (number | null)[])[];

/** Is there another way that leaves this pair out and is as good? */
function isReplaceable(worth: Worth, row: number, column: number, total: number): boolean {
  const without = worth.map((line, at) => (at === row ? line.map((one, to) => (to === column ? null : one)) : line));
  return bestPairs(without).total > total - MARGIN;
}

/** The pairs in rising order that are worth most together; of equally good ones the first. */
function bestPairs(worth: Worth): { readonly total: number; readonly pairs: [number, number][] } {
  const rows = worth.length;
  const columns = worth[0]?.length ?? 0;
  const totals = Array.from({ length: rows + 1 }, () => new Float64Array(columns + 1));
  const at = (row: number, column: number): number => totals[row]?.[column] ?? 0;
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const value = worth[row]?.[column] ?? null;
      const paired = value === null ? -1 : value + at(row + 1, column + 1);
      (totals[row] as Float64Array)[column] = Math.max(paired, at(row + 1, column), at(row, column + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let row = 0, column = 0; row < rows && column < columns;) {
    const value = worth[row]?.[column] ?? null;
    if (value !== null && at(row, column) === value + at(row + 1, column + 1)) pairs.push([row++, column++]);
    else if (at(row, column) === at(row + 1, column)) row++;
    else column++;
  }
  return { total: at(0, 0), pairs };
}
