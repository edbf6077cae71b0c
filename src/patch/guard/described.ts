// What objects say of their types, read once per object: pairing items, comparing layouts and comparing vtables all ask
// for it, for plans made ahead and for those made at last. Kept as long as the object is.
import { IpbpError } from '../../codes/error.js';
import { findDebugSections } from '../../formats/dwarf/debug-sections.js';
import { sameTypes, type SameTypes } from '../../formats/dwarf/same-types.js';
import type { DescribedFunction, TypeTable } from '../../formats/dwarf/type-table.js';
import { readTypesAndFunctions } from '../../formats/dwarf/types.js';
import type { ObjectFile } from '../../formats/object-file.js';

/** Types and functions of an object. */
export interface Described extends TypeTable {
  readonly all: readonly DescribedFunction[];
}

const tables = new WeakMap<ObjectFile, Described | null>();
const pairs = new WeakMap<ObjectFile, { readonly other: ObjectFile; readonly same: SameTypes | null }>();

/**
 * What an object describes; null where it does so in a way that is not read (another kind of DWARF).
 * @throws IpbpError IPBP1001 or IPBP1002 when it is broken
 */
export function typesOf(file: ObjectFile): Described | null {
  let known = tables.get(file);
  if (known === undefined) tables.set(file, (known = ifRead(() => readTypesAndFunctions(file))));
  return known;
}

/** Why an object's types are not known although it was compiled with descriptions of them; null where that is not so. */
export function whyNotDescribed(file: ObjectFile): string | null {
  return ifRead(() => findDebugSections(file).missing);
}

/**
 * As {@link sameTypes}; null, too, where descriptions are of a kind that is not read.
 * @throws IpbpError IPBP1001 or IPBP1002 when they are broken
 */
export function sameTypesOf(before: ObjectFile, after: ObjectFile): SameTypes | null {
  const known = pairs.get(after);
  if (known?.other === before) return known.same;
  const same = ifRead(() => sameTypes(before, after));
  pairs.set(after, { other: before, same });
  return same;
}

/**
 * False when {@link sameTypesOf} would be null for certain, which is quickly seen where both were read already: they
 * describe different numbers of things.
 */
export function mayDescribeTheSame(before: ObjectFile, after: ObjectFile): boolean {
  const [old, now] = [tables.get(before), tables.get(after)];
  if (old == null || now == null) return true;
  return (
    old.types.size === now.types.size &&
    old.functions.length === now.functions.length &&
    old.statics.length === now.statics.length &&
    old.vtables.length === now.vtables.length
  );
}

function ifRead<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof IpbpError && error.code === 'IPBP1003') return null;
    throw error;
  }
}
