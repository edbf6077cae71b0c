// Makers of edits. The tables that use them are in *-rows.ts.
import { replaceOnce, replaceRegion } from './program.js';
import { type Action, type Edit } from './row.js';

export const RECEIPTS = 'src/desk/receipts.rs';
export const OFFERS = 'src/desk/offers.rs';
export const COUNTERS = 'src/desk/counters.rs';
export const CLOCK = 'src/desk/clock.rs';
export const VISITS = 'src/desk/visits.rs';
export const PRICING = 'pricing/src/lib.rs';

/** A text of a file, and what takes its place. */
type Pair = readonly [old: string, replacement: string];

/** New bodies for marked regions of one file. */
export function regions(file: string, bodies: Readonly<Record<string, string>>): Action {
  const apply = (text: string): string =>
    Object.entries(bodies).reduce((now, [name, body]) => replaceRegion(now, name, body), text);
  return { kind: 'edit', edits: [{ file, apply }] };
}

/** Replaces texts of which each stands in the file just once. */
export function once(file: string, ...pairs: readonly Pair[]): Action {
  return { kind: 'edit', edits: [onceIn(file, ...pairs)] };
}

/** The same as one of several edits of a row. */
export function onceIn(file: string, ...pairs: readonly Pair[]): Edit {
  return { file, apply: (text) => pairs.reduce((now, [old, replacement]) => replaceOnce(now, old, replacement), text) };
}

/** Several files in one row. */
export function several(...edits: readonly Edit[]): Action {
  return { kind: 'edit', edits };
}

/** The desk's greeting with another text, on the same lines. */
export function greeting(text: string): Action {
  return regions(RECEIPTS, { greeting: `pub fn greeting() -> &'static str {\n    "${text}"\n}` });
}
