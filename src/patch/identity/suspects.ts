// Is there anything in an edit that names could be wrong about? Mostly not: then names stand, and nothing more is read.
import type { LinkObject } from '../../link/graph.js';
import type { ObjectDiff } from '../diff/diff.js';
import type { DiffItem } from '../diff/items.js';
import { namesStand, sharesStatics, staticFamilies } from './names-stand.js';

/**
 * True when the objects differ in something that is numbered by position (closures, coroutines, what lies inside of
 * functions), in what came or went under one readable name, or where a name does not say of what type the item is, and
 * it is not plain that all of it is where it was (see names-stand.ts).
 */
export function needsIdentity(diff: ObjectDiff, before: readonly LinkObject[], after: readonly LinkObject[]): boolean {
  if (before.length === 0 || after.length === 0 || diff.items.length === 0) return false;
  const gone = new Set<string>();
  for (const item of diff.items) if (item.change === 'removed') gone.add(item.demangled);
  const suspect = diff.items.some((item) => isSuspect(item, gone)) || sharesStatics(diff.items, staticFamilies(after));
  return suspect && !namesStand(diff, before, after);
}

function isSuspect(item: DiffItem, gone: ReadonlySet<string>): boolean {
  // A name of the newer kind does not hold the types of a function or static.
  if (item.name.startsWith('_R')) return true;
  if (!item.name.startsWith('_ZN')) return false;
  if (item.demangled.includes('{')) return true;
  return (
    (item.change === 'added' && gone.has(item.demangled)) || (item.kind === 'data' && item.change !== 'initialiser')
  );
}
