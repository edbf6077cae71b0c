// The types that an object describes: from the entries of .debug_info (DWARF 5 §5) to a table by offset. Names are full
// paths, made of the namespaces around them. What two tables mean for each other is for src/patch.
import { LIMITS } from '../../bytes/limits.js';
import type { ObjectFile } from '../object-file.js';
import * as dw from './constants.js';
import { openDebugSections, type DebugSections } from './debug-sections.js';
import { EntryCursor } from './info.js';
import type {
  Member,
  Variant,
  VariantPart,
  DwarfType,
  NumberedFunction,
  DescribedFunction,
  DescribedStatic,
  DescribedVtable,
  TypeTable,
} from './type-table.js';

/** How rustc calls the constant that is a vtable: `<app::Square as app::Shape>::{vtable}`. */
export const OPENING_ANGLE = 0x3c;
const VTABLE = '::{vtable}';

/** What the names of closures and coroutines begin with. */
export const OPENING_BRACE = 0x7b;

/** Entries that say something of types by themselves. Functions and variables are looked at, too: see `entry`. */
export const DESCRIBES_TYPES: ReadonlySet<number> = new Set([
  dw.DW_TAG_namespace,
  dw.DW_TAG_structure_type,
  dw.DW_TAG_class_type,
  dw.DW_TAG_union_type,
  dw.DW_TAG_member,
  dw.DW_TAG_inheritance,
  dw.DW_TAG_variant_part,
  dw.DW_TAG_variant,
  dw.DW_TAG_enumeration_type,
  dw.DW_TAG_enumerator,
  dw.DW_TAG_array_type,
  dw.DW_TAG_subrange_type,
  dw.DW_TAG_base_type,
  dw.DW_TAG_pointer_type,
  dw.DW_TAG_reference_type,
  dw.DW_TAG_rvalue_reference_type,
  dw.DW_TAG_typedef,
  dw.DW_TAG_const_type,
  dw.DW_TAG_volatile_type,
  dw.DW_TAG_restrict_type,
  dw.DW_TAG_atomic_type,
  dw.DW_TAG_subroutine_type,
  dw.DW_TAG_unspecified_type,
]);

const NOTHING: TypeTable = { types: new Map(), functions: [], statics: [], vtables: [] };

/** What the entries at one depth belong to. */
interface Scope {
  /** Of what is declared here, with `::` at the end unless it is empty. */
  readonly prefix: string;
  readonly members: Member[] | null;
  readonly variantParts: VariantPart[] | null;
  readonly part: { readonly offset: number | null; readonly variants: Variant[] } | null;
  readonly setDiscriminant: ((member: Member) => void) | null;
  readonly enumerators: { name: string; value: string }[] | null;
  readonly counts: (number | null)[] | null;
  /** Of the function that this is the inside of. */
  readonly parameters: (number | null)[] | null;
  /** The composite type that this is the inside of. */
  readonly composite: number | null;
}

const ROOT: Scope = {
  prefix: '',
  members: null,
  variantParts: null,
  part: null,
  setDiscriminant: null,
  enumerators: null,
  counts: null,
  parameters: null,
  composite: null,
};

/**
 * Reads the types of an object. Empty when it has no type descriptions.
 * @throws IpbpError IPBP1001 and IPBP1002 when they are broken, IPBP1003 when they are of a kind that is not read
 */
export function readTypes(file: ObjectFile): TypeTable {
  return read(file, null);
}

/** As {@link readTypes}, with every function that has a symbol's name. */
export function readTypesAndFunctions(file: ObjectFile): TypeTable & { readonly all: readonly DescribedFunction[] } {
  const all: DescribedFunction[] = [];
  return { ...read(file, all), all };
}

function read(file: ObjectFile, all: DescribedFunction[] | null): TypeTable {
  const sections = openDebugSections(file);
  if (sections === null) return NOTHING;
  const builder = new TypeBuilder(sections, all);
  const cursor = new EntryCursor(sections);
  const scopes: Scope[] = [ROOT];
  while (cursor.next()) {
    const inside = builder.entry(cursor, cursor.depth === 0 ? ROOT : (scopes[cursor.depth] as Scope));
    if (cursor.children) scopes[cursor.depth + 1] = inside;
  }
  const { types, functions, statics, vtables } = builder;
  return { types, functions, statics, vtables };
}

/** Takes one entry after the other. A class because it gathers. */
class TypeBuilder {
  readonly types = new Map<number, DwarfType>();
  readonly functions: NumberedFunction[] = [];
  readonly statics: DescribedStatic[] = [];
  readonly vtables: DescribedVtable[] = [];
  private readonly sections: DebugSections;
  /** Where functions are gathered; null when nobody asks for them. */
  private readonly all: DescribedFunction[] | null;
  private readonly pathLimit: number;
  private pathLength = 0;

