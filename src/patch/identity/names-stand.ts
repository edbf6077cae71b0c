// The quick answer to whether names mean after an edit what they meant before it: most edits of something numbered change
// what is in it and nothing else. Says yes only where the closer look (groups.ts) would find every number at its place and
// every type as it was; it need not say yes wherever that is so. Cheapest questions first.
import { demangle, spellV0 } from '../../formats/symbols/demangle.js';
import type { LinkObject } from '../../link/graph.js';
import type { ObjectDiff } from '../diff/diff.js';
import type { DiffItem } from '../diff/items.js';
import { edgesIn, rangeOf, sameStateSize, storageOf, type AtomRef } from '../diff/items.js';
import { contentsOf, type Contents } from './content.js';
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
    staticsStand(diff.items, before, after) &&
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

/** Still of the same storage and, for data, size, and no reference must be bound anew but for a place in a source. */
function isInPlace({ kind, before, after, rebind }: DiffItem): boolean {
  const [old] = before;
  return (
    old !== undefined &&
    (!rebind || after.every((copy) => sameContent(contentsOf(lookOf), old, copy))) &&
    after.every(
      (copy) => storageOf(copy.atom) === storageOf(old.atom) && (kind === 'function' || sameStateSize(copy, old)),
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

/** Statics by how they look: those of one name in one function are a family. */
export type StaticFamilies = ReadonlyMap<string, ReadonlySet<string>>;

/** The mangled statics that objects define, by look. */
export function staticFamilies(objects: readonly LinkObject[]): StaticFamilies {
  const families = new Map<string, Set<string>>();
  for (const object of objects) {
    for (const { kind, name } of object.file.symbols) {
      if ((kind !== 'data' && kind !== 'tls') || !(name.startsWith('_R') || name.startsWith('_ZN'))) continue;
      const look = lookOf(name);
      families.set(look, (families.get(look) ?? new Set()).add(name));
    }
  }
  return families;
}

/**
 * Is one of several statics of one name concerned, or a function that has such? How they are used tells them apart, which
 * may change while they do not.
 */
export function sharesStatics(changed: readonly DiffItem[], families: StaticFamilies): boolean {
  return concerned(changed, families).length > 0;
}

/** The looks of the families of several that an edit concerns. */
function concerned(changed: readonly DiffItem[], families: StaticFamilies): readonly string[] {
  const shared = [...families].flatMap(([look, names]) => (names.size > 1 ? [look] : []));
  if (shared.length === 0) return shared;
  const looks = new Set(changed.map(({ name }) => lookOf(name)));
  return shared.filter((look) => looks.has(look) || placesAround(look).some((place) => looks.has(place)));
}

/**
 * Are all statics that share a name with others where they were? They are when as many are there under the same names, each
 * with its content, and the functions around them mention the same in one order: lines may have moved.
 */
function staticsStand(
  items: readonly DiffItem[],
  before: readonly LinkObject[],
  after: readonly LinkObject[],
): boolean {
  const now = staticFamilies(after);
  const looks = concerned(items, now);
  if (looks.length === 0) return true;
  const old = staticFamilies(before);
  const contents = contentsOf(lookOf);
  const around = new Set(looks.flatMap((look) => [look, ...placesAround(look)]));
  return (
    looks.every((look) => {
      const [was, is] = [old.get(look), now.get(look)];
      return was?.size === is?.size && [...(is ?? [])].every((name) => was?.has(name));
    }) &&
    items.every(({ name, before: [was], after: [is] }) => {
      if (!around.has(lookOf(name))) return true;
      return was !== undefined && is !== undefined && sameContent(contents, was, is);
    })
  );
}

/** The same but for lines and columns, and with references to the same items. */
function sameContent(contents: Contents, old: AtomRef, now: AtomRef): boolean {
  return contents.sameButPlaces(old, now) && mentioned(old).join() === mentioned(now).join();
}

/** What a function refers to, in order. */
function mentioned(item: AtomRef): readonly string[] {
  return edgesIn(rangeOf(item)).map(({ target }) => target.name ?? '');
}

/** `a`, `a::b` and `a::b::c` for `a::b::c::D`. */
function placesAround(look: string): readonly string[] {
  const places: string[] = [];
  for (let end = look.lastIndexOf('::'); end > 0; end = look.lastIndexOf('::', end - 1))
    places.push(look.slice(0, end));
  return places;
}
