// Types that go on under another path: moved to another module, or renamed. Their values stay what they are, so that
// whoever holds them by the new path holds the same.
import type { Layout, Layouts } from './layouts.js';

/** An old type's name, as the types of now are called. Gives names that did not change back as they are. */
export type Renaming = (name: string) => string;

/** Paths in a name: the pieces between brackets, commas and the like. */
const PATH = /[\w{}#]+(?:::[\w{}#]+)*/g;

/**
 * Pairs paths that went with paths that came, one to one, where their values lie alike.
 * @param alike whether values of the one are valid as the other, if references are renamed like this
 */
export function renamingOf(
  old: Layouts,
  now: Layouts,
  alike: (from: Layout, to: Layout, rename: Renaming) => boolean,
): Renaming {
  const pairs = candidates(onlyIn(old, now), onlyIn(now, old));
  if (pairs.size === 0) return (name) => name;
  const paths = new Map([...pairs].map(([from, to]) => [from.path, to.path]));
  const rename: Renaming = (name) => name.replace(PATH, (path) => paths.get(path) ?? path);
  // One that does not lie alike takes those along that hold it.
  for (let before = -1; before !== paths.size;) {
    before = paths.size;
    for (const [from, to] of pairs) if (paths.has(from.path) && !alike(from, to, rename)) paths.delete(from.path);
  }
  return rename;
}

/** Types that one side alone knows by their path. Instances of generic types follow from what they are instances of. */
function onlyIn(side: Layouts, other: Layouts): Layout[] {
  return [...side.byPath].flatMap(([path, layouts]) => {
    const [layout] = layouts;
    return layout === undefined || layouts.length > 1 || other.byPath.has(path) || /[<>({]/.test(path) ? [] : [layout];
  });
}

/** Those that kept their last name or their module; ambiguous ones are none. */
function candidates(went: readonly Layout[], came: readonly Layout[]): ReadonlyMap<Layout, Layout> {
  const pairs = new Map<Layout, Layout>();
  const pairUp = (fits: (from: Layout, to: Layout) => boolean): void => {
    const free = went.filter((from) => !pairs.has(from));
    const taken = new Set(pairs.values());
    const open = came.filter((to) => !taken.has(to));
    for (const from of free) {
      const [to, ...others] = open.filter((one) => fits(from, one));
      if (to === undefined || others.length > 0 || free.filter((one) => fits(one, to)).length > 1) continue;
      pairs.set(from, to);
    }
  };
  pairUp((from, to) => lastName(from) === lastName(to));
  pairUp(
    (from, to) => moduleOf(from) === moduleOf(to) && fieldNames(from) !== '' && fieldNames(from) === fieldNames(to),
  );
  return pairs;
}

function lastName({ path }: Layout): string {
  return path.slice(path.lastIndexOf('::') + 2);
}

function moduleOf({ path }: Layout): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('::')));
}

function fieldNames({ parts }: Layout): string {
  const { fields, cases } = parts();
  return [...fields.map(({ name }) => name), ...cases.map(({ name }) => name)].join();
}