  constructor(sections: DebugSections, all: DescribedFunction[] | null) {
    this.sections = sections;
    this.all = all;
    this.pathLimit = sections.info.length * LIMITS.typePathReuse;
  }

  /** Notes what an entry says; gives the scope of its children. */
  entry(cursor: EntryCursor, scope: Scope): Scope {
    switch (cursor.tag) {
      case dw.DW_TAG_namespace:
        return this.inside(cursor, scope, cursor.text(dw.DW_AT_name) ?? '{anonymous}');
      case dw.DW_TAG_subprogram:
        return this.subprogram(cursor, scope);
      case dw.DW_TAG_structure_type:
      case dw.DW_TAG_class_type:
      case dw.DW_TAG_union_type:
        return this.composite(cursor, scope);
      case dw.DW_TAG_member:
      case dw.DW_TAG_inheritance:
        this.member(cursor, scope);
        return scope;
      case dw.DW_TAG_variant_part:
        return variantPart(cursor, scope);
      case dw.DW_TAG_variant: {
        const members: Member[] = [];
        const value = cursor.constant(dw.DW_AT_discr_value) ?? cursor.constant(dw.DW_AT_discr_list);
        scope.part?.variants.push({ value, members });
        return { ...scope, members, part: null, setDiscriminant: null };
      }
      case dw.DW_TAG_enumeration_type:
        return this.enumeration(cursor, scope);
      case dw.DW_TAG_enumerator:
        scope.enumerators?.push({
          name: cursor.text(dw.DW_AT_name) ?? '',
          value: cursor.constant(dw.DW_AT_const_value) ?? '',
        });
        return scope;
      case dw.DW_TAG_array_type: {
        const counts: (number | null)[] = [];
        this.types.set(cursor.offset, { kind: 'array', element: cursor.reference(dw.DW_AT_type), counts });
        return { ...ROOT, prefix: scope.prefix, counts };
      }
      case dw.DW_TAG_subrange_type:
        scope.counts?.push(countOf(cursor));
        return scope;
      case dw.DW_TAG_variable:
        this.variable(cursor);
        return scope;
      case dw.DW_TAG_formal_parameter:
        scope.parameters?.push(cursor.reference(dw.DW_AT_type));
        return scope;
      default:
        this.simple(cursor);
        // A block's or an inlined function's parameters are not those of the function around it.
        return scope.parameters === null ? scope : { ...scope, parameters: null };
    }
  }

  /** Types that consist of one entry. */
  private simple(cursor: EntryCursor): void {
    const { tag, offset } = cursor;
    switch (tag) {
      case dw.DW_TAG_base_type: {
        const path = cursor.text(dw.DW_AT_name) ?? '';
        const size = cursor.number(dw.DW_AT_byte_size);
        this.types.set(offset, { kind: 'base', path, size, encoding: cursor.number(dw.DW_AT_encoding) });
        return;
      }
      case dw.DW_TAG_pointer_type:
      case dw.DW_TAG_reference_type:
      case dw.DW_TAG_rvalue_reference_type: {
        // Most pointers are only variables' and parameters'.
        const name = cursor.laterText(dw.DW_AT_name);
        this.types.set(offset, { kind: 'pointer', name, target: cursor.reference(dw.DW_AT_type) });
        return;
      }
      case dw.DW_TAG_typedef:
      case dw.DW_TAG_const_type:
      case dw.DW_TAG_volatile_type:
      case dw.DW_TAG_restrict_type:
      case dw.DW_TAG_atomic_type: {
        const name = cursor.text(dw.DW_AT_name);
        this.types.set(offset, { kind: 'alias', name, target: cursor.reference(dw.DW_AT_type) });
        return;
      }
      case dw.DW_TAG_subroutine_type:
      case dw.DW_TAG_unspecified_type:
        this.types.set(offset, { kind: 'opaque', name: cursor.text(dw.DW_AT_name) });
    }
  }

  private inside(cursor: EntryCursor, scope: Scope, name: string): Scope {
    return cursor.children ? { ...ROOT, prefix: `${this.path(cursor, scope, name)}::` } : scope;
  }

  private path(cursor: EntryCursor, scope: Scope, name: string): string {
    const path = scope.prefix + name;
    this.pathLength += path.length;
    if (this.pathLength > this.pathLimit) cursor.malformed('paths of types are too long');
    return path;
  }

  private subprogram(cursor: EntryCursor, scope: Scope): Scope {
    if (cursor.beginsWith(dw.DW_AT_name, OPENING_BRACE)) {
      const linkageName = cursor.text(dw.DW_AT_linkage_name);
      const name = cursor.text(dw.DW_AT_name) ?? '';
      if (linkageName !== null) this.functions.push({ path: this.path(cursor, scope, name), linkageName });
    }
    const parameters = this.signature(cursor, scope);
    if (parameters !== null) return { ...ROOT, prefix: scope.prefix, parameters };
    // Types inside a function's entry are C's (Rust puts them into namespaces): they are called as if they stood outside.
    return scope === ROOT ? ROOT : { ...ROOT, prefix: scope.prefix };
  }

