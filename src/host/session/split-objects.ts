// Sorts the objects of a program's crates into those that differ from what it runs and those that do not, as files for
// the engine. Finding out which differ is incremental.ts.
import type { InputFile } from '../../patch/engine.js';
import { debugFileName, type ObjectSet, type SetDifference } from '../cargo/incremental.js';
import type { UnitGraph } from '../cargo/capture-store.js';
import type { ClosedObject } from '../compile/replay-watch.js';
import { objectFile } from './kept-files.js';
import type { LiveObjects } from './session-store.js';

/** What a warm-up compares at the most. */
const WARM_UP_OBJECTS = 4;
const WARM_UP_BYTES = 512 * 1024;

/** Objects that differ, before and after, and those that do not. */
export interface SplitObjects {
  readonly before: readonly InputFile[];
  readonly after: readonly InputFile[];
  readonly others: readonly InputFile[];
}

/** The newest objects, and how they differ from those that run, by unit key. */
export interface NewestObjects {
  readonly newest: LiveObjects;
  readonly differences: ReadonlyMap<string, SetDifference>;
}

/** Units whose code is in a shared library out of a patch's reach, with that library. */
type Shared = UnitGraph['shared'];

/** Messages call an object `<unit key>/<codegen unit>.o`. */
export function objectId(key: string, name: string): string {
  return `${key}/${name}`;
}

/** Objects that differ, before and after, and those that do not. */
export function splitObjects(
  current: LiveObjects,
  { newest, differences }: NewestObjects,
  shared: Shared,
): SplitObjects {
  const before: SplitObjects['before'][number][] = [];
  const after: SplitObjects['after'][number][] = [];
  const others: SplitObjects['others'][number][] = [];
  for (const [key, now] of newest) {
    if (shared.has(key)) continue;
    const was = current.get(key) ?? new Map();
    const { changed, removed } = differences.get(key) ?? { changed: [], removed: [] };
    const differing = new Set(changed);
    const file = (set: ObjectSet, name: string): SplitObjects['before'][number][] => {
      const object = set.get(name);
      return object === undefined ? [] : [objectFile(objectId(key, name), object)];
    };
    for (const name of [...changed, ...removed]) before.push(...file(was, name));
    for (const name of changed) after.push(...file(now, name));
    for (const name of now.keys()) if (!differing.has(name)) others.push(...file(now, name));
  }
  return { before, after, others };
}

/** The same for objects of which only bytes are known yet. In the order in which a scan would give them. */
export function splitStaged(
  current: LiveObjects,
  staged: ReadonlyMap<string, ClosedObject>,
  shared: Shared,
): SplitObjects {
  const before: SplitObjects['before'][number][] = [];
  const after: SplitObjects['after'][number][] = [];
  const others: SplitObjects['others'][number][] = [];
  for (const [key, objects] of current) {
    if (shared.has(key)) continue;
    for (const [name, object] of objects) {
      const id = objectId(key, name);
      const closed = staged.get(id);
      (closed === undefined ? others : before).push(objectFile(id, object));
      if (closed !== undefined) after.push(closedFile(id, closed));
    }
  }
  return { before, after, others };
}

function closedFile(name: string, { bytes, debugBytes }: ClosedObject): InputFile {
  const object = { name, read: () => bytes };
  return debugBytes === null ? object : { ...object, debugFile: { name: debugFileName(name), read: () => debugBytes } };
}

/** What a scan found changed, by {@link objectId}, and whether objects are gone. */
export function changedPaths({ newest, differences }: NewestObjects): {
  readonly changed: ReadonlyMap<string, string>;
  readonly removed: boolean;
} {
  const changed = new Map<string, string>();
  let gone = false;
  for (const [key, difference] of differences) {
    gone ||= difference.removed.length > 0;
    for (const name of difference.changed) {
      const path = newest.get(key)?.get(name)?.path;
      if (path !== undefined) changed.set(objectId(key, name), path);
    }
  }
  return { changed, removed: gone };
}

/** The largest that are still quick to compare: they hold the most kinds of things. */
export function warmUpObjects(current: LiveObjects): readonly InputFile[] {
  return [...current]
    .flatMap(([key, set]) => [...set].map(([name, object]) => ({ id: objectId(key, name), object })))
    .filter(({ object }) => object.size <= WARM_UP_BYTES)
    .sort((a, b) => b.object.size - a.object.size)
    .slice(0, WARM_UP_OBJECTS)
    .map(({ id, object }) => objectFile(id, object));
}
