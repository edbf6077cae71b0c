// How types are called and what their layouts say, as text, from the tables of formats/dwarf: every reference to another
// type is its name. What an object calls its types itself is spelled once, however often it is asked for.
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

/** Gives the name to compare a path by: another one only where what is in it is numbered by position (`#`). */
export type PathOf = (path: string) => string;

/** Every path as the object has it. */
export const AS_IT_IS: PathOf = (path) => path;

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
  let own = ownNames.get(table);
  if (own === undefined) ownNames.set(table, (own = makeNames(table, object, AS_IT_IS, null)));
  return pathOf === AS_IT_IS ? own : makeNames(table, object, pathOf, own);
}

const ownNames = new WeakMap<TypeTable, TypeNames>();

/** @param own how the object calls its types itself, which holds for those without numbers */
function makeNames(table: TypeTable, object: string, pathOf: PathOf, own: TypeNames | null): TypeNames {
  const names = new Map<number, string>();
  const nameOf = (type: number | null, depth: number): string => {
    if (type === null) return '()';
    const known = names.get(type);
    if (known !== undefined) return known;
    const plain = own?.nameOf(type);
    if (plain?.includes('#') === false) return plain;
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

/** Is a structure one variant of an enumeration, and so part of that one's layout? */
export function isVariant(table: TypeTable, type: CompositeType): boolean {
  const outer = type.outer === null ? undefined : table.types.get(type.outer);
  return outer?.kind === 'composite' && outer.variantParts.length > 0;
}

/** A variant's one member is a structure of its own, which no one else can name. Null where it is something else. */
export function variantStructure(table: TypeTable, member: Member | undefined): CompositeType | null {
  const inner = member?.type == null ? undefined : table.types.get(member.type);
  return inner?.kind === 'composite' && isVariant(table, inner) ? inner : null;
}

/** The name of a variant: coroutines number theirs, and the structures have the names. */
export function variantName(table: TypeTable, { members: [member] }: Variant): string {
  const inner = variantStructure(table, member);
  return inner === null ? (member?.name ?? '') : inner.path.slice(inner.path.lastIndexOf('::') + 2);
}

/** Everything that is inside of a type, as text. */
export function textOf(table: TypeTable, type: CompositeType, names: Pick<TypeNames, 'nameOf'>): string {
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

/** Size and values of a plain enumeration, as text. */
export function enumerationText({ size, enumerators }: EnumerationType): string {
  return `${size ?? '?'}{${enumerators.map(({ name, value }) => `${name}=${value}`).join()}}`;
}
