// Symbols and relocations as columns of numbers, for links: a symbol as an object costs a microsecond and a relocation
// half of one, a row of columns tens of nanoseconds, and a link of 100 MB of objects has millions. Knows no format; the
// readers fill the columns, with the same checks as the model's symbols and relocations (object-file.ts).

/** Kinds of symbols; a row of `SymbolColumns.kind` is an index here. The first is the kind of what says nothing. */
export const SYMBOL_KINDS = [
  ...(['none', 'data', 'function', 'section', 'file', 'tls', 'ifunc'] as const),
  // What lies in no memory: it is known by an index in a space of its own.
  ...(['global', 'table', 'type', 'tag'] as const),
] as const;
export const KIND_NONE = 0;
export const KIND_DATA = 1;
export const KIND_FUNCTION = 2;
export const KIND_SECTION = 3;
export const KIND_FILE = 4;
export const KIND_TLS = 5;
export const KIND_IFUNC = 6;
export const KIND_GLOBAL = 7;
export const KIND_TABLE = 8;
export const KIND_TYPE = 9;
export const KIND_TAG = 10;

/** Bindings; a row of `SymbolColumns.binding` is an index here. */
export const SYMBOL_BINDINGS = ['local', 'global', 'weak', 'unique'] as const;
export const BINDING_LOCAL = 0;
export const BINDING_GLOBAL = 1;
export const BINDING_WEAK = 2;
export const BINDING_UNIQUE = 3;

/** Visibilities, by how much they hide; a row of `SymbolColumns.visibility` is an index here. */
export const SYMBOL_VISIBILITIES = ['default', 'protected', 'hidden', 'internal'] as const;
export const VISIBILITY_DEFAULT = 0;
export const VISIBILITY_PROTECTED = 1;
export const VISIBILITY_HIDDEN = 2;

/** What `SymbolColumns.section` holds for symbols that are in no section. */
export const SECTION_UNDEFINED = -1;
export const SECTION_ABSOLUTE = -2;
export const SECTION_COMMON = -3;

/** A symbol table. Every column has `count` rows; row = the symbol's index in the file. */
export interface SymbolColumns {
  readonly count: number;
  /** Rows below are local, the others are not. `count` when the table says nothing. */
  readonly firstGlobal: number;
  /** Names are bytes [offset, offset + length) of `bytes`, which is the file's string table. */
  readonly names: { readonly bytes: Uint8Array; readonly offset: Uint32Array; readonly length: Uint32Array };
  readonly kind: Uint8Array;
  readonly binding: Uint8Array;
  readonly visibility: Uint8Array;
  /** Section index, or one of the SECTION_ numbers. */
  readonly section: Int32Array;
  /**
   * As in `ObjectSymbol`; the alignment for common symbols. An absolute symbol's is signed, and NaN where it is not
   * a safe integer: such a symbol may stand in a table, but nothing can be computed with it.
   */
  readonly value: Float64Array;
  readonly size: Float64Array;
  /** Decodes the name of a row. */
  nameOf(row: number): string;
}

/** The relocations that apply to one section, by rising offset; those of one place in the order of the file. */
export interface RelocationColumns {
  /** The columns may be longer. */
  readonly count: number;
  /** In the section. Float64Array only for sections beyond 4 GiB and for linked files, where it is an address. */
  readonly offset: Uint32Array | Float64Array;
  /** Raw numbers, as the machine's rows have them. */
  readonly type: Uint32Array;
  /** Row of the symbol. */
  readonly symbol: Uint32Array;
  /** All 0 where `implicit`. */
  readonly addend: Float64Array;
  /** The addends are in the fields themselves. */
  readonly implicit: boolean;
  /** Row of the symbol whose address is taken off, where the number says that there is one. Left out where none is. */
  readonly minus?: Uint32Array;
}

/** Columns that relocations are read into again and again, by who needs those of one section only until the next. */
export interface RelocationRoom {
  offset: Uint32Array;
  type: Uint32Array;
  symbol: Uint32Array;
  addend: Float64Array;
}

/** Room for so many; it grows. */
export function createRelocationRoom(count = 0): RelocationRoom {
  return {
    offset: new Uint32Array(count),
    type: new Uint32Array(count),
    symbol: new Uint32Array(count),
    addend: new Float64Array(count),
  };
}

/** Makes room for at least `count` rows; what stood there is lost. */
export function growRoom(room: RelocationRoom, count: number): RelocationRoom {
  if (count > room.type.length) Object.assign(room, createRelocationRoom(Math.max(count, room.type.length * 2)));
  return room;
}

/** The relocations of all sections of a file in the same columns, as every set of columns costs microseconds. */
export interface FileRelocations {
  readonly rows: RelocationColumns;
  /** Those of section s are rows [first[s], first[s + 1]), by rising offset. */
  readonly first: Uint32Array;
}
