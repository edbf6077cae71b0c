// Makes a linked module one that patches can change: functions are reached through slots of the table. Owns what the new
// module has that the old one had not (slots, entries, exports); how calls come to them is one of two ways:
//   - `calls`: every direct call becomes one through the slot, in place. Bodies stay where they are. Both instructions
//     have six bytes as linkers write them (`call` with a padded index; a constant of two bytes, then `call_indirect`
//     with a type below 128), so addresses of code, and with them the debug information, stay right.
//   - `entries`: a function's body moves to the end, and what stays at its index jumps through the slot. No instruction
//     needs to be understood; each call pays for a second one, and debug information does not find moved bodies.
// `calls` is chosen wherever it can be: a workload of JSON and maps takes 1.07 times as long with it in release and 1.27 times
// in debug, all of the program's own functions patchable; with `entries` 1.13 and 1.50 (bench/module-ways.ts).
import { sha256 } from '@noble/hashes/sha2';
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError } from '../../codes/error.js';
import { type BaseDescription, baseSection } from './base-section.js';
import { bindgenParts } from './bindgen.js';
import { constantExpr } from './const-expr.js';
import * as wasm from './constants.js';
import { encodeModule } from './encode-sections.js';
import { type WasmFacts, factsOf } from './facts.js';
import type { Body, ElementSegment, Export, ModuleSection, SectionContent, SectionId } from './module.js';
import { type NamePart, encodeNames, namesIn } from './names.js';
import { STACK_POINTER, stackPointerOf, THREAD_BASE, threadBaseOf } from './own-globals.js';
import { redirectCalls } from './redirect-calls.js';
import { callBody, entryBody } from './short-bodies.js';
import { knownSlots } from './table-slots.js';
import type { FunctionType } from './value-types.js';

/** How calls reach the slots; `auto` is `calls` where all instructions are known. */
export type RewriteWay = 'calls' | 'entries' | 'auto';

/** A function that patches can change. */
export interface PatchableFunction {
  readonly name: string;
  /** Of the function that callers name: its entry, or where bodies stay, itself. */
  readonly index: number;
  readonly type: number;
  /** In the table; the first is the one that calls go through. */
  readonly slots: readonly number[];
}

/** The new module and what is known of it. */
export interface RewrittenBase {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly way: Exclude<RewriteWay, 'auto'>;
  readonly description: BaseDescription;
  readonly functions: readonly PatchableFunction[];
  /** Those of the others that patches can call, each with a slot of its own: all, or none. */
  readonly callable: readonly PatchableFunction[];
  /** Another tool will change how imports are called: patches get to them by slots of `callable`, under the same names. */
  readonly importsChange: boolean;
  /** So long is the table then. */
  readonly tableLength: number;
  /** Direct calls that go through slots now, and those that go over an entry as their slot or type has a large number. */
  readonly calls: { readonly indirect: number; readonly overEntries: number };
}

/** Behind the name of a function that only jumps through a slot. */
const ENTRY_SUFFIX = '.ipbp.entry';
/** Behind that of one by which patches call another. */
const CALL_SUFFIX = '.ipbp.call';
/** Of functions that a linker puts around exported ones. */
const LINKERS_SUFFIX = '.command_export';
const OWN_TABLE = '__indirect_function_table';
const KEPT_TABLE = '__ipbp_table';

/** A function that is chosen, before it has slots. */
interface Chosen {
  readonly name: string;
  readonly index: number;
  readonly type: number;
  slots: number[];
}

/** The module in the words of this rewrite. */
interface Base {
  readonly facts: WasmFacts;
  readonly imported: number;
  readonly types: readonly FunctionType[];
  readonly functionTypes: readonly number[];
  readonly bodies: readonly Body[];
  readonly names: readonly NamePart[];
  readonly chosen: readonly Chosen[];
  /** Without a slot before; behind those of the chosen ones. */
  readonly others: readonly Chosen[];
  /** Calls of these stay as they are, and patches get to them by functions with slots that do nothing but such a call. */
  readonly through: readonly Chosen[];
  readonly importsChange: boolean;
  readonly tableLength: number;
}

function refuse(name: string, why: string, expected?: string): never {
  throw new IpbpError('IPBP2040', `the module cannot be made one for patches: ${why}`, {
    where: name,
    ...(expected === undefined ? {} : { expected }),
  });
}

