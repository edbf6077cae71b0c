// Guards live values: compares the layouts of named types between the objects before and after, and says which of them
// values made before the patch would no longer be read right. Decides nothing about code.
//
// What counts as changed. Paths in type descriptions lack what tells crates of one name and anonymous blocks apart, so
// layouts are compared as sets per path: a type changed when on its path a new layout came up *and* an old one went.
// New types, removed types and a second type under an old path's name are fine; so are changed names of fields.
//
// Closures and coroutines are numbered by position, so one path can mean another closure after an edit. Their functions
// tell: the compiler puts the types of captures and arguments into a function's mangled name (legacy mangling does),
// and so into the name of every function that is generic over the closure. When the old name went or another came, old
// values keep the old code under the old name, and new values get new code. Only when one name stands on both sides and
// the environment has another layout would old values run new code: a coroutine that holds another local across an
// `.await`, or any closure under v0 mangling, whose names do not hold the captures.
import { isBindingText } from './binding-texts.js';
import type { DescribedVtable } from '../../formats/dwarf/type-table.js';
import { demangle } from '../../formats/symbols/demangle.js';
import type { LinkObject } from '../../link/graph.js';
import type { ChangedItem } from '../engine.js';
import { storageOf } from '../diff/items.js';
import { mayDescribeTheSame, sameTypesOf } from './described.js';
import { differencesOf, sameFields } from './layout-change.js';
import type { Layout, Layouts } from './layouts.js';
import { readLayouts } from './layouts.js';
import { renamingOf, type Renaming } from './moved-types.js';
import { layoutsThatWent, NO_MEMORY, type LayoutMemory, type RememberedLayout } from './remembered.js';
import { functionTypes } from './signatures.js';
import { AS_IT_IS, type PathOf } from './type-names.js';
import { changedTargets, movedSlots, readVtables } from './vtables.js';

/** A type, or a static, whose live values the new code would misread. */
export interface LayoutChange {
  /** Path of the type, or the static's demangled name. */
  readonly name: string;
  /** The type's path, or the static's mangled name. */
  readonly mangled: string;
  /** The first thing that differs, in words. */
  readonly message: string;
  /** What else differs and who holds it by value. */
  readonly because: readonly string[];
  /** Names of objects that describe it. */
  readonly objects: readonly string[];
}

/** What a comparison of layouts found. */
export interface LayoutVerdict {
  /** By name; those that change only because of another one that is listed are named there as its holders. */
  readonly changed: readonly LayoutChange[];
  /** Layouts that only earlier code knows from now on; see remembered.ts. */
  readonly went: readonly RememberedLayout[];
  /** False when the objects of a side do not describe their types: nothing is known then. */
  readonly checked: boolean;
  /** Why descriptions that there should be are not to be had; null where objects were compiled without. */
  readonly missing: string | null;
}

const UNCHANGED: LayoutVerdict = { changed: [], went: [], checked: true, missing: null };

/** Further differences and holders named per change. */
const MOST_REASONS = 6;

/**
 * Compares the layouts that the changed objects describe. `pathOf` gives the old names of types that are numbered by
 * position, and names of their own to those that are new (see identity/).
 * @param memory layouts that values may have from before the objects given
 * @throws IpbpError IPBP1001 or IPBP1002 when an object's type descriptions are broken.
 */
export function compareLayouts(
  before: readonly LinkObject[],
  after: readonly LinkObject[],
  memory: LayoutMemory = NO_MEMORY,
  pathOf: PathOf = AS_IT_IS,
): LayoutVerdict {
  if (before.length === 0 || after.length === 0) return UNCHANGED;
  const stale = [...memory.values()].some((layouts) => layouts.some((one) => one.stale));
  if (!stale && describeTheSame(before, after)) return UNCHANGED;
  const old = readLayouts(before);
  const now = readLayouts(after, pathOf);
  if (!old.described || !now.described)
    return { changed: [], went: [], checked: false, missing: old.missing ?? now.missing };
  const rename = renamingOf(old, now, (from, to, names) => differencesOf(from, to, names).length === 0);
  const dangerous = changedTypes(old, now, rename, memory).filter(
    ({ to }) => !isAnotherEnvironment(to.path, old, now) && !isBindingText(to.path),
  );
  const refused = new Map(dangerous.map((change) => [change.to.path, change]));
  const holdings = holdingsOf(refused.size === 0 ? [] : [...now.byPath.values()].flat());
  const tables = dangerous.filter(({ to }) => to.path.endsWith(VTABLE));
  const roots = dangerous.filter(
    (change) =>
      !tables.includes(change) &&
      !followsFrom(change, refused, holdings.held) &&
      !(tables.length > 0 && isObjectPointer(change.to)),
  );
  const types = roots.map(({ from, to, differences }): LayoutChange => {
    const [message = 'it differs', ...more] = differences;
    const because = [...more, ...holdersOf(to.path, holdings.holders)].slice(0, MOST_REASONS);
    const objects = [...new Set([from.object, to.object])].sort();
    return { name: to.path, mangled: to.path, message, because, objects };
  });
  const changed = [
    ...types,
    ...tables.map(changedTable),
    ...reorderedTables(old, now, before, after),
    ...changedStatics(old, now, before),
  ];
  return {
    changed: changed.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    // Environments are told apart by identity/: one that went keeps its code, and its number may be another's now.
    went: layoutsThatWent(old, now, new Set(refused.keys())).filter(({ layout }) => !layout.path.includes('_env#')),
    checked: true,
    missing: null,
  };
}