  /** Notes a function with all it takes; gives the list that its parameters go to. */
  private signature(cursor: EntryCursor, scope: Scope): (number | null)[] | null {
    const linkageName = this.all === null ? null : cursor.text(dw.DW_AT_linkage_name);
    if (this.all === null || linkageName === null) return null;
    const parameters: (number | null)[] = [];
    const path = this.path(cursor, scope, cursor.text(dw.DW_AT_name) ?? '');
    this.all.push({ linkageName, path, returns: cursor.reference(dw.DW_AT_type), parameters });
    return parameters;
  }

  private composite(cursor: EntryCursor, scope: Scope): Scope {
    const name = cursor.text(dw.DW_AT_name);
    const path = name === null ? '' : this.path(cursor, scope, name);
    const members: Member[] = [];
    const variantParts: VariantPart[] = [];
    if (!cursor.has(dw.DW_AT_declaration)) {
      this.types.set(cursor.offset, {
        kind: 'composite',
        path,
        outer: scope.composite,
        union: cursor.tag === dw.DW_TAG_union_type,
        size: cursor.number(dw.DW_AT_byte_size),
        align: cursor.number(dw.DW_AT_alignment),
        members,
        variantParts,
      });
    } else if (name !== null) this.types.set(cursor.offset, { kind: 'opaque', name: path });
    const prefix = name === null ? scope.prefix : `${path}::`;
    return { ...ROOT, prefix, members, variantParts, composite: cursor.offset };
  }

  private member(cursor: EntryCursor, scope: Scope): void {
    if (cursor.has(dw.DW_AT_declaration)) return;
    const bitSize = cursor.has(dw.DW_AT_bit_size) ? cursor.constant(dw.DW_AT_bit_size) : null;
    const member: Member = {
      name: cursor.text(dw.DW_AT_name),
      type: cursor.reference(dw.DW_AT_type),
      offset: cursor.number(dw.DW_AT_data_member_location),
      bits: bitSize === null ? '' : `${cursor.constant(dw.DW_AT_data_bit_offset) ?? ''}:${bitSize}`,
    };
    if (scope.part?.offset === cursor.offset) scope.setDiscriminant?.(member);
    else scope.members?.push(member);
  }

  private enumeration(cursor: EntryCursor, scope: Scope): Scope {
    const name = cursor.text(dw.DW_AT_name);
    const enumerators: { name: string; value: string }[] = [];
    this.types.set(cursor.offset, {
      kind: 'enumeration',
      path: name === null ? '' : this.path(cursor, scope, name),
      size: cursor.number(dw.DW_AT_byte_size),
      enumerators,
    });
    return { ...ROOT, prefix: scope.prefix, enumerators };
  }

  private variable(cursor: EntryCursor): void {
    const linkageName = cursor.text(dw.DW_AT_linkage_name);
    if (linkageName !== null) {
      const type = cursor.reference(dw.DW_AT_type);
      if (type !== null) this.statics.push({ linkageName, type });
      return;
    }
    const vtable = describedVtable(cursor, this.sections);
    if (vtable !== null) this.vtables.push(vtable);
  }
}

/** The vtable that a variable's entry describes; null when it is another variable. */
export function describedVtable(cursor: EntryCursor, sections: DebugSections): DescribedVtable | null {
  // Names first: local variables have computed places.
  if (!cursor.beginsWith(dw.DW_AT_name, OPENING_ANGLE)) return null;
  const name = cursor.text(dw.DW_AT_name);
  if (name?.endsWith(VTABLE) !== true) return null;
  const address = cursor.addressPlace();
  const place = address === null ? null : sections.address(address);
  return place === null ? null : { name: name.slice(0, -VTABLE.length), place };
}

function variantPart(cursor: EntryCursor, scope: Scope): Scope {
  const variants: Variant[] = [];
  let discriminant: Member | null = null;
  scope.variantParts?.push({
    get discriminant() {
      return discriminant;
    },
    variants,
  });
  return {
    ...scope,
    members: null,
    part: { offset: cursor.reference(dw.DW_AT_discr), variants },
    setDiscriminant: (member) => {
      discriminant = member;
    },
  };
}

/** An array's length: `count`, or the highest index (§5.5). A lower bound other than C's and Rust's 0 is not seen. */
function countOf(cursor: EntryCursor): number | null {
  const count = cursor.number(dw.DW_AT_count);
  if (count !== null) return count;
  const last = cursor.number(dw.DW_AT_upper_bound);
  return last === null ? null : last + 1;
}