function openBase(bytes: Uint8Array, name: string, choose: (name: string) => boolean, callable: boolean): Base {
  const facts = factsOf(bytes, name);
  if (facts.indexOf(wasm.SECTION_CUSTOM, 'linking') >= 0) refuse(name, 'it is an object', 'what a linker made');
  const imported = facts.imports('function').length;
  const functionTypes = facts.functionTypes();
  const names = facts.names();
  const limits = facts.content('table')?.tables[0]?.limits;
  if (limits === undefined && facts.imports('table').length > 0) refuse(name, 'its table is imported', 'its own');
  const slots = knownSlots(facts.elementSegments());
  const bindgen = bindgenParts(facts);
  const replaced = new Set(bindgen?.replaced);
  const named = namesIn(names, 'function')
    .filter(({ index }) => index < functionTypes.length && bindgen?.descriptions.has(index) !== true)
    .map(({ index, name: own }): Chosen => {
      return { name: own, index, type: functionTypes[index] as number, slots: slots.get(index) ?? [] };
    });
  const all = named.filter(({ index }) => index >= imported && !replaced.has(index));
  const chosen = all.filter((each) => choose(each.name));
  const others = callable ? all.filter((each) => each.slots.length === 0 && !choose(each.name)) : [];
  const through = callable
    ? named.filter(({ index }) => replaced.has(index)).map((each): Chosen => ({ ...each, slots: [] }))
    : [];
  if (namesIn(names, 'function').length === 0) refuse(name, 'its functions have no names', 'a name section');
  let tableLength = limits?.minimum ?? 1;
  for (const each of [...chosen, ...others, ...through]) if (each.slots.length === 0) each.slots = [tableLength++];
  const [types, bodies] = [facts.types(), facts.bodies()];
  const importsChange = bindgen !== null;
  return { facts, imported, types, functionTypes, bodies, names, chosen, others, through, importsChange, tableLength };
}

/** What becomes of the functions. */
interface NewFunctions {
  readonly bodies: readonly Body[];
  /** Of functions behind the old ones. */
  readonly addedTypes: readonly number[];
  /** Function that is in the slots of a chosen one, by its index. */
  readonly inSlots: ReadonlyMap<number, number>;
  /** Those by which patches call `through`. */
  readonly through: readonly number[];
  /** Function that the outside gets instead of one that it had. */
  readonly outside: ReadonlyMap<number, number>;
  readonly renamed: ReadonlyMap<number, string>;
  /** Addresses of code are what they were. */
  readonly inPlace: boolean;
  readonly calls: RewrittenBase['calls'];
}

const asBody = (bytes: Uint8Array): Body => ({ bytes, start: 0, lengthWidth: 0 });

function moveBodies({ types, functionTypes, bodies, imported, chosen }: Base): NewFunctions {
  const all = [...bodies];
  const inSlots = new Map<number, number>();
  const renamed = new Map<number, string>();
  chosen.forEach(({ index, type, slots, name }, number) => {
    const moved = functionTypes.length + number;
    all.push(bodies[index - imported] as Body);
    all[index - imported] = asBody(entryBody(types[type] as FunctionType, type, slots[0] as number));
    inSlots.set(index, moved);
    renamed.set(index, name + ENTRY_SUFFIX).set(moved, name);
  });
  const addedTypes = chosen.map(({ type }) => type);
  const calls = { indirect: 0, overEntries: 0 };
  return { bodies: all, addedTypes, inSlots, through: [], outside: new Map(), renamed, inPlace: false, calls };
}

/** With a function behind the others for each that is only called through one. */
function withCalls({ types, functionTypes, bodies, through }: Base, functions: NewFunctions): NewFunctions {
  const first = functionTypes.length + functions.addedTypes.length;
  const renamed = new Map(functions.renamed);
  const added = through.map(({ index, type, name }, number) => {
    renamed.set(first + number, name + CALL_SUFFIX);
    return asBody(callBody(types[type] as FunctionType, index));
  });
  const all = [...functions.bodies, ...added];
  return {
    ...functions,
    bodies: all,
    addedTypes: [...functions.addedTypes, ...through.map(({ type }) => type)],
    through: through.map((_, number) => first + number),
    renamed,
    inPlace: functions.inPlace && sameWidth(bodies.length, all.length),
  };
}

/** Two counts that take as many bytes: the count of bodies stands in front of them. */
export function sameWidth(before: number, after: number): boolean {
  const width = (count: number): number => new ByteWriter(8).uleb(count).length;
  return width(before) === width(after);
}

