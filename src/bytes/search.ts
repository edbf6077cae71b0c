// Binary search in what is sorted.

/**
 * Index of the first element that `isBefore` denies, or the length. All elements that it holds for must come before all
 * others.
 */
export function firstNotBefore<T>(list: readonly T[], isBefore: (element: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isBefore(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
