// Objects that do not describe their types: what is refused then. Only what the sources show to be safe is taken.
import type { ObjectDiff } from '../diff/diff.js';
import type { RefusedItem } from '../engine.js';
import type { DeclarationChange } from './declarations.js';

const REMEDY = 'the objects do not describe types: with debug = true in the profile layouts are compared instead';
const REMEDY_WHERE_MISSING = 'layouts of types are compared when the .dwo files of before and after are there';

/** Mangled names of the newer kind, which hold neither what a closure captures nor the type of a static. */
const TYPELESS_NAME = /^_R/;
const CLOSURE = /\{\{?closure/;

/**
 * What the sources declare otherwise than when values were made, and closures that no name tells apart.
 * @param missing why descriptions that there should be are not to be had, if that is so
 */
export function refuseUnchecked(
  diff: ObjectDiff,
  changes: readonly DeclarationChange[],
  missing: string | null,
): readonly RefusedItem[] {
  const because = missing === null ? [REMEDY] : [missing, REMEDY_WHERE_MISSING];
  const closures = diff.items.filter(
    ({ name, demangled, change }) => change === 'body' && TYPELESS_NAME.test(name) && CLOSURE.test(demangled),
  );
  return [
    ...changes,
    ...closures.map(({ demangled }) => ({ name: demangled, message: 'it changed, and may hold something else' })),
  ].map(({ name, message }) => ({ code: 'IPBP3040', name, message, because }));
}