/** null where a body has an instruction that is not known. */
function changeCalls(base: Base): NewFunctions | null {
  const { facts, types, functionTypes, bodies, chosen, imported } = base;
  const entries = new Map<number, number>();
  const renamed = new Map<number, string>();
  const added: Body[] = [];
  const addedTypes: number[] = [];
  const byIndex = new Map(chosen.map((each) => [each.index, each]));
  const entryOf = (index: number): number => {
    const known = entries.get(index);
    if (known !== undefined) return known;
    const { type, slots, name } = byIndex.get(index) as Chosen;
    const entry = functionTypes.length + added.length;
    added.push(asBody(entryBody(types[type] as FunctionType, type, slots[0] as number)));
    addedTypes.push(type);
    entries.set(index, entry);
    renamed.set(entry, name + ENTRY_SUFFIX);
    return entry;
  };
  const start = facts.content('start')?.function;
  const exported = (facts.content('export')?.exports ?? []).flatMap(({ kind, index }) =>
    kind === 'function' ? index : [],
  );
  const outside = new Map<number, number>();
  for (const index of [...exported, ...(start === undefined ? [] : [start])]) {
    if (byIndex.has(index)) outside.set(index, entryOf(index));
  }
  const target = (callee: number): { readonly slot: number; readonly type: number } | null => {
    const found = byIndex.get(callee);
    return found === undefined ? null : { slot: found.slots[0] as number, type: found.type };
  };
  const calls = { indirect: 0, overEntries: 0 };
  /** Of the first body that grew. */
  let grown = bodies.length;
  const all: Body[] = [];
  for (const body of bodies) {
    const changed = redirectCalls(body.bytes, target, entryOf);
    if (changed === null) return null;
    if (changed.bytes.length !== body.bytes.length) grown = Math.min(grown, all.length);
    calls.indirect += changed.indirect;
    calls.overEntries += changed.overEntries;
    all.push({ ...body, bytes: changed.bytes });
  }
  const inSlots = new Map(chosen.map(({ index }) => [index, index]));
  // What linkers make themselves, with short calls, they put last; nothing is told of it to debuggers.
  const names = new Map(namesIn(base.names, 'function').map(({ index, name }) => [index, name]));
  const isLinkers = (_: Body, at: number): boolean => names.get(imported + at)?.endsWith(LINKERS_SUFFIX) === true;
  const behind = bodies.map(isLinkers).slice(grown);
  const inPlace = behind.every(Boolean);
  return { bodies: [...all, ...added], addedTypes, inSlots, through: [], outside, renamed, inPlace, calls };
}

/**
 * Makes the base.
 * @param choose which functions can be patched, by the names that they have in the module
 * @param callable whether all others get slots, too, by which patches call them; the module's own calls stay as they are
 * @throws IpbpError IPBP1001, IPBP1002, IPBP1003 for a broken module, IPBP2040 for one that cannot be a base
 */
export function rewriteBase(
  bytes: Uint8Array,
  name: string,
  choose: (name: string) => boolean,
  way: RewriteWay = 'auto',
  callable = false,
): RewrittenBase {
  const base = openBase(bytes, name, choose, callable);
  const changed = way === 'entries' ? null : changeCalls(base);
  if (changed === null && way === 'calls') refuse(name, 'it has instructions that are not known');
  const functions = withCalls(base, changed ?? moveBodies(base));
  const { exports, description } = newExports(base, bytes, name, functions);
  const contents = newContents(base, functions, exports);
  const sections = base.facts.sections().map((section) => withContent(section, contents));
  const last = sections.filter((section) => keeps(section, functions.inPlace));
  const own = baseSection(description);
  const bare = { nameWidth: 0, lengthWidth: 0 };
  return {
    bytes: encodeModule([...insertMissing(last, contents), { id: 'custom', ...own, ...bare }]),
    way: changed === null ? 'entries' : 'calls',
    description,
    functions: base.chosen,
    callable: [...base.others, ...base.through],
    importsChange: base.importsChange,
    tableLength: base.tableLength,
    calls: functions.calls,
  };
}

/** Debug information with addresses of code that are others now would be wrong. */
function keeps(section: ModuleSection, inPlace: boolean): boolean {
  return inPlace || section.id !== 'custom' || !section.name.startsWith('.debug_');
}

type Contents = Partial<{ [I in SectionId]: SectionContent & { readonly id: I } }>;

function withContent(section: ModuleSection, contents: Contents): ModuleSection {
  if (section.id === 'custom') {
    if (section.name !== 'name' || contents.custom === undefined) return section;
    return { ...section, ...contents.custom, nameWidth: section.nameWidth };
  }
  const content = contents[section.id];
  return content === undefined ? section : { ...content, lengthWidth: section.lengthWidth };
}

