// The global symbols of a link, as columns by the number of their name. What wins over what is in resolve.ts.
import { copied } from '../../bytes/columns.js';
import { createNameTable, type NameTable } from '../../bytes/name-table.js';

/** Nobody said more than the name. */
export const STATE_UNKNOWN = 0;
export const STATE_UNDEFINED = 1;
/** A member of an archive that was not taken in defines it. */
export const STATE_LAZY = 2;
/** A shared library defines it. */
export const STATE_SHARED = 3;
export const STATE_COMMON = 4;
export const STATE_DEFINED = 5;

/** Values of `section` besides section numbers. */
export const NOWHERE = -1;
export const ABSOLUTE = -2;
/** An address in the result that the link itself computes: `value` is it, after placing. */
export const MADE_ADDRESS = -3;

/** Bits of `flags`. An object refers to it, not weakly. */
export const REFERRED = 1;
/** An object refers to it weakly. */
export const REFERRED_WEAKLY = 2;
/** The definition is weak. */
export const WEAK = 4;
/** Its definition comes from an archive whose symbols are not exported. */
export const FROM_HIDDEN_ARCHIVE = 8;
/** A shared library refers to it. */
export const WANTED_BY_LIBRARY = 32;
/** Something that is kept refers to it. */
export const USED = 64;
/** In the table of dynamic symbols, as a definition or an import. */
export const DYNAMIC = 128;
/** Another module's definition may take its place. */
export const PREEMPTIBLE = 256;
/** The loader makes it one in the whole process. */
export const UNIQUE = 512;

/** Columns over `names.count` rows, grown by {@link growSymbols}. */
export interface SymbolTable {
  readonly names: NameTable;
  capacity: number;
  state: Uint8Array;
  flags: Uint16Array;
  /** One of the model's kinds and visibilities (formats/columns.ts); the visibility is the narrowest of all. */
  kind: Uint8Array;
  visibility: Uint8Array;
  /** Number of the object that defines it; of the library when shared, of the archive when lazy. −1 for none. */
  file: Int32Array;
  /** Row in that file; index of the member when lazy. */
  row: Int32Array;
  /** Section number, or one of the constants above. */
  section: Int32Array;
  /** In the section; the alignment when common. */
  value: Float64Array;
  size: Float64Array;
  /** The first object that refers to it; −1 for none. */
  referrer: Int32Array;
}

/** A table with no symbol. */
export function createSymbols(): SymbolTable {
  // It doubles as names come: a link of one small object takes memory for that.
  const capacity = 0x100;
  return {
    names: createNameTable(capacity),
    capacity,
    state: new Uint8Array(capacity),
    flags: new Uint16Array(capacity),
    kind: new Uint8Array(capacity),
    visibility: new Uint8Array(capacity),
    file: new Int32Array(capacity).fill(-1),
    row: new Int32Array(capacity),
    section: new Int32Array(capacity).fill(NOWHERE),
    value: new Float64Array(capacity),
    size: new Float64Array(capacity),
    referrer: new Int32Array(capacity).fill(-1),
  };
}

/** Makes room for at least `count` rows. */
export function growSymbols(table: SymbolTable, count: number): void {
  if (count <= table.capacity) return;
  const old = table.capacity;
  const capacity = Math.max(old * 2, count);
  table.capacity = capacity;
  table.state = copied(table.state, new Uint8Array(capacity));
  table.flags = copied(table.flags, new Uint16Array(capacity));
  table.kind = copied(table.kind, new Uint8Array(capacity));
  table.visibility = copied(table.visibility, new Uint8Array(capacity));
  table.file = copied(table.file, new Int32Array(capacity).fill(-1, old));
  table.row = copied(table.row, new Int32Array(capacity));
  table.section = copied(table.section, new Int32Array(capacity).fill(NOWHERE, old));
  table.value = copied(table.value, new Float64Array(capacity));
  table.size = copied(table.size, new Float64Array(capacity));
  table.referrer = copied(table.referrer, new Int32Array(capacity).fill(-1, old));
}

/** The number of the name that is bytes [start, end), with a row for it. */
export function symbolAt(table: SymbolTable, bytes: Uint8Array, start: number, end: number): number {
  const number = table.names.intern(bytes, start, end);
  if (table.names.count > table.capacity) growSymbols(table, table.names.count);
  return number;
}

/** The number of a name, with a row for it. */
export function symbolNamed(table: SymbolTable, name: string): number {
  const number = table.names.internText(name);
  growSymbols(table, table.names.count);
  return number;
}

/** The number of a name that some input has, or −1. */
export function findSymbol(table: SymbolTable, name: string): number {
  return table.names.findText(name);
}

/** Are any of these bits set? */
export function hasFlag(table: SymbolTable, symbol: number, bits: number): boolean {
  return ((table.flags[symbol] as number) & bits) !== 0;
}

/** Sets bits. */
export function setFlag(table: SymbolTable, symbol: number, bits: number): void {
  table.flags[symbol] = (table.flags[symbol] as number) | bits;
}

/** Clears bits. */
export function clearFlag(table: SymbolTable, symbol: number, bits: number): void {
  table.flags[symbol] = (table.flags[symbol] as number) & ~bits;
}

/** Either bit or both: an object refers to it. */
export const REFERRED_SOMEHOW = REFERRED | REFERRED_WEAKLY;
export const USED_OR_REFERRED = USED | REFERRED_SOMEHOW;
