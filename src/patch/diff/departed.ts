// What the newest objects no longer hold although the program still has it: compilers leave out what nobody calls any
// more, and a later edit may call it again. What comes back as it went is no change. Remembers copies and compares; what
// a program is, is not known here.
import { isStableName } from '../../link/names.js';
import { rangeOf, targetsIn, type AtomRef, type DiffItem, type Range, type Side } from './items.js';
import { refersTo } from './referrers.js';
import { compareSides, type Comparison } from './same.js';

/** The last copies of items that went, by name, in the objects that held them. */
export type Departed = ReadonlyMap<string, readonly AtomRef[]>;

export const NONE_DEPARTED: Departed = new Map();

/**
 * After a change went live.
 * @param items what differed
 * @param back what came back as it went
 * @param moved what has another place now, so that an old reference to it means something else
 * @param isKnown does the program have it?
 */
export function withDeparted(
  departed: Departed,
  items: readonly DiffItem[],
  back: ReadonlySet<string>,
  moved: ReadonlySet<string>,
  isKnown: (name: string) => boolean,
): Departed {
  const here = new Set([...back, ...items.map(({ name }) => name)]);
  const result = new Map([...departed].filter(([name]) => !here.has(name)));
  for (const { name, change, before } of items) {
    if (change === 'removed' && before.every(isComplete) && isKnown(name)) result.set(name, before);
  }
  // What the program still has goes on reading the old copy of these: what comes back is to read the new one.
  const rebound = new Set(moved);
  for (const { name, storage, change, rebind } of items) {
    if (rebind || (storage === 'readonly' && change !== 'removed')) rebound.add(name);
  }
  if (rebound.size === 0) return result;
  return new Map([...result].filter(([, copies]) => !copies.some((copy) => refersTo(copy, rebound))));
}

/** Is all that it refers to at hand? What a compiler named for other objects may mean another thing there later. */
function isComplete(item: AtomRef): boolean {
  const seen = new Set<Range['atom']>();
  const holds = (range: Range): boolean =>
    targetsIn(range).every(({ atom, name }) => {
      if (name !== null) return atom !== null || isStableName(name);
      if (atom === null || seen.has(atom)) return true;
      seen.add(atom);
      return holds({ atom, start: 0, end: atom.size });
    });
  return holds(rangeOf(item));
}

/** Which names of `to`, that `from` does not have, are back as they went? */
export function comingBack(departed: Departed, from: Side, to: Side): (name: string) => boolean {
  let comparison: Comparison | null = null;
  return (name) => {
    const [gone, now] = [departed.get(name), to.items.get(name)];
    if (gone === undefined || now === undefined) return false;
    comparison ??= compareSides(
      { objects: from.objects, items: new Map([...departed, ...from.items]), anonymous: () => null },
      to,
    );
    const { sameItem } = comparison;
    return now.every((copy) => gone.some((old) => sameItem(old, copy)));
  };
}