/** Sections that the module had not, in the order of the specification. */
function insertMissing(sections: readonly ModuleSection[], contents: Contents): ModuleSection[] {
  const all = [...sections];
  for (const content of Object.values(contents)) {
    if (content.id === 'custom' || sections.some(({ id }) => id === content.id)) continue;
    const rank = wasm.SECTION_ORDER.indexOf(wasm.SECTION_NAMES.indexOf(content.id));
    const behind = all.findIndex(({ id }) => {
      return id !== 'custom' && wasm.SECTION_ORDER.indexOf(wasm.SECTION_NAMES.indexOf(id)) > rank;
    });
    all.splice(behind < 0 ? all.length : behind, 0, { ...content, lengthWidth: 0 });
  }
  return all;
}

function newContents(base: Base, functions: NewFunctions, exports: readonly Export[]): Contents {
  const { facts, names, chosen, others, tableLength, imported, functionTypes } = base;
  const tables = facts.content('table')?.tables ?? [];
  const first = tables[0] ?? {
    ...{ element: wasm.TYPE_FUNCREF, initial: null },
    limits: { shared: false, wide: false, minimum: 0, maximum: null, pageExponent: null },
  };
  const inTable = facts.elementSegments().map((segment): ElementSegment => {
    if (segment.place?.index !== 0 || segment.items.kind !== 'functions') return segment;
    const moved = segment.items.functions.map((index) => functions.inSlots.get(index) ?? index);
    return { ...segment, items: { kind: 'functions', functions: moved } };
  });
  const begin = first.limits.minimum === 0 ? 1 : first.limits.minimum;
  const fresh = chosen.filter(({ slots }) => (slots[0] as number) >= begin);
  const place = { index: 0, offset: constantExpr(begin), explicit: false };
  const items = {
    kind: 'functions' as const,
    functions: [
      ...[...fresh, ...others].map(({ index }) => functions.inSlots.get(index) ?? index),
      ...functions.through,
    ],
  };
  const added: ElementSegment = { place, declared: false, type: wasm.TYPE_FUNCREF, items };
  const start = facts.content('start')?.function;
  const parts = names.map((part): NamePart => {
    if (part.kind !== 'function') return part;
    const all = new Map(part.names.map(({ index, name }) => [index, name]));
    for (const [index, name] of functions.renamed) all.set(index, name);
    const sorted = [...all].map(([index, name]) => ({ index, name })).sort((a, b) => a.index - b.index);
    return { ...part, names: sorted, lengthWidth: 0 };
  });
  return {
    function: { id: 'function', types: [...functionTypes.slice(imported), ...functions.addedTypes] },
    table: {
      id: 'table',
      tables: [{ ...first, limits: { ...first.limits, minimum: tableLength, maximum: null } }, ...tables.slice(1)],
    },
    export: { id: 'export', exports },
    ...(start === undefined ? {} : { start: { id: 'start', function: functions.outside.get(start) ?? start } }),
    element: { id: 'element', segments: items.functions.length === 0 ? inTable : [...inTable, added] },
    code: { id: 'code', bodies: functions.bodies },
    custom: { id: 'custom', name: 'name', nameWidth: 0, bytes: encodeNames(parts) },
  };
}

/** The exports that patches need too, and what the module says of them. */
function newExports(
  { facts, names, importsChange }: Base,
  bytes: Uint8Array,
  name: string,
  { outside }: NewFunctions,
): { readonly exports: readonly Export[]; readonly description: BaseDescription } {
  const exports = (facts.content('export')?.exports ?? []).map((one): Export => {
    return one.kind === 'function' ? { ...one, index: outside.get(one.index) ?? one.index } : one;
  });
  const named = (kind: Export['kind'], index: number, own: string): string => {
    const known = exports.find((one) => one.kind === kind && one.index === index);
    if (known !== undefined) return known.name;
    exports.push({ name: own, kind, index });
    return own;
  };
  const limits = facts.memoryLimits();
  if (limits === null) refuse(name, 'it has no memory');
  const pointer = stackPointerOf(facts, names);
  const threadBase = threadBaseOf(facts, names);
  if (pointer === null) refuse(name, 'it has no stack pointer', `a global called ${STACK_POINTER}`);
  const hash = sha256(bytes);
  const identity = Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  // wasm-bindgen takes the linker's export of it away.
  if (importsChange) exports.push({ name: KEPT_TABLE, kind: 'table', index: 0 });
  const description: BaseDescription = {
    identity,
    memory: named('memory', 0, 'memory'),
    table: importsChange ? KEPT_TABLE : named('table', 0, OWN_TABLE),
    stackPointer: named('global', pointer, STACK_POINTER),
    threadBase: threadBase === null ? null : named('global', threadBase, THREAD_BASE),
    arena: limits.minimum * wasm.PAGE_SIZE,
  };
  return { exports, description };
}
