// Which functions and data differ between two sets of objects. Only those objects that changed need be given; items
// are compared by name over all of them, as rustc moves them from object to object. What "the same" means is decided in
// same.ts, why an item differs is said in because.ts; what is done about it is for the planner.
import { demangle } from '../../formats/symbols/demangle.js';
import type { LinkObject } from '../../link/graph.js';
import { reasonsFor, usesChanged } from './because.js';
import { compareConstructors, compareRegistrations } from './constructors.js';
import type { ConstructorChange, Registration } from './constructors.js';
import { comingBack, NONE_DEPARTED, type Departed } from './departed.js';
import type { ChangedItem } from '../engine.js';
import { openSide, storageOf } from './items.js';
import type { AtomRef, DiffItem, Side } from './items.js';
import { findReferrers } from './referrers.js';
import type { Referrer } from './referrers.js';
import { compareSides } from './same.js';
import type { Comparison } from './same.js';

/** What differs, in an order that does not depend on the order of the objects. */
export interface ObjectDiff {
  /** By name. */
  readonly items: readonly DiffItem[];
  /** Functions that were put on, or taken off, the list of what runs at the start. */
  readonly constructors: readonly ConstructorChange[];
  /** Entries that came into or left sections that programs walk from start to stop symbol. */
  readonly registrations: readonly Registration<DiffItem>[];
  /** Names that earlier objects held, not those of before, and that are as they were then: no items. */
  readonly back: ReadonlySet<string>;
}

/**
 * Compares the objects that changed. `unchanged` gives the others of the program's own; it is only called when data
 * must be bound anew, to find who in them refers to it. An item in several objects is unchanged when each of its copies
 * equals one of before. An item is `added` or `removed` as far as these objects go: one that other, unchanged objects
 * hold too is for the caller to recognise.
 * @param departed what the program has and the objects of before do not
 * @throws IpbpError IPBP1001, IPBP1002 or IPBP2001 where an object's parts, read at first use, are broken.
 */
export function diffObjects(
  before: readonly LinkObject[],
  after: readonly LinkObject[],
  unchanged: () => readonly LinkObject[] = () => [],
  departed: Departed = NONE_DEPARTED,
): ObjectDiff {
  const from = openSide(before);
  const to = openSide(after);
  const comparison = compareSides(from, to);
  const isBack = comingBack(departed, from, to);
  const back = new Set([...to.items.keys()].filter((name) => !from.items.has(name) && isBack(name)));
  const names = [...new Set([...from.items.keys(), ...to.items.keys()])].filter((name) => !back.has(name)).sort();
  const differing = names.flatMap((name) => {
    const item = compareItem(comparison, from, to, name);
    return item === null ? [] : [item];
  });
  const items = [...differing, ...referringItems(differing, from, after, unchanged)].sort(byName);
  return {
    items,
    constructors: compareConstructors(before, after),
    registrations: compareRegistrations(items),
    back,
  };
}

/** Names are compared by code unit: the same order everywhere. */
function byName(a: DiffItem, b: DiffItem): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Items that are the same themselves but must bind to the new copy of something. */
function referringItems(
  items: readonly DiffItem[],
  from: Side,
  after: readonly LinkObject[],
  unchanged: () => readonly LinkObject[],
): readonly DiffItem[] {
  const names = items.filter((item) => item.rebind).map((item) => item.name);
  if (names.length === 0) return [];
  const listed = new Set(items.map((item) => item.name));
  const found = new Map<string, Referrer[]>();
  for (const referrer of findReferrers([...after, ...unchanged()], names)) {
    const { name } = referrer.item.symbol;
    if (!listed.has(name)) found.set(name, [...(found.get(name) ?? []), referrer]);
  }
  const changed = new Set(after);
  return [...found].flatMap(([name, referrers]) => {
    const copies = referrers.map((referrer) => referrer.item);
    const [first] = copies;
    if (first === undefined) return [];
    const old = [...copies.filter((copy) => !changed.has(copy.atom.object)), ...(from.items.get(name) ?? [])];
    const via = [...new Set(referrers.map((referrer) => referrer.via))].sort();
    const because = via.map((used) => usesChanged(demangle(used)));
    return [makeItem(first, changeOf(first), old, copies, first.atom.kind !== 'code', because)];
  });
}

function compareItem(comparison: Comparison, from: Side, to: Side, name: string): DiffItem | null {
  const before = from.items.get(name) ?? [];
  const after = to.items.get(name) ?? [];
  const [firstBefore] = before;
  const [firstAfter] = after;
  if (firstAfter === undefined) {
    return firstBefore === undefined ? null : makeItem(firstBefore, 'removed', before, after, false, ['it is gone']);
  }
  if (firstBefore === undefined) return makeItem(firstAfter, 'added', before, after, false, ['it is new']);
  const changed = after.find((copy) => !hasEqual(comparison, before, copy));
  if (changed === undefined) return null;
  const old = before.find((copy) => copy.atom.object.name === changed.atom.object.name) ?? firstBefore;
  const because = reasonsFor(comparison, old, changed, demangle);
  // The copy that changed comes first: it is the one that a patch takes.
  const copies = [changed, ...after.filter((copy) => copy !== changed)];
  return makeItem(changed, changeOf(changed), before, copies, !comparison.sameMeaning(name), because);
}

/** Is one of the old copies equal? Mostly that of the same object is, which is asked first: there may be hundreds. */
function hasEqual(comparison: Comparison, before: readonly AtomRef[], copy: AtomRef): boolean {
  const { name } = copy.atom.object;
  const own = before.find((old) => old.atom.object.name === name);
  if (own !== undefined && comparison.sameItem(own, copy)) return true;
  return before.some((old) => old !== own && comparison.sameItem(old, copy));
}

function changeOf(item: AtomRef): 'body' | 'initialiser' {
  return item.atom.kind === 'code' ? 'body' : 'initialiser';
}

/** `shown` is the copy that says what the item is. */
function makeItem(
  shown: AtomRef,
  change: DiffItem['change'],
  before: readonly AtomRef[],
  after: readonly AtomRef[],
  rebind: boolean,
  because: readonly string[],
): DiffItem {
  const { atom, symbol } = shown;
  return {
    name: symbol.name,
    demangled: demangle(symbol.name),
    kind: atom.kind === 'code' ? 'function' : 'data',
    storage: storageOf(atom) ?? 'readonly',
    change,
    rebind,
    before,
    after,
    objects: [...new Set([...before, ...after].map((copy) => copy.atom.object.name))].sort(),
    because,
  };
}

/** As the engine reports it. */
export function toChangedItem(item: DiffItem): ChangedItem {
  return {
    name: item.demangled,
    mangled: item.name,
    kind: item.kind,
    change: item.change,
    objects: item.objects,
    because: item.because,
  };
}
