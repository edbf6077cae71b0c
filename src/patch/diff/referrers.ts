// Who refers to data that must be bound anew. Needed for the objects that did not change: their functions hold the
// address of the old copy of a read-only static whose content changed in another object.
import type { Atom, LinkObject } from '../../link/graph.js';
import type { AtomRef, Range } from './items.js';
import { isItem, rangeOf, storageOf, targetsIn } from './items.js';

/** An item that refers, itself or through anonymous data, to `via`. */
export interface Referrer {
  readonly item: AtomRef;
  /** The name whose new copy it must bind to. */
  readonly via: string;
}

/**
 * Finds the functions and read-only statics that refer to any of `names`, and, as a read-only static that does must
 * have a new copy too, those that refer to them in turn. Mutable statics and thread-locals keep their value: they are not
 * followed. Sorted by name, then by object.
 */
export function findReferrers(objects: readonly LinkObject[], names: Iterable<string>): readonly Referrer[] {
  const wanted = new Set(names);
  const found = new Map<string, Referrer[]>();
  const done = new Map<LinkObject, Set<AtomRef['symbol']>>();
  let size = -1;
  while (wanted.size !== size) {
    size = wanted.size;
    for (const object of objects) {
      if (!mentions(object, wanted)) continue;
      const known = done.get(object) ?? new Set<AtomRef['symbol']>();
      done.set(object, known);
      for (const item of itemsOf(object)) {
        if (known.has(item.symbol)) continue;
        const via = reach(item, wanted);
        if (via === null) continue;
        known.add(item.symbol);
        const list = found.get(item.symbol.name);
        if (list === undefined) found.set(item.symbol.name, [{ item, via }]);
        else list.push({ item, via });
        if (storageOf(item.atom) === 'readonly') wanted.add(item.symbol.name);
      }
    }
  }
  return [...found.keys()]
    .sort()
    .flatMap((name) =>
      (found.get(name) ?? []).sort((a, b) => (a.item.atom.object.name < b.item.atom.object.name ? -1 : 1)),
    );
}

/** False for nearly every object, at the cost of its symbol table. */
function mentions(object: LinkObject, names: ReadonlySet<string>): boolean {
  return object.file.symbols.some((symbol) => names.has(object.nameOf(symbol.name)));
}

function itemsOf(object: LinkObject): readonly AtomRef[] {
  return object.atoms().flatMap((atom) => {
    const storage = storageOf(atom);
    if (storage !== 'code' && storage !== 'readonly') return [];
    return atom.symbols.filter((symbol) => symbol.stable).map((symbol) => ({ atom, symbol }));
  });
}

/** Does an item refer, itself or through anonymous data, to any of these? */
export function refersTo(item: AtomRef, names: ReadonlySet<string>): boolean {
  return reach(item, names) !== null;
}

function reach(item: AtomRef, names: ReadonlySet<string>): string | null {
  const seen = new Set<Atom>();
  const search = (range: Range): string | null => {
    for (const target of targetsIn(range)) {
      if (isItem(target)) {
        if (target.name !== item.symbol.name && names.has(target.name as string)) return target.name;
      } else if (target.atom !== null && !target.label && !seen.has(target.atom)) {
        seen.add(target.atom);
        const found = search({ atom: target.atom, start: 0, end: target.atom.size });
        if (found !== null) return found;
      }
    }
    return null;
  };
  return search(rangeOf(item));
}