/** Are these versions of the same objects, each with the types that it had? Nothing is said of those that are not read. */
function describeTheSame(before: readonly LinkObject[], after: readonly LinkObject[]): boolean {
  const old = new Map(before.map((object) => [object.name, object]));
  if (old.size !== before.length || before.length !== after.length) return false;
  const pairs = after.flatMap((object) => {
    const twin = old.get(object.name);
    return twin !== undefined && mayDescribeTheSame(twin.file, object.file) ? [{ twin, object }] : [];
  });
  if (pairs.length < after.length) return false;
  return pairs.every(({ twin, object }) => {
    const same = sameTypesOf(twin.file, object.file);
    return same?.vtables.every(([was, is]) => slotsOf(twin, was) === slotsOf(object, is)) === true;
  });
}

function slotsOf(object: LinkObject, vtable: DescribedVtable): string | undefined {
  return readVtables(object, [vtable])[0]?.text;
}

/** As `ipbp diff` reports it. */
export function toChangedType({ name, mangled, message, because, objects }: LayoutChange): ChangedItem {
  return { name, mangled, kind: 'type', change: 'layout', objects, because: [message, ...because] };
}

/** How the compiler calls the type of a vtable: `<app::Square as app::Shape>::{vtable_type}`. */
const VTABLE = '::{vtable_type}';

function changedTable({ from, to }: TypeChange): LayoutChange {
  return {
    name: to.path.slice(0, -VTABLE.length),
    mangled: to.path,
    message: `its vtable had ${from.size ?? '?'} bytes, has ${to.size ?? '?'}: a method came or went`,
    because: ['objects made before keep the vtable that they have'],
    objects: [...new Set([from.object, to.object])].sort(),
  };
}

/** Vtables of the old length whose slots mean other methods, or methods of another type. */
function reorderedTables(
  old: Layouts,
  now: Layouts,
  before: readonly LinkObject[],
  after: readonly LinkObject[],
): LayoutChange[] {
  const pairs = [...now.vtables].flatMap(([name, tables]) => {
    const known = old.vtables.get(name);
    const to = [...tables.values()].find(({ text }) => known?.has(text) === false);
    const from = [...(known?.values() ?? [])].find(({ text }) => !tables.has(text));
    return to === undefined || from?.methods.length !== to.methods.length ? [] : [{ name, from, to }];
  });
  const wanted = new Set(pairs.flatMap(({ from, to }) => changedTargets(from, to)));
  const [typesBefore, typesNow] = [functionTypes(before, wanted), functionTypes(after, wanted)];
  return pairs.flatMap(({ name, from, to }) => {
    const [message, ...because] = movedSlots(
      from,
      to,
      (target) => typesBefore.get(target),
      (target) => typesNow.get(target),
    );
    if (message === undefined) return [];
    const objects = [...new Set([from.object, to.object])].sort();
    return [{ name, mangled: name, message, because: because.slice(0, MOST_REASONS), objects }];
  });
}

/** A pointer to an object with its vtable, whose length is part of the pointer's type. */
function isObjectPointer({ path, parts }: Layout): boolean {
  return (
    /\bdyn /.test(path) && parts().fields.some(({ name, type }) => name === 'vtable' && type.startsWith('&[usize; '))
  );
}

interface TypeChange {
  readonly from: Layout;
  readonly to: Layout;
  readonly differences: readonly string[];
}

function changedTypes(old: Layouts, now: Layouts, rename: Renaming, memory: LayoutMemory): TypeChange[] {
  const changes: TypeChange[] = [];
  for (const [path, layouts] of now.byPath) {
    const remembered = memory.get(path) ?? [];
    const before = [...(old.byPath.get(path) ?? []), ...remembered.map(({ layout }) => layout)];
    if (before.length === 0) continue;
    const stale = staleChange(remembered, layouts, rename);
    if (stale !== null) {
      changes.push(stale);
      continue;
    }
    const came = layouts.filter(({ text }) => !before.some((layout) => layout.text === text));
    if (came.length === 0) continue;
    const went = before.filter(({ text }) => !layouts.some((layout) => layout.text === text));
    const valid = (from: Layout, to: Layout): boolean => differencesOf(from, to, rename).length === 0;
    const to = came.find((layout) => !before.some((other) => valid(other, layout)));
    const from = went.find((layout) => !layouts.some((other) => valid(layout, other)));
    if (from !== undefined && to !== undefined)
      changes.push({ from, to, differences: differencesOf(from, to, rename) });
  }
  return changes;
}

