// Medians and quartiles: what a busy machine does to a mean makes it useless here.

/** Of a sample, in the sample's unit. */
export interface Summary {
  readonly n: number;
  readonly median: number;
  /** First and third quartile. */
  readonly low: number;
  readonly high: number;
}

/** The value below which `part` (0 … 1) of the sample lies, interpolated. Throws on an empty sample. */
function quantile(sorted: readonly number[], part: number): number {
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new Error('no values to summarise');
  return below + (above - below) * (position - Math.floor(position));
}

/** Median and quartiles, rounded to a thousandth. */
export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => round(quantile(sorted, part));
  return { n: sorted.length, median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** To three decimals: microseconds where the value is in milliseconds. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
