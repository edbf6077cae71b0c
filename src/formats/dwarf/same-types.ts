// Do two versions of an object describe the same types? Most edits touch no type, and then both say the same in the same
// order: going through both side by side, comparing names as bytes, costs a fifth of making tables of them.
import { LIMITS } from '../../bytes/limits.js';
import type { ObjectFile } from '../object-file.js';
import * as dw from './constants.js';
import { openDebugSections, type DebugSections } from './debug-sections.js';
import { EntryCursor } from './info.js';
import type { DescribedVtable } from './type-table.js';
import { DESCRIBES_TYPES, describedVtable, OPENING_ANGLE, OPENING_BRACE } from './types.js';

/** Constants that are part of a layout. */
const NUMBERS = [
  dw.DW_AT_byte_size,
  dw.DW_AT_alignment,
  dw.DW_AT_data_member_location,
  dw.DW_AT_discr_value,
  dw.DW_AT_discr_list,
  dw.DW_AT_const_value,
  dw.DW_AT_encoding,
  dw.DW_AT_count,
  dw.DW_AT_upper_bound,
  dw.DW_AT_bit_size,
  dw.DW_AT_data_bit_offset,
  dw.DW_AT_declaration,
] as const;
const REFERENCES = [dw.DW_AT_type, dw.DW_AT_discr] as const;

/** The vtables that two versions describe, in one order: what is in them is not a matter of types. */
export interface SameTypes {
  readonly vtables: readonly (readonly [DescribedVtable, DescribedVtable])[];
  /** What functions with a symbol's name take and give, on either side: those need not be the same. */
  compareSignatures(wanted: ReadonlySet<string>): ComparedSignatures;
}

/** Functions, by mangled name, as two versions of an object describe them. */
export interface ComparedSignatures {
  readonly same: ReadonlySet<string>;
  readonly changed: ReadonlySet<string>;
  /** Described by one version only. */
  readonly alone: ReadonlySet<string>;
}

/**
 * Not null when both describe types, and entry for entry the same ones, also the same types of statics and the same
 * numbered functions. Null when anything differs, is in another order, or when there are no types at all.
 * @throws IpbpError as readTypes does
 */
export function sameTypes(a: ObjectFile, b: ObjectFile): SameTypes | null {
  const [left, right] = [openDebugSections(a), openDebugSections(b)];
  if (left === null || right === null) return null;
  const [one, other] = [new EntryCursor(left), new EntryCursor(right)];
  /** Offset of each type there → here, and what references must turn out to mean. */
  const twins = new Map<number, number>();
  const [leftFunctions, rightFunctions] = [new FunctionNotes(), new FunctionNotes()];
  const references: number[] = [];
  const vtables: (readonly [DescribedVtable, DescribedVtable])[] = [];
  // Names that overlap without end are for readTypes to refuse.
  const sizeOf = ({ info, strings }: DebugSections): number => info.length + strings.length;
  let budget = LIMITS.nameReuse * (a.bytes.length + b.bytes.length + sizeOf(left) + sizeOf(right));
  const sameName = (attribute: TextAttribute): boolean => {
    const length = sameText(one, other, attribute);
    budget -= length ?? 0;
    return length !== null && budget >= 0;
  };
  for (;;) {
    const more = nextOfInterest(one, leftFunctions);
    if (more !== nextOfInterest(other, rightFunctions)) return null;
    if (!more) break;
    if (one.tag !== other.tag || one.depth !== other.depth) return null;
    if (!sameName(dw.DW_AT_name) || !sameName(dw.DW_AT_linkage_name)) return null;
    for (const attribute of NUMBERS) {
      if (!one.has(attribute) && !other.has(attribute)) continue;
      if (one.constant(attribute) !== other.constant(attribute)) return null;
    }
    for (const attribute of REFERENCES) {
      const [from, to] = [one.reference(attribute), other.reference(attribute)];
      if ((from === null) !== (to === null)) return null;
      if (from !== null && to !== null) references.push(from, to);
    }
    if (isVtable(one)) {
      const [from, to] = [describedVtable(one, left), describedVtable(other, right)];
      if (from === null || to === null) return null;
      vtables.push([from, to]);
    }
    twins.set(one.offset, other.offset);
  }
  for (let at = 0; at < references.length; at += 2) {
    if (twins.get(references[at] as number) !== references[at + 1]) return null;
  }
  if (twins.size === 0) return null;
  const isTwin = (from: number | null, to: number | null): boolean =>
    from === null || to === null ? from === to : twins.get(from) === to;
  return {
    vtables,
    compareSignatures: (wanted) => compareNotes(leftFunctions.all, rightFunctions.all, wanted, isTwin),
  };
}