/** A type that changed while no live code used it, and is used again. */
function staleChange(
  remembered: readonly RememberedLayout[],
  layouts: readonly Layout[],
  rename: Renaming,
): TypeChange | null {
  const [to] = layouts;
  for (const { layout: from, stale } of remembered) {
    if (!stale || to === undefined) continue;
    if (layouts.some((layout) => differencesOf(from, layout, rename).length === 0)) continue;
    return { from, to, differences: differencesOf(from, to, rename) };
  }
  return null;
}

/** Environments: `{closure_env#0}`, `{async_fn_env#1}`, `{async_block_env#0}`, `{coroutine_env#0}` and their like. */
const ENVIRONMENT = /[\w:{}#]*\{\w+_env#\d+\}/g;

/** Is this path made of an environment that another one has taken the name of? See the head of this file. */
function isAnotherEnvironment(path: string, old: Layouts, now: Layouts): boolean {
  for (const match of path.matchAll(ENVIRONMENT)) {
    const name = match[0].replace(/_env#(\d+)\}$/, '#$1}');
    const instance = name + argumentsAt(path, match.index + match[0].length);
    const before = old.functions.get(instance);
    const after = now.functions.get(instance);
    if (before === undefined && after === undefined) continue;
    if (before === undefined || after === undefined || ![...after].some((one) => before.has(one))) return true;
  }
  return false;
}

/** The generic arguments that begin at a place of a path, with their brackets; empty when none do. */
function argumentsAt(path: string, start: number): string {
  if (path[start] !== '<') return '';
  let open = 0;
  for (let at = start; at < path.length; at++) {
    if (path[at] === '<') open++;
    // The arrow of a function's type closes nothing.
    else if (path[at] === '>' && path[at - 1] !== '-' && --open === 0) return path.slice(start, at + 1);
  }
  return '';
}

/** Who holds whom by value. */
interface Holdings {
  readonly holders: ReadonlyMap<string, ReadonlySet<string>>;
  readonly held: ReadonlyMap<string, ReadonlySet<string>>;
}

function holdingsOf(layouts: readonly Layout[]): Holdings {
  const holders = new Map<string, Set<string>>();
  const held = new Map<string, Set<string>>();
  for (const { path, parts } of layouts) {
    const { fields, cases } = parts();
    for (const { holds } of [...fields, ...cases.flatMap((one) => one.fields)]) {
      if (holds === null || holds === path) continue;
      holders.set(holds, (holders.get(holds) ?? new Set()).add(path));
      held.set(path, (held.get(path) ?? new Set()).add(holds));
    }
  }
  return { holders, held };
}

/** Does a change follow from that of another refused type, which it holds by value? */
function followsFrom(
  { from, to }: TypeChange,
  refused: ReadonlyMap<string, TypeChange>,
  held: Holdings['held'],
): boolean {
  if (!sameFields(from, to)) return false;
  return [...reachable(to.path, held)].some((path) => refused.has(path));
}

/** Types reached over one or more steps, breadth first. */
function reachable(start: string, steps: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [start];
  for (const path of queue) {
    for (const next of steps.get(path) ?? []) {
      if (seen.has(next) || next === start) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return seen;
}

/** What the standard library wraps values in on their way: nobody wrote these types down. */
const PLUMBING = /^core::(?:mem|ptr|cell)::/;

function holdersOf(path: string, holders: Holdings['holders']): string[] {
  return [...reachable(path, holders)]
    .filter((holder) => !PLUMBING.test(holder))
    .map((holder) => `\`${holder}\` holds it by value`);
}

/** Statics that keep address and value and have another type now: under v0 mangling their names do not tell. */
function changedStatics(old: Layouts, now: Layouts, before: readonly LinkObject[]): LayoutChange[] {
  const changes: LayoutChange[] = [];
  for (const [linkageName, types] of now.statics) {
    const known = old.statics.get(linkageName);
    if (known === undefined || [...types].some((type) => known.has(type))) continue;
    const object = before.find((one) => keepsValue(one, linkageName));
    if (object === undefined) continue;
    const name = demangle(linkageName);
    const message = `static \`${name}\` was ${[...known].join(' or ')}, is ${[...types].join(' or ')}`;
    changes.push({ name, mangled: linkageName, message, because: [], objects: [object.name] });
  }
  return changes;
}

/** Read-only statics are bound to their new copy; the others keep their value. */
function keepsValue(object: LinkObject, name: string): boolean {
  const atom = object.definition(name)?.atom;
  if (atom === undefined) return false;
  const storage = storageOf(atom);
  return storage === 'mutable' || storage === 'tls';
}
