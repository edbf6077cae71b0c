// Rounding of sizes and places. Any alignment, not only powers of two: no bitwise operator, so it holds beyond 32 bits.

/** The least multiple of `to` that is not below `value`. `to` is at least 1. */
export function alignUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
