// Makers of edits of the order desk's sources. The tables that use them are in *-rows.ts.
import { replaceOnce, replaceRegion } from './program.js';
import { type Action } from './row.js';

export const RECEIPTS = 'src/desk/receipts.rs';
export const OFFERS = 'src/desk/offers.rs';
export const COUNTERS = 'src/desk/counters.rs';
export const CLOCK = 'src/desk/clock.rs';

/** New bodies for marked regions of one file. */
export function regions(file: string, bodies: Readonly<Record<string, string>>): Action {
  const apply = (text: string): string =>
    Object.entries(bodies).reduce((now, [name, body]) => replaceRegion(now, name, body), text);
  return { kind: 'edit', edit: { file, apply } };
}

/** Replaces texts of which each stands in the file just once. */
export function once(file: string, ...pairs: readonly (readonly [old: string, replacement: string])[]): Action {
  const apply = (text: string): string =>
    pairs.reduce((now, [old, replacement]) => replaceOnce(now, old, replacement), text);
  return { kind: 'edit', edit: { file, apply } };
}

/** The desk's greeting with another text, on the same lines. */
export function greeting(text: string): Action {
  return regions(RECEIPTS, { greeting: `pub fn greeting() -> &'static str {\n    "${text}"\n}` });
}
