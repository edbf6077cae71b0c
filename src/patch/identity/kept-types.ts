// Do the functions and statics that an edit changed still take, give and hold what they did, and do closures hold what they
// held? Asked of the debug information of objects that are there before and after under one name; mostly all of an
// object's types are the same, which is quickly seen. Where anything is not, or not sure, the answer is no.
import type { LinkObject } from '../../link/graph.js';
import type { DiffItem } from '../diff/items.js';
import { sameTypesOf, typesOf, type Described } from '../guard/described.js';
import { layoutTexts } from '../guard/layouts.js';
import { typeNames } from '../guard/type-names.js';

/** What came out for the functions of one object: those that are the same, and those of one side alone. */
interface Compared {
  readonly same: ReadonlySet<string>;
  readonly alone: ReadonlySet<string>;
}

/** @throws IpbpError IPBP1001 or IPBP1002 where debug information is broken */
export function keepTheirTypes(
  changed: readonly DiffItem[],
  before: readonly LinkObject[],
  after: readonly LinkObject[],
): boolean {
  const old = new Map(before.map((object) => [object.name, object]));
  if (old.size !== before.length || before.length !== after.length) return false;
  const functions = new Set(
    changed.flatMap(({ kind, after: copies }) =>
      kind === 'function' ? copies.map(({ symbol }) => symbol.rawName) : [],
    ),
  );
  const seen = new Set<string>();
  const alone = new Set<string>();
  for (const object of after) {
    const twin = old.get(object.name);
    const compared = twin === undefined ? null : compare(twin, object, functions);
    if (compared === null) return false;
    for (const name of compared.same) seen.add(name);
    for (const name of compared.alone) alone.add(name);
  }
  // Went from one object to another: they are not held against each other here.
  return [...alone].every((name) => seen.has(name));
}

/** Null where something differs. */
function compare(before: LinkObject, after: LinkObject, functions: ReadonlySet<string>): Compared | null {
  const same = sameTypesOf(before.file, after.file);
  if (same !== null) {
    const found = same.compareSignatures(functions);
    return found.changed.size > 0 ? null : found;
  }
  const [old, now] = [typesOf(before.file), typesOf(after.file)];
  if (old === null || now === null) return old === now ? { same: new Set(), alone: new Set() } : null;
  if (old.types.size === 0 || now.types.size === 0) {
    return old.types.size === now.types.size ? { same: new Set(), alone: new Set() } : null;
  }
  const [from, to] = [says(old, before.name, functions), says(now, after.name, functions)];
  if (!equalMaps(from.environments, to.environments)) return null;
  for (const [name, type] of to.statics) if ((from.statics.get(name) ?? type) !== type) return null;
  const kept = new Set<string>();
  for (const [name, type] of to.signatures) {
    const was = from.signatures.get(name);
    if (was === undefined) continue;
    if (was !== type) return null;
    kept.add(name);
  }
  const all = [...from.signatures.keys(), ...to.signatures.keys()];
  return { same: kept, alone: new Set(all.filter((name) => !kept.has(name))) };
}

/** What one object says, as text. */
interface Says {
  readonly signatures: ReadonlyMap<string, string>;
  readonly statics: ReadonlyMap<string, string>;
  /** Layouts of what closures and coroutines hold. */
  readonly environments: ReadonlyMap<string, string>;
}

function says(table: Described, object: string, functions: ReadonlySet<string>): Says {
  const { nameOf } = typeNames(table, object);
  const signatures = new Map<string, string>();
  for (const { linkageName, parameters, returns } of table.all) {
    if (functions.has(linkageName)) signatures.set(linkageName, `(${parameters.map(nameOf).join()})${nameOf(returns)}`);
  }
  const statics = new Map(table.statics.map(({ linkageName, type }) => [linkageName, nameOf(type)]));
  const environments = layoutTexts(table, object, (path) => path.includes('_env#'));
  return { signatures, statics, environments };
}

function equalMaps(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
