// How values of named types lie in memory, as the objects of one side describe it: the tables of formats/dwarf turned
// into layouts by full path, with every reference to another type as its name. A path may have several layouts: it does
// not say which crate of that name, nor which of several anonymous blocks, a type belongs to. Compares nothing.
import { LIMITS } from '../../bytes/limits.js';
import { IpbpError } from '../../codes/error.js';
import type { CompositeType, EnumerationType, Member, TypeTable } from '../../formats/dwarf/type-table.js';
import type { LinkObject } from '../../link/graph.js';
import { typesOf, whyNotDescribed } from './described.js';
import {
  AS_IT_IS,
  enumerationText,
  isVariant,
  textOf,
  typeNames,
  variantName,
  variantStructure,
  type PathOf,
  type TypeNames,
} from './type-names.js';
import { readVtables, type VtableSlots } from './vtables.js';

/** A part of a value. */
export interface Field {
  readonly name: string | null;
  /** Of its type; of a pointer its own name or that of what it points to. */
  readonly type: string;
  /** As `type`, of what is left when structures around a single value are taken off: `u32` for a `struct Hp(u32)`. */
  readonly bare: string;
  /** Its type has no content at all: neither bytes nor anything that it could say of others. */
  readonly unit: boolean;
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
  /** All of it in one text: equal texts, equal layouts. */
  readonly text: string;
  /** Name of the first object that describes it. */
  readonly object: string;
  /** What is inside, made when it is asked for: nearly all layouts of an edit are the same on both sides. */
  parts(): LayoutParts;
}

/** The inside of a type. */
export interface LayoutParts {
  /** All fields lie over one another. */
  readonly union: boolean;
  readonly fields: readonly Field[];
  /** Type and place of the discriminants, as text. */
  readonly discriminant: string;
  readonly cases: readonly Case[];
}

/** All that one side's objects say of types. */
export interface Layouts {
  /** Path → its different layouts: mostly one. */
  readonly byPath: ReadonlyMap<string, readonly Layout[]>;
  /** Path of a closure's or coroutine's function (`app::main::{closure#0}`) → mangled names. */
  readonly functions: ReadonlyMap<string, ReadonlySet<string>>;
  /** Mangled name of a static → names of its type. */
  readonly statics: ReadonlyMap<string, ReadonlySet<string>>;
  /** Type and trait (`<app::Square as app::Shape>`) → the methods in its vtable's slots, as text. */
  readonly vtables: ReadonlyMap<string, ReadonlyMap<string, VtableSlots>>;
  /** False when no object describes types (built without them, or of a kind that is not read), or some is `missing`. */
  readonly described: boolean;
  /** Why the descriptions that an object was compiled with are not to be had; null where none is missing. */
  readonly missing: string | null;
}

/**
 * Gathers the layouts of all objects, every path in them as `pathOf` gives it.
 * @throws IpbpError IPBP1001 or IPBP1002 when an object's type descriptions are broken.
 */
export function readLayouts(objects: readonly LinkObject[], pathOf: PathOf = AS_IT_IS): Layouts {
  const byPath = new Map<string, Layout[]>();
  const functions = new Map<string, Set<string>>();
  const statics = new Map<string, Set<string>>();
  const vtables = new Map<string, Map<string, VtableSlots>>();
  let described = false;
  let missing: string | null = null;
  for (const object of objects) {
    const table = typesOf(object.file);
    if (table === null || table.types.size === 0) {
      missing ??= whyNotDescribed(object.file);
      continue;
    }
    described = true;
    const names = typeNames(table, object.name, pathOf);
    gatherLayouts(table, names, object.name, byPath, pathOf);
    for (const { path, linkageName } of table.functions) addTo(functions, pathOf(path), object.nameOf(linkageName));
    for (const slots of readVtables(object, table.vtables)) {
      const name = pathOf(slots.name);
      const known = vtables.get(name);
      if (known === undefined) vtables.set(name, new Map([[slots.text, slots]]));
      else known.set(slots.text, slots);
    }
    for (const { linkageName, type } of table.statics) addTo(statics, object.nameOf(linkageName), names.nameOf(type));
  }
  return { byPath, functions, statics, vtables, described: described && missing === null, missing };
}

/** The layouts of those types alone whose path is wanted, every path as the objects have it. */
export function layoutsByPath(
  objects: readonly LinkObject[],
  wanted: (path: string) => boolean = () => true,
): ReadonlyMap<string, readonly Layout[]> {
  const byPath = new Map<string, Layout[]>();
  for (const { file, name } of objects) {
    const table = typesOf(file);
    if (table !== null) gatherLayouts(table, typeNames(table, name), name, byPath, AS_IT_IS, wanted);
  }
  return byPath;
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}

