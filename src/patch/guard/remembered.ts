// Layouts that values of the running program may have although its newest objects do not describe them: of types that
// a patch took out of the sources, and of types that changed while no live code used them. A later patch may bring such
// a type back.
import type { Layout, Layouts } from './layouts.js';

/** One layout of earlier. */
export interface RememberedLayout {
  readonly layout: Layout;
  /** The objects that count as live describe this type differently by now: whoever uses it must be refused. */
  readonly stale: boolean;
}

/** What a program's history left behind, by path. */
export type LayoutMemory = ReadonlyMap<string, readonly RememberedLayout[]>;

export const NO_MEMORY: LayoutMemory = new Map();

/** Closures and coroutines are numbered, not named: what comes back under a number is another one. */
const NUMBERED = /_env#\d+\}/;

/** What the old objects describe and the new ones do not. */
export function layoutsThatWent(old: Layouts, now: Layouts, changed: ReadonlySet<string>): RememberedLayout[] {
  return [...old.byPath].flatMap(([path, layouts]) => {
    if (NUMBERED.test(path)) return [];
    const left = now.byPath.get(path) ?? [];
    const went = layouts.filter(({ text }) => !left.some((layout) => layout.text === text));
    return went.map((layout) => {
      // Made now: what describes the type is not kept for this.
      const parts = layout.parts();
      return { layout: { ...layout, parts: () => parts }, stale: changed.has(path) };
    });
  });
}

/** Adds to a memory; what it knows already is kept once. */
export function withLayouts(memory: LayoutMemory, added: readonly RememberedLayout[]): LayoutMemory {
  if (added.length === 0) return memory;
  const all = new Map(memory);
  for (const one of added) {
    const known = all.get(one.layout.path) ?? [];
    if (known.some(({ layout, stale }) => layout.text === one.layout.text && stale === one.stale)) continue;
    all.set(one.layout.path, [...known, one]);
  }
  return all;
}