/** One function; its name is decoded when asked for. */
interface FunctionNote {
  readonly name: () => string;
  readonly returns: number | null;
  readonly parameters: (number | null)[];
}

/** Notes the functions that a cursor passes. A class because it gathers. */
class FunctionNotes {
  readonly all: FunctionNote[] = [];
  private inside: FunctionNote | null = null;
  private depth = 0;

  pass(cursor: EntryCursor): void {
    if (this.inside !== null) {
      if (cursor.depth <= this.depth) this.inside = null;
      else if (cursor.depth === this.depth + 1 && cursor.tag === dw.DW_TAG_formal_parameter) {
        this.inside.parameters.push(cursor.reference(dw.DW_AT_type));
        return;
      }
    }
    if (cursor.tag !== dw.DW_TAG_subprogram) return;
    const name = cursor.laterText(dw.DW_AT_linkage_name);
    if (name === null) return;
    const note: FunctionNote = { name, returns: cursor.reference(dw.DW_AT_type), parameters: [] };
    this.all.push(note);
    if (cursor.children) [this.inside, this.depth] = [note, cursor.depth];
  }
}

function compareNotes(
  before: readonly FunctionNote[],
  after: readonly FunctionNote[],
  wanted: ReadonlySet<string>,
  isTwin: (from: number | null, to: number | null) => boolean,
): ComparedSignatures {
  const [same, changed, alone] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const old = new Map<string, FunctionNote>();
  for (const note of before) {
    const name = note.name();
    if (wanted.has(name)) old.set(name, note);
  }
  for (const note of after) {
    const name = note.name();
    if (!wanted.has(name)) continue;
    const was = old.get(name);
    if (was === undefined) alone.add(name);
    else {
      const equal =
        isTwin(was.returns, note.returns) &&
        was.parameters.length === note.parameters.length &&
        was.parameters.every((type, at) => isTwin(type, note.parameters[at] ?? null));
      (equal ? same : changed).add(name);
    }
  }
  for (const name of old.keys()) if (!same.has(name) && !changed.has(name)) alone.add(name);
  return { same, changed, alone };
}

/** Moves on to the next entry that {@link readTypes} would note. */
function nextOfInterest(cursor: EntryCursor, functions: FunctionNotes): boolean {
  while (cursor.next()) {
    functions.pass(cursor);
    if (DESCRIBES_TYPES.has(cursor.tag)) return true;
    if (cursor.tag === dw.DW_TAG_variable && (cursor.has(dw.DW_AT_linkage_name) || isVtable(cursor))) return true;
    if (cursor.tag === dw.DW_TAG_subprogram && cursor.beginsWith(dw.DW_AT_name, OPENING_BRACE)) return true;
  }
  return false;
}

function isVtable(cursor: EntryCursor): boolean {
  return (
    cursor.tag === dw.DW_TAG_variable &&
    cursor.beginsWith(dw.DW_AT_name, OPENING_ANGLE) &&
    !cursor.has(dw.DW_AT_linkage_name)
  );
}

type TextAttribute = typeof dw.DW_AT_name | typeof dw.DW_AT_linkage_name;

/** How many bytes two equal texts have; null when they differ. */
function sameText(one: EntryCursor, other: EntryCursor, attribute: TextAttribute): number | null {
  const [left, right] = [one.textPlace(attribute), other.textPlace(attribute)];
  if (left === null || right === null) return left === right ? 0 : null;
  const [a, b] = [left.reader.bytes, right.reader.bytes];
  for (let at = 0; ; at++) {
    const byte = a[left.offset + at];
    if (byte !== b[right.offset + at]) return null;
    if (byte === 0 || byte === undefined) return at;
  }
}