/** The layouts of those types of one object whose path is wanted, as text; several of one path in one. */
export function layoutTexts(
  table: TypeTable,
  object: string,
  wanted: (path: string) => boolean,
): ReadonlyMap<string, string> {
  const byPath = new Map<string, Layout[]>();
  gatherLayouts(table, typeNames(table, object), object, byPath, AS_IT_IS, wanted);
  const textsOf = (layouts: readonly Layout[]): string[] => layouts.map(({ text }) => text).sort();
  return new Map([...byPath].map(([path, layouts]) => [path, textsOf(layouts).join('\n')]));
}

/** Every named type of a table that has values; a variant's own structure is part of its enumeration. */
function gatherLayouts(
  table: TypeTable,
  names: TypeNames,
  object: string,
  byPath: Map<string, Layout[]>,
  pathOf: PathOf,
  wanted: (path: string) => boolean = () => true,
): void {
  let own = ownLayouts.get(table);
  if (own === undefined) ownLayouts.set(table, (own = new Map<number, Layout>()));
  let length = 0;
  for (const [offset, type] of table.types) {
    if ((type.kind !== 'composite' && type.kind !== 'enumeration') || type.path === '' || !wanted(type.path)) continue;
    if (type.kind === 'composite' && isVariant(table, type)) continue;
    let layout = own.get(offset);
    if (layout === undefined) own.set(offset, (layout = makeLayout(table, type, typeNames(table, object), object)));
    // Numbers alone are other ones elsewhere. What is left of a type inside may have some that the text does not show.
    if (pathOf !== AS_IT_IS) {
      layout = layout.text.includes('#')
        ? makeLayout(table, type, names, object, pathOf)
        : { ...layout, path: pathOf(type.path), parts: () => partsOf(table, type, names) };
    }
    const { path, text } = layout;
    length += text.length;
    if (length > LIMITS.layoutText) {
      throw new IpbpError('IPBP1002', 'descriptions of types are too long', { where: object });
    }
    const known = byPath.get(path);
    if (known === undefined) byPath.set(path, [layout]);
    else if (!known.some((other) => other.text === text)) known.push(layout);
  }
}

/** Layouts under the names that an object has, by offset of the type: asked for by pairing and by comparing alike. */
const ownLayouts = new WeakMap<TypeTable, Map<number, Layout>>();

function makeLayout(
  table: TypeTable,
  type: CompositeType | EnumerationType,
  names: TypeNames,
  object: string,
  pathOf: PathOf = AS_IT_IS,
): Layout {
  return {
    path: pathOf(type.path),
    size: type.size,
    align: type.kind === 'composite' ? type.align : null,
    text: type.kind === 'composite' ? textOf(table, type, names) : enumerationText(type),
    object,
    parts: () => partsOf(table, type, names),
  };
}

function partsOf(table: TypeTable, type: CompositeType | EnumerationType, names: TypeNames): LayoutParts {
  return type.kind === 'composite' ? compositeParts(table, type, names) : enumerationParts(type);
}

function compositeParts(table: TypeTable, type: CompositeType, names: TypeNames): LayoutParts {
  const { nameOf, holds, bare, isUnit: isUnitType } = names;
  const fieldOf = (member: Member, base: number): Field => ({
    name: member.name,
    type: nameOf(member.type),
    bare: nameOf(bare(member.type)),
    unit: isUnitType(member.type),
    offset: member.offset === null ? null : member.offset + base,
    bits: member.bits,
    holds: holds(member.type),
  });
  const caseFields = (member: Member): readonly Field[] => {
    const inner = variantStructure(table, member);
    return inner === null ? [fieldOf(member, 0)] : inner.members.map((field) => fieldOf(field, member.offset ?? 0));
  };
  const discriminants = type.variantParts.flatMap(({ discriminant }) =>
    discriminant === null ? [] : [`${nameOf(discriminant.type)} at ${discriminant.offset ?? '?'}`],
  );
  const variants = type.variantParts.flatMap((part) => part.variants);
  return {
    union: type.union,
    fields: type.members.map((member) => fieldOf(member, 0)),
    discriminant: discriminants.join(),
    cases: variants.map((variant) => ({
      name: variantName(table, variant),
      value: variant.value,
      fields: variant.members.flatMap(caseFields),
    })),
  };
}

function enumerationParts({ enumerators }: EnumerationType): LayoutParts {
  return {
    union: false,
    fields: [],
    discriminant: '',
    cases: enumerators.map(({ name, value }) => ({ name, value, fields: [] })),
  };
}
