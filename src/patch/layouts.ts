// How values of named types lie in memory, as the objects of one side describe it: the tables of formats/dwarf turned
// into layouts by full path, with every reference to another type as its name. A path may have several layouts: it does
// not say which crate of that name, nor which of several anonymous blocks, a type belongs to. Compares nothing.
import { LIMITS } from '../bytes/limits.js';
import { IpbpError } from '../codes/error.js';
import type { CompositeType, DwarfType, Member, TypeTable } from '../formats/dwarf/types.js';
import { readTypes } from '../formats/dwarf/types.js';
import type { LinkObject } from '../link/graph.js';
import { readVtables, type VtableSlots } from './vtables.js';

/** A part of a value. */
export interface Field {
  readonly name: string | null;
  /** Of its type; of a pointer its own name or that of what it points to. */
  readonly type: string;
  readonly offset: number | null;
  /** Bit position and width of a bit field, else empty. */
  readonly bits: string;
  /** Path of the named type that it consists of, or is an array of; null where that is none (numbers, pointers). */
  readonly holds: string | null;
}

/** What is there when the discriminant has a value. */
export interface Case {
  readonly name: string;
  /** As text; null for the one that is meant when no other fits. */
  readonly value: string | null;
  readonly fields: readonly Field[];
}

/** How values of one type lie in memory. */
export interface Layout {
  readonly path: string;
  /** Bytes; null where they are not said. */
  readonly size: number | null;
  readonly align: number | null;
  readonly fields: readonly Field[];
  /** Type and place of the discriminants, as text. */
  readonly discriminant: string;
  readonly cases: readonly Case[];
  /** All of this in one text: equal texts, equal layouts. */
  readonly text: string;
  /** Name of the first object that describes it. */
  readonly object: string;
}

/** All that one side's objects say of types. */
export interface Layouts {
  /** Path → its different layouts by their text. */
  readonly byPath: ReadonlyMap<string, ReadonlyMap<string, Layout>>;
  /** Path of a closure's or coroutine's function (`app::main::{closure#0}`) → mangled names. */
  readonly functions: ReadonlyMap<string, ReadonlySet<string>>;
  /** Mangled name of a static → names of its type. */
  readonly statics: ReadonlyMap<string, ReadonlySet<string>>;
  /** Type and trait (`<app::Square as app::Shape>`) → the methods in its vtable's slots, as text. */
  readonly vtables: ReadonlyMap<string, ReadonlyMap<string, VtableSlots>>;
  /** False when no object describes types (built without them, or of a kind that is not read). */
  readonly described: boolean;
}

/**
 * Gathers the layouts of all objects.
 * @throws IpbpError IPBP1001 or IPBP1002 when an object's type descriptions are broken.
 */
export function readLayouts(objects: readonly LinkObject[]): Layouts {
  const byPath = new Map<string, Map<string, Layout>>();
  const functions = new Map<string, Set<string>>();
  const statics = new Map<string, Set<string>>();
  const vtables = new Map<string, Map<string, VtableSlots>>();
  let described = false;
  for (const object of objects) {
    const table = typesOf(object);
    if (table === null || table.types.size === 0) continue;
    described = true;
    let textLength = 0;
    for (const layout of layoutsOf(table, object.name)) {
      textLength += layout.text.length;
      if (textLength > LIMITS.layoutText) {
        throw new IpbpError('IPBP1002', 'descriptions of types are too long', { where: object.name });
      }
      const known = byPath.get(layout.path);
      if (known === undefined) byPath.set(layout.path, new Map([[layout.text, layout]]));
      else if (!known.has(layout.text)) known.set(layout.text, layout);
    }
    for (const { path, linkageName } of table.functions) addTo(functions, path, linkageName);
    for (const slots of readVtables(object, table.vtables)) {
      const known = vtables.get(slots.name);
      if (known === undefined) vtables.set(slots.name, new Map([[slots.text, slots]]));
      else known.set(slots.text, slots);
    }
    const names = typeNames(table, object.name);
    for (const { linkageName, type } of table.statics) addTo(statics, linkageName, names.nameOf(type));
  }
  return { byPath, functions, statics, vtables, described };
}

/** Null for descriptions of a kind that is not read: the guard then says that it cannot check. */
function typesOf(object: LinkObject): TypeTable | null {
  try {
    return readTypes(object.file);
  } catch (error) {
    if (error instanceof IpbpError && error.code === 'IPBP1003') return null;
    throw error;
  }
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}

/** Names of types as references give them. */
interface TypeNames {
  nameOf(type: number | null): string;
  holds(type: number | null): string | null;
}

function typeNames(table: TypeTable, object: string): TypeNames {
  const names = new Map<number, string>();
  const nameOf = (type: number | null, depth: number): string => {
    if (type === null) return '()';
    const known = names.get(type);
    if (known !== undefined) return known;
    // Without a name of their own types are named by what they lead to, in broken files for ever.
    if (depth > LIMITS.typeDepth) {
      throw new IpbpError('IPBP1002', 'a type leads to itself', {
        expected: `at most ${LIMITS.typeDepth} pointers, arrays and aliases behind one another`,
        where: object,
      });
    }
    const name = spell(table, table.types.get(type), (target) => nameOf(target, depth + 1));
    if (name.length > LIMITS.nameBytes) {
      throw new IpbpError('IPBP1002', 'the name of a type is too long', { where: object });
    }
    names.set(type, name);
    return name;
  };
  return {
    nameOf: (type) => nameOf(type, 0),
    holds(type) {
      let at = type;
      for (let depth = 0; at !== null && depth <= LIMITS.typeDepth; depth++) {
        const found = table.types.get(at);
        if (found === undefined) return null;
        if (found.kind === 'array') at = found.element;
        else if (found.kind === 'alias') at = found.target;
        else
          return (found.kind === 'composite' || found.kind === 'enumeration') && found.path !== '' ? found.path : null;
      }
      return null;
    },
  };
}

