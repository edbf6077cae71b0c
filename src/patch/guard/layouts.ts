// How values of named types lie in memory, as the objects of one side describe it: the tables of formats/dwarf turned
// into layouts by full path, with every reference to another type as its name. A path may have several layouts: it does
// not say which crate of that name, nor which of several anonymous blocks, a type belongs to. Compares nothing.
import { LIMITS } from '../../bytes/limits.js';
import { IpbpError } from '../../codes/error.js';
import type {
  CompositeType,
  DwarfType,
  EnumerationType,
  Member,
  TypeTable,
  Variant,
} from '../../formats/dwarf/type-table.js';
import type { LinkObject } from '../../link/graph.js';
import { typesOf } from './described.js';
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
  /** False when no object describes types (built without them, or of a kind that is not read). */
  readonly described: boolean;
}

/**
 * Gathers the layouts of all objects, every path in them as `pathOf` gives it; of types only those whose path is wanted.
 * @throws IpbpError IPBP1001 or IPBP1002 when an object's type descriptions are broken.
 */
export function readLayouts(
  objects: readonly LinkObject[],
  pathOf: PathOf = AS_IT_IS,
  wanted: (path: string) => boolean = () => true,
): Layouts {
  const byPath = new Map<string, Layout[]>();
  const functions = new Map<string, Set<string>>();
  const statics = new Map<string, Set<string>>();
  const vtables = new Map<string, Map<string, VtableSlots>>();
  let described = false;
  for (const object of objects) {
    const table = typesOf(object.file);
    if (table === null || table.types.size === 0) continue;
    described = true;
    const names = typeNames(table, object.name, pathOf);
    gatherLayouts(table, names, object.name, byPath, pathOf, wanted);
    for (const { path, linkageName } of table.functions) addTo(functions, pathOf(path), object.nameOf(linkageName));
    for (const slots of readVtables(object, table.vtables)) {
      const name = pathOf(slots.name);
      const known = vtables.get(name);
      if (known === undefined) vtables.set(name, new Map([[slots.text, slots]]));
      else known.set(slots.text, slots);
    }
    for (const { linkageName, type } of table.statics) addTo(statics, object.nameOf(linkageName), names.nameOf(type));
  }
  return { byPath, functions, statics, vtables, described };
}

/** Gives the name to compare a path by. */
type PathOf = (path: string) => string;

const AS_IT_IS: PathOf = (path) => path;

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}

/** Names of types as references give them; null is `()`. */
export interface TypeNames {
  readonly nameOf: (type: number | null) => string;
  readonly holds: (type: number | null) => string | null;
  /** What is left of a type when structures around a single value are taken off. */
  readonly bare: (type: number | null) => number | null;
  readonly isUnit: (type: number | null) => boolean;
}

/** Names for the types of one object's table; spelled when first asked for. */
export function typeNames(table: TypeTable, object: string, pathOf: PathOf = AS_IT_IS): TypeNames {
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
    const name = spell(table, table.types.get(type), { nameOf: (target) => nameOf(target, depth + 1) }, pathOf);
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
          return (found.kind === 'composite' || found.kind === 'enumeration') && found.path !== ''
            ? pathOf(found.path)
            : null;
      }
      return null;
    },
    bare(type) {
      let at = type;
      for (let depth = 0; at !== null && depth <= LIMITS.typeDepth; depth++) {
        const inner = singleContent(table, at);
        if (inner === null) break;
        at = inner;
      }
      return at;
    },
    isUnit: (type) => isUnit(table, type),
  };
}

/** The libraries' own types may allow fewer values than what they consist of, which no description says. */
const LIBRARY_TYPE = /^(?:core|alloc|std)::/;

/** The type of the one value that a structure consists of; null where it is more, less or something else. */
function singleContent(table: TypeTable, offset: number): number | null {
  const type = table.types.get(offset);
  if (type?.kind !== 'composite' || type.union || type.variantParts.length > 0 || LIBRARY_TYPE.test(type.path))
    return null;
  const [content, ...others] = type.members.filter((member) => !isUnit(table, member.type));
  if (content?.type == null || others.length > 0 || content.offset !== 0 || content.bits !== '') return null;
  const inner = table.types.get(content.type);
  const [size, align] = inner?.kind === 'composite' ? [inner.size, inner.align] : [sizeOf(inner), null];
  return size === type.size && (align === null || align === type.align) ? content.type : null;
}

/** Of what has one by itself: the others are pointers and arrays, whose size follows. */
function sizeOf(type: DwarfType | undefined): number | null {
  return type?.kind === 'base' || type?.kind === 'enumeration' ? type.size : null;
}

function isUnit(table: TypeTable, offset: number | null): boolean {
  const type = offset === null ? undefined : table.types.get(offset);
  if (type?.kind !== 'composite' || type.size !== 0) return false;
  // A marker's argument says what pointers beside it lead to.
  return type.members.length === 0 && type.variantParts.length === 0 && !type.path.includes('<');
}

