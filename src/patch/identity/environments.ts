// What closures and coroutines hold: their environments, as debug information lays them out. Two of them are one only if
// what they hold lies in the same places.
import type { LinkObject } from '../../link/graph.js';
import { layoutsByPath, type Layout } from '../guard/layouts.js';
import { countsClosures, partsOf, withoutNumbers, type Rewrite } from './numbered.js';
import type { SpelledItem } from './spelling.js';

/** Path → layouts as text; empty where nothing is said. */
export type EnvironmentLook = ReadonlyMap<string, ReadonlySet<string>>;

/** May two be one? Instances that only one side has say nothing. */
export function looksAlike(one: EnvironmentLook, other: EnvironmentLook): boolean {
  return [...other].every(([path, texts]) => {
    const known = one.get(path);
    return known === undefined || [...texts].some((text) => known.has(text));
  });
}

/** The environments that one side describes. */
export interface Environments {
  /** Layouts of one closure, of each of its instances, without numbers given by position. */
  lookOf(members: readonly SpelledItem[], group: string, number: number): EnvironmentLook;
  /** Layouts of one closure, by path. */
  layoutsOf(members: readonly SpelledItem[], group: string, number: number): readonly Layout[];
  /** All layouts of this side: of everything, read when asked for. */
  all(): readonly Layout[];
}

/** @throws IpbpError IPBP1001 or IPBP1002 when an object's type descriptions are broken */
export function readEnvironments(objects: readonly LinkObject[]): Environments {
  const byPath = layoutsByPath(objects, (path) => path.includes('_env#'));
  const byNumber = new Map<string, Layout[]>();
  for (const [path, layouts] of byPath) {
    const last = partsOf(path).findLast(({ own, group }) => own && countsClosures(group));
    if (last === undefined) continue;
    const key = `${last.group}${last.number}`;
    const known = byNumber.get(key);
    if (known === undefined) byNumber.set(key, [...layouts]);
    else known.push(...layouts);
  }
  const layoutsOf = (members: readonly SpelledItem[], group: string, number: number): readonly Layout[] => {
    const direct = byNumber.get(`${group}${number}`);
    if (direct !== undefined) return direct;
    // Where the symbol's name says it in another way than the type's: the function's path leads from one to the other.
    for (const { text, path } of members) {
      const depth = partsOf(text).filter(({ own, group: of }) => own && countsClosures(of));
      const at = depth.findIndex((part) => part.group === group && part.number === number);
      const part = partsOf(path ?? '').filter(({ own, group: of }) => own && countsClosures(of))[at];
      const found = part === undefined || at < 0 ? undefined : byNumber.get(`${part.group}${part.number}`);
      if (found !== undefined) return found;
    }
    return [];
  };
  return {
    lookOf(members, group, number) {
      const look = new Map<string, Set<string>>();
      for (const { path, text } of layoutsOf(members, group, number)) {
        const key = withoutNumbers(path);
        look.set(key, (look.get(key) ?? new Set()).add(withoutNumbers(text)));
      }
      return look;
    },
    layoutsOf,
    all: () => [...layoutsByPath(objects).values()].flat(),
  };
}

/** Do two closures hold the same in the same places, when the numbers in the names of what they hold are the old ones? */
export function sameEnvironment(before: readonly Layout[], after: readonly Layout[], of: Rewrite): boolean {
  if (before.length === 0 || after.length === 0) return true;
  const old = new Map<string, Set<string>>();
  for (const { path, text } of before) old.set(path, (old.get(path) ?? new Set()).add(text));
  const now = new Map<string, string[]>();
  for (const { path, text } of after) {
    const known = of(path).text;
    now.set(known, [...(now.get(known) ?? []), of(text).text]);
  }
  return [...now].every(([path, texts]) => {
    const known = old.get(path);
    return known === undefined || texts.some((text) => known.has(text));
  });
}
