// Is there anything in an edit that names could be wrong about? Mostly not: then names stand, and nothing more is read.
import type { LinkObject } from '../../link/graph.js';
import { demangle } from '../../formats/symbols/demangle.js';
import type { DiffItem, ObjectDiff } from '../diff/diff.js';

/** Items whose name holds, or hides, a number that is given by position. */
const NUMBERED = /\{(?:\{)?(?:closure|impl|shim|vtable|constant)|NC|[a-z]s[0-9A-Za-z]*_/;

/**
 * True when the objects differ in something that is numbered by position (closures, coroutines, what lies inside of
 * functions), in what came or went under one readable name, or where a name does not say of what type the item is.
 */
export function needsIdentity(diff: ObjectDiff, before: readonly LinkObject[], after: readonly LinkObject[]): boolean {
  if (before.length === 0 || after.length === 0) return false;
  const gone = new Set<string>();
  const changedData = new Set<string>();
  for (const item of diff.items) {
    if (item.change === 'removed') gone.add(item.demangled);
    if (item.kind === 'data') changedData.add(item.demangled);
  }
  return diff.items.some((item) => isSuspect(item, gone)) || (changedData.size > 0 && areShared(changedData, after));
}

function isSuspect(item: DiffItem, gone: ReadonlySet<string>): boolean {
  // A name of the newer kind does not hold the types of a function or static.
  if (item.name.startsWith('_R')) return true;
  if (!item.name.startsWith('_ZN')) return false;
  if (item.demangled.includes('{closure}') || NUMBERED.test(item.demangled)) return true;
  return (
    (item.change === 'added' && gone.has(item.demangled)) || (item.kind === 'data' && item.change !== 'initialiser')
  );
}

/** Does any object hold several items of one of these readable names, as functions do that each have such a static? */
function areShared(names: ReadonlySet<string>, objects: readonly LinkObject[]): boolean {
  const seen = new Map<string, string>();
  for (const object of objects) {
    for (const symbol of object.file.symbols) {
      if (symbol.kind !== 'data' && symbol.kind !== 'tls') continue;
      const name = demangle(symbol.name);
      if (!names.has(name)) continue;
      if ((seen.get(name) ?? symbol.name) !== symbol.name) return true;
      seen.set(name, symbol.name);
    }
  }
  return false;
}
