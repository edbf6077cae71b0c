// Bodies and the memory around them, for the tests of redirects.
import { gapsBetween, paddingOf, type PaddingMap } from './padding.js';
import type { RedirectPlan } from './redirect.js';

/** Bytes from hexadecimal digits; blanks are for the reader. */
export function code(digits: string): Uint8Array {
  return Uint8Array.from(digits.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Memory that holds functions at chosen addresses and gap bytes everywhere else. */
export interface World {
  readonly memory: Uint8Array;
  readonly functions: readonly { readonly address: number; readonly size: number }[];
  readonly padding: PaddingMap;
  read(at: number, size: number): Uint8Array | null;
}

/** Such memory, with nothing taken. */
export function world(
  size: number,
  fill: number,
  bodies: readonly (readonly [address: number, body: Uint8Array])[],
): World {
  const memory = new Uint8Array(size).fill(fill);
  for (const [address, body] of bodies) memory.set(body, address);
  const read = (at: number, length: number): Uint8Array | null =>
    at >= 0 && at + length <= size ? memory.slice(at, at + length) : null;
  const functions = bodies.map(([address, body]) => ({ address, size: body.length }));
  return { memory, functions, padding: paddingOf(gapsBetween(functions, read), []), read };
}

/** `long`, `short at <address of the long jump>` or the reason of the refusal. */
export function summary(result: RedirectPlan): string {
  if (result.kind === 'refused') return result.reason;
  return result.form === 'long' ? 'long' : `short at ${(result.cells[0]?.at ?? 0).toString(16)}`;
}
