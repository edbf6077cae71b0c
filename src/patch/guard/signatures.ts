// Types of functions, as the objects of one side describe them: for functions that are called by their place in a
// vtable, where no name tells that the caller means another type.
import type { LinkObject } from '../../link/graph.js';
import { typesOf } from './described.js';
import { typeNames } from './type-names.js';

/** Mangled name → `fn(&app::Square, u32) -> u32`. Functions that no object describes are left out. */
export function functionTypes(
  objects: readonly LinkObject[],
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (wanted.size === 0) return found;
  for (const object of objects) {
    const table = typesOf(object.file);
    const signatures = table?.all.filter(({ linkageName }) => wanted.has(linkageName)) ?? [];
    if (table === null || signatures.length === 0) continue;
    const { nameOf } = typeNames(table, object.name);
    for (const { linkageName, parameters, returns } of signatures) {
      const result = returns === null ? '' : ` -> ${nameOf(returns)}`;
      found.set(linkageName, `fn(${parameters.map(nameOf).join(', ')})${result}`);
    }
  }
  return found;
}
