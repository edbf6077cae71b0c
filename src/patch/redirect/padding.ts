// The free bytes between functions: where they are, and which of them redirects use already. Values, not state: what is
// taken follows from the cells that are live. What counts as padding is the machine's to say (src/reloc/machine.ts).
import { firstNotBefore } from '../../bytes/search.js';

/** Bytes that belong to no symbol, as they are in the base program. */
export interface Gap {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Finds gaps, nearest first. Both answer null when there is none. */
export interface GapSource {
  /** The nearest gap that ends at or before the address. */
  gapBefore(address: number): Gap | null;
  /** The nearest gap that starts at or after the address. */
  gapAfter(address: number): Gap | null;
}

/** From `start` up to but without `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Gaps, and what is taken of them. */
export interface PaddingMap {
  readonly gaps: GapSource;
  readonly taken: readonly Span[];
}

/** Functions are aligned to 16 or 64 bytes, sections to a page at most: what is larger holds something. */
const LARGEST_GAP = 4096;

/** The spans that no function covers, between the first and the last, by rising address. */
function spansBetween(functions: readonly { readonly address: number; readonly size: number }[]): readonly Span[] {
  const sorted = functions.toSorted((a, b) => a.address - b.address);
  const spans: Span[] = [];
  let end = sorted[0]?.address ?? 0;
  let open = false;
  for (const { address, size } of sorted) {
    // A symbol without a size that stands behind the end of all others claims what follows it.
    if (address > end && !open) spans.push({ start: end, end: address });
    if (address > end || (open && address === end)) open = false;
    if (address + size > end) {
      end = address + size;
      open = false;
    }
    if (size === 0 && address >= end) {
      end = address;
      open = true;
    }
  }
  return spans;
}

/** Index of the first span whose start is at or behind the address. */
function firstFrom(spans: readonly Span[], address: number): number {
  return firstNotBefore(spans, ({ start }) => start < address);
}

/**
 * The gaps between functions. `functions` in any order; one of size 0 reaches up to the next, as its end is not known.
 * `read` gives the base program's bytes, or null where it has none; nothing is read before it is asked for.
 */
export function gapsBetween(
  functions: readonly { readonly address: number; readonly size: number }[],
  read: (address: number, size: number) => Uint8Array | null,
): GapSource {
  const spans = spansBetween(functions);
  function nearest(from: number, step: 1 | -1, fits: (span: Span) => boolean): Gap | null {
    for (let index = from; ; index += step) {
      const span = spans[index];
      if (span === undefined) return null;
      if (!fits(span) || span.end - span.start > LARGEST_GAP) continue;
      const bytes = read(span.start, span.end - span.start);
      if (bytes !== null) return { start: span.start, bytes };
    }
  }
  return {
    gapBefore: (address) => nearest(firstFrom(spans, address) - 1, -1, ({ end }) => end <= address),
    gapAfter: (address) => nearest(firstFrom(spans, address), 1, () => true),
  };
}

/** The padding of a program with these cells written. */
export function paddingOf(
  gaps: GapSource,
  cells: readonly { readonly at: number; readonly newBytes: Uint8Array }[],
): PaddingMap {
  return withTaken({ gaps, taken: [] }, cells);
}

/** The padding after these cells are planned too. Drop the new map, and they are free again. */
export function withTaken(
  padding: PaddingMap,
  cells: readonly { readonly at: number; readonly newBytes: Uint8Array }[],
): PaddingMap {
  const added = cells.map(({ at, newBytes }) => ({ start: at, end: at + newBytes.length }));
  return { gaps: padding.gaps, taken: [...padding.taken, ...added] };
}

/** True when no redirect uses a byte from `start` up to `end`. */
export function isFree(padding: PaddingMap, start: number, end: number): boolean {
  return padding.taken.every((span) => span.end <= start || span.start >= end);
}