function spell(
  table: TypeTable,
  type: DwarfType | undefined,
  names: Pick<TypeNames, 'nameOf'>,
  pathOf: PathOf,
): string {
  if (type === undefined) return '?';
  switch (type.kind) {
    case 'composite':
      return type.path !== '' ? pathOf(type.path) : `{${textOf(table, type, names)}}`;
    case 'enumeration':
      return type.path !== '' ? pathOf(type.path) : `enum of ${type.size ?? '?'} bytes`;
    case 'base':
      // A name says it all in one language; C's `long` does not.
      return type.size === null || impliesSize(type.path, type.size) ? type.path : `${type.path} (${type.size} bytes)`;
    case 'pointer':
      return type.name === null ? `*${names.nameOf(type.target)}` : pathOf(type.name());
    case 'array':
      return type.counts.reduceRight<string>((name, count) => `[${name}; ${count ?? '?'}]`, names.nameOf(type.element));
    case 'alias':
      return names.nameOf(type.target);
    case 'opaque':
      return pathOf(type.name ?? 'fn');
  }
}

/** Does a name imply this size: u8 to u128, f16 to f128, and those whose size is the machine's? */
function impliesSize(name: string, size: number): boolean {
  const digits = /^[iuf](\d+)$/.exec(name)?.[1];
  if (digits !== undefined) return Number(digits) === size * 8;
  return /^(?:usize|isize|bool|char|\(\)|!|str)$/.test(name);
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
  wanted: (path: string) => boolean,
): void {
  let length = 0;
  for (const type of table.types.values()) {
    if ((type.kind !== 'composite' && type.kind !== 'enumeration') || type.path === '' || !wanted(type.path)) continue;
    if (type.kind === 'composite' && isVariant(table, type)) continue;
    const text = type.kind === 'composite' ? textOf(table, type, names) : enumerationText(type);
    length += text.length;
    if (length > LIMITS.layoutText) {
      throw new IpbpError('IPBP1002', 'descriptions of types are too long', { where: object });
    }
    const path = pathOf(type.path);
    const known = byPath.get(path);
    if (known?.some((layout) => layout.text === text) === true) continue;
    const layout: Layout = {
      path,
      size: type.size,
      align: type.kind === 'composite' ? type.align : null,
      text,
      object,
      parts: () => (type.kind === 'composite' ? compositeParts(table, type, names) : enumerationParts(type)),
    };
    if (known === undefined) byPath.set(path, [layout]);
    else known.push(layout);
  }
}

function isVariant(table: TypeTable, type: CompositeType): boolean {
  const outer = type.outer === null ? undefined : table.types.get(type.outer);
  return outer?.kind === 'composite' && outer.variantParts.length > 0;
}

/** A variant's one member is a structure of its own, which no one else can name. Null where it is something else. */
function variantStructure(table: TypeTable, member: Member | undefined): CompositeType | null {
  const inner = member?.type == null ? undefined : table.types.get(member.type);
  return inner?.kind === 'composite' && isVariant(table, inner) ? inner : null;
}

/** The name of a variant: coroutines number theirs, and the structures have the names. */
function variantName(table: TypeTable, { members: [member] }: Variant): string {
  const inner = variantStructure(table, member);
  return inner === null ? (member?.name ?? '') : inner.path.slice(inner.path.lastIndexOf('::') + 2);
}

/** Everything that {@link compositeParts} gives, as text. */
function textOf(table: TypeTable, type: CompositeType, names: Pick<TypeNames, 'nameOf'>): string {
  let text = `${type.union ? 'union ' : ''}${type.size ?? '?'}/${type.align ?? '?'}{${membersText(type.members, 0, names)}}`;
  for (const { discriminant, variants } of type.variantParts) {
    if (discriminant !== null) text += `${names.nameOf(discriminant.type)} at ${discriminant.offset ?? '?'}`;
    for (const variant of variants) {
      text += `[${variant.value ?? 'else'} ${variantName(table, variant)}`;
      for (const member of variant.members) {
        const inner = variantStructure(table, member);
        text +=
          inner === null
            ? `{${membersText([member], 0, names)}}`
            : `{${membersText(inner.members, member.offset ?? 0, names)}}`;
      }
      text += ']';
    }
  }
  return text;
}

function membersText(members: readonly Member[], base: number, names: Pick<TypeNames, 'nameOf'>): string {
  let text = '';
  for (const { name, type, offset, bits } of members) {
    text += `${name ?? ''}@${offset === null ? '' : offset + base}${bits}:${names.nameOf(type)};`;
  }
  return text;
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

function enumerationText({ size, enumerators }: EnumerationType): string {
  return `${size ?? '?'}{${enumerators.map(({ name, value }) => `${name}=${value}`).join()}}`;
}

function enumerationParts({ enumerators }: EnumerationType): LayoutParts {
  return {
    union: false,
    fields: [],
    discriminant: '',
    cases: enumerators.map(({ name, value }) => ({ name, value, fields: [] })),
  };
}
