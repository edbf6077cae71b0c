// The quick answer to whether names mean after an edit what they meant before it: most edits of something numbered change
// what is in it and nothing else. Says yes only where the closer look (groups.ts) would find every number at its place and
// every type as it was; it need not say yes wherever that is so. Cheapest questions first.
import { demangle, spellV0 } from '../../formats/symbols/demangle.js';
import type { LinkObject } from '../../link/graph.js';
import type { DiffItem, ObjectDiff } from '../diff/diff.js';
import { storageOf, type AtomRef } from '../diff/items.js';
import { contentsOf } from './content.js';
import { keepTheirTypes } from './kept-types.js';
import { withoutNumbers } from './numbered.js';

/** True when every item of the new side is the old one of its name. */
export function namesStand(diff: ObjectDiff, before: readonly LinkObject[], after: readonly LinkObject[]): boolean {
  const changed = diff.items.filter(({ change }) => change === 'body' || change === 'initialiser');
  const moving = diff.items.filter(({ change }) => change === 'added' || change === 'removed');
  return (
    !comeAndGo(moving) &&
    changed.every(isInPlace) &&
    !changedPlaces(changed.filter(({ kind }) => kind === 'function')) &&
    !sharesStatics(changed, after) &&
    keepTheirTypes(changed, before, after)
  );
}

/** A name as a person reads it, without the numbers that are given by position. */
function lookOf(name: string): string {
  return withoutNumbers(demangle(name));
}

/** Did something come or go that has a number, or something under a readable name under which something else went? */
function comeAndGo(items: readonly DiffItem[]): boolean {
  const gone = new Set(items.filter(({ change }) => change === 'removed').map(({ name }) => lookOf(name)));
  return items.some(
    ({ name, demangled, change, kind }) =>
      kind === 'data' || demangled.includes('{') || isFurther(name) || (change === 'added' && gone.has(lookOf(name))),
  );
}

/** Is it, or does it mention, the second or a later thing of its name? The first one has no number that could change. */
function isFurther(name: string): boolean {
  return /#[1-9]/.test(spellV0(name) ?? '');
}

/** Still of the same storage and, for data, size, and no reference must be bound anew. */
function isInPlace({ kind, before, after, rebind }: DiffItem): boolean {
  const [old] = before;
  return (
    old !== undefined &&
    !rebind &&
    after.every(
      ({ atom, symbol }) =>
        storageOf(atom) === storageOf(old.atom) && (kind === 'function' || symbol.size === old.symbol.size),
    )
  );
}

/** Has one of several closures of one function become what another one was? Then their numbers may have changed places. */
function changedPlaces(functions: readonly DiffItem[]): boolean {
  const families = new Map<string, DiffItem[]>();
  for (const item of functions) {
    if (!item.demangled.includes('{')) continue;
    const look = lookOf(item.name);
    families.set(look, [...(families.get(look) ?? []), item]);
  }
  const contents = contentsOf(lookOf);
  const keyOf = ([copy]: readonly AtomRef[]): string => (copy === undefined ? '' : contents.of(copy).key);
  return [...families.values()].some((members) => {
    if (members.length < 2) return false;
    const keys = members.map(({ before, after }) => [keyOf(before), keyOf(after)] as const);
    const old = new Set(keys.map(([was]) => was));
    return keys.some(([was, is]) => was !== is && old.has(is));
  });
}

/**
 * Is one of several statics of one name concerned, or a function that has such? How they are used tells them apart, which
 * may change while they do not.
 */
export function sharesStatics(changed: readonly DiffItem[], after: readonly LinkObject[]): boolean {
  const families = new Map<string, Set<string>>();
  for (const object of after) {
    for (const { kind, name } of object.file.symbols) {
      if ((kind !== 'data' && kind !== 'tls') || !(name.startsWith('_R') || name.startsWith('_ZN'))) continue;
      const look = lookOf(name);
      families.set(look, (families.get(look) ?? new Set()).add(name));
    }
  }
  const shared = [...families].flatMap(([look, names]) => (names.size > 1 ? [look] : []));
  if (shared.length === 0) return false;
  const looks = new Set(changed.map(({ name }) => lookOf(name)));
  return shared.some((look) => looks.has(look) || placesAround(look).some((place) => looks.has(place)));
}

/** `a`, `a::b` and `a::b::c` for `a::b::c::D`. */
function placesAround(look: string): readonly string[] {
  const places: string[] = [];
  for (let end = look.lastIndexOf('::'); end > 0; end = look.lastIndexOf('::', end - 1))
    places.push(look.slice(0, end));
  return places;
}
