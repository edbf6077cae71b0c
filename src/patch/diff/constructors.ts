// What differs outside of named items: the lists of functions that run at the start, and sections that programs walk
// from a start to a stop symbol (as linkme's slices). Only found here; what to do about them is for the planner.
import type { Atom, Edge, LinkObject } from '../../link/graph.js';
import { isWalkedSection } from '../../link/names.js';
import type { AtomRef } from './items.js';

/** One entry of a list of constructors that came or went. */
export interface ConstructorChange {
  /** The function's name; the name of the atom around it when it has none. */
  readonly name: string;
  readonly change: 'added' | 'removed';
  /** The list's atom and the word in it. */
  readonly atom: Atom;
  readonly edge: Edge;
}

/** What of a changed item says where it lies; diff.ts has the whole of it. */
interface Lying {
  readonly kind: 'function' | 'data';
  readonly before: readonly AtomRef[];
  readonly after: readonly AtomRef[];
}

/** One named entry of a start-stop section that came, went, or has another content. */
export interface Registration<Item> {
  readonly section: string;
  readonly item: Item;
}

/** Entries by function name: those that one side has more of than the other. */
export function compareConstructors(
  before: readonly LinkObject[],
  after: readonly LinkObject[],
): readonly ConstructorChange[] {
  const old = entriesOf(before);
  const now = entriesOf(after);
  const changes: ConstructorChange[] = [];
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const gone = old.get(name) ?? [];
    const come = now.get(name) ?? [];
    for (const entry of come.slice(gone.length)) changes.push({ name, change: 'added', ...entry });
    for (const entry of gone.slice(come.length)) changes.push({ name, change: 'removed', ...entry });
  }
  return changes;
}

interface Entry {
  readonly atom: Atom;
  readonly edge: Edge;
}

function entriesOf(objects: readonly LinkObject[]): ReadonlyMap<string, readonly Entry[]> {
  const entries = new Map<string, Entry[]>();
  for (const object of objects) {
    for (const section of object.file.sections) {
      if (section.kind !== 'init') continue;
      const atom = object.atom(section.index);
      if (atom === null) continue;
      for (const edge of atom.edges) {
        const name = edge.target.name ?? edge.target.atom?.name ?? '';
        const list = entries.get(name);
        if (list === undefined) entries.set(name, [{ atom, edge }]);
        else list.push({ atom, edge });
      }
    }
  }
  return entries;
}

/** The changed items that lie in sections that somebody walks. */
export function compareRegistrations<Item extends Lying>(items: readonly Item[]): readonly Registration<Item>[] {
  return items.flatMap((item) => {
    const section = (item.after[0] ?? item.before[0])?.atom.sectionName ?? '';
    return item.kind === 'data' && isWalkedSection(section) ? [{ section, item }] : [];
  });
}