function spell(table: TypeTable, type: DwarfType | undefined, nameOf: (type: number | null) => string): string {
  if (type === undefined) return '?';
  switch (type.kind) {
    case 'composite':
      return type.path !== '' ? type.path : `{${describe(table, type, nameOf, () => null).text}}`;
    case 'enumeration':
      return type.path !== '' ? type.path : `enum of ${type.size ?? '?'} bytes`;
    case 'base':
      // A name says it all in one language; C's `long` does not.
      return type.size === null ? type.path : (usualSize(type.path, type.size) ?? `${type.path} (${type.size} bytes)`);
    case 'pointer':
      return type.name ?? `*${nameOf(type.target)}`;
    case 'array':
      return type.counts.reduceRight((name, count) => `[${name}; ${count ?? '?'}]`, nameOf(type.element));
    case 'alias':
      return nameOf(type.target);
    case 'opaque':
      return type.name ?? 'fn';
  }
}

/** The name itself where it implies the size: u8 to u128, f16 to f128, and those whose size is the machine's. */
function usualSize(name: string, size: number): string | null {
  const digits = /^[iuf](\d+)$/.exec(name)?.[1];
  if (digits !== undefined) return Number(digits) === size * 8 ? name : null;
  return /^(?:usize|isize|bool|char|\(\)|!|str)$/.test(name) ? name : null;
}

/** Every named type of a table that has values; a variant's own structure is part of its enumeration. */
function layoutsOf(table: TypeTable, object: string): Layout[] {
  const { nameOf, holds } = typeNames(table, object);
  const layouts: Layout[] = [];
  for (const type of table.types.values()) {
    if (type.kind === 'enumeration' && type.path !== '') {
      const cases = type.enumerators.map(({ name, value }) => ({ name, value, fields: [] }));
      const text = `${type.size ?? '?'}{${cases.map(({ name, value }) => `${name}=${value}`).join(',')}}`;
      layouts.push({
        path: type.path,
        size: type.size,
        align: null,
        fields: [],
        discriminant: '',
        cases,
        text,
        object,
      });
    }
    if (type.kind !== 'composite' || type.path === '' || isVariant(table, type)) continue;
    layouts.push({
      path: type.path,
      size: type.size,
      align: type.align,
      ...describe(table, type, nameOf, holds),
      object,
    });
  }
  return layouts;
}

function isVariant(table: TypeTable, type: CompositeType): boolean {
  const outer = type.outer === null ? undefined : table.types.get(type.outer);
  return outer?.kind === 'composite' && outer.variantParts.length > 0;
}

/** What is inside a composite type. */
function describe(
  table: TypeTable,
  type: CompositeType,
  nameOf: (type: number | null) => string,
  holds: (type: number | null) => string | null,
): Pick<Layout, 'fields' | 'discriminant' | 'cases' | 'text'> {
  const fieldOf = (member: Member, base = 0): Field => ({
    name: member.name,
    type: nameOf(member.type),
    offset: member.offset === null ? null : member.offset + base,
    bits: member.bits,
    holds: holds(member.type),
  });
  /** A variant's one member is a structure of its own, which no one else can name: its fields are the variant's. */
  const caseFields = (member: Member): Field[] => {
    const inner = member.type === null ? undefined : table.types.get(member.type);
    if (inner?.kind !== 'composite' || !isVariant(table, inner)) return [fieldOf(member)];
    return inner.members.map((field) => fieldOf(field, member.offset ?? 0));
  };
  const caseName = (members: readonly Member[]): string => {
    const [member] = members;
    const inner = member?.type == null ? undefined : table.types.get(member.type);
    // Coroutines number their variants; the structures have the names.
    return inner?.kind === 'composite' ? inner.path.slice(inner.path.lastIndexOf('::') + 2) : (member?.name ?? '');
  };
  const fields = type.members.map((member) => fieldOf(member));
  const discriminants: string[] = [];
  const cases: Case[] = [];
  for (const part of type.variantParts) {
    const { discriminant, variants } = part;
    if (discriminant !== null) discriminants.push(`${nameOf(discriminant.type)} at ${discriminant.offset ?? '?'}`);
    for (const { value, members } of variants) {
      cases.push({ name: caseName(members), value, fields: members.flatMap(caseFields) });
    }
  }
  const discriminant = discriminants.join();
  const head = `${type.union ? 'union ' : ''}${type.size ?? '?'}/${type.align ?? '?'}`;
  const caseTexts = cases.map((one) => `${one.value ?? 'else'} ${one.name}{${fieldTexts(one.fields)}}`);
  return { fields, discriminant, cases, text: `${head}{${fieldTexts(fields)}}${discriminant}[${caseTexts.join()}]` };
}

function fieldTexts(fields: readonly Field[]): string {
  return fields.map((field) => `${field.name ?? ''}@${field.offset ?? ''}${field.bits}:${field.type}`).join(';');
}
