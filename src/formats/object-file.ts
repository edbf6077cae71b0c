// The one model that every reader produces and everything above reads. It knows no format: constants and
// layouts of ELF, Mach-O, wasm and COFF stay in their folders. What is costly and asked for often (symbols) is a getter
// that a reader computes at first use and keeps. Links, which read all of many files, take columns instead (columns.ts).
import type {
  FileRelocations,
  RelocationColumns,
  RelocationRoom,
  SYMBOL_BINDINGS,
  SYMBOL_KINDS,
  SYMBOL_VISIBILITIES,
  SymbolColumns,
} from './columns.js';

export type Format = 'elf' | 'macho' | 'wasm' | 'coff';
export type MachineName = 'x86_64' | 'arm64' | 'wasm32';
export type FileKind = 'relocatable' | 'executable' | 'shared';

/** What a section holds, in the words of the linker. `other` is neither loaded nor needed (symbol tables, comments). */
export type SectionKind =
  | 'code'
  | 'readonly' // never written, holds no address: .rodata
  | 'relro' // written once by the loader: .data.rel.ro
  | 'data'
  | 'zero' // .bss
  | 'tls-data'
  | 'tls-zero'
  | 'tls-descriptors' // what code finds a thread-local by where a loader gives each its own place: __thread_vars
  | 'init' // addresses of constructors: .init_array
  | 'fini'
  | 'unwind' // .eh_frame
  | 'unwind-table' // one short row for each function: __compact_unwind
  | 'lsda' // .gcc_except_table
  | 'debug'
  | 'note'
  | 'other';

export type PackingMethod = 'zlib' | 'zstd';

/** How a section's bytes are packed; null for a method that is not known. What is packed begins at the offset `start`. */
export interface Packing {
  readonly method: PackingMethod | null;
  readonly start: number;
}

/** One section. `offset` is in the file, `address` is 0 in relocatable files. All sizes in bytes. */
export interface Section {
  readonly index: number;
  readonly name: string;
  /** Does the name begin so? Cheaper than the name, which compilers give every function its own of. */
  nameBegins(text: string): boolean;
  readonly kind: SectionKind;
  /** Loaded into memory at run time. */
  readonly alloc: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  /** Equal entries of this section may share one address (SHF_MERGE); `strings` when they end in NUL. */
  readonly mergeable: boolean;
  readonly strings: boolean;
  readonly entrySize: number;
  readonly address: number;
  readonly offset: number;
  /** In memory; the file holds `fileSize` bytes, 0 for zero-filled ones. */
  readonly size: number;
  readonly fileSize: number;
  /** A power of two, at least 1. */
  readonly align: number;
  /**
   * It was cut where the next begins, so that its end may be padding, zeros or what fills code, and sizes of its symbols may
   * be too large by that. Without: it ends where its content ends.
   */
  readonly padded?: boolean;
  /** Name of the COMDAT group it belongs to, if any. */
  readonly group: string | null;
  /** The linker keeps it although nothing refers to it (SHF_GNU_RETAIN). */
  readonly retain: boolean;
  /**
   * Written for linkers and no part of what they make: symbol tables, relocations, groups, and what is marked so
   * (SHF_EXCLUDE).
   */
  readonly consumed: boolean;
  /** Its bytes are packed (SHF_COMPRESSED): size, alignment, offsets and relocations are those of what they unpack to. */
  readonly packing: Packing | null;
  /** Index of the section that it describes and without which it is of no use (SHF_LINK_ORDER), if any. */
  readonly describes: number | null;
}

export type SymbolKind = (typeof SYMBOL_KINDS)[number];
export type Binding = (typeof SYMBOL_BINDINGS)[number];
export type Visibility = (typeof SYMBOL_VISIBILITIES)[number];

/**
 * One symbol. `value` is an offset in its section in relocatable files, an address in linked ones, where a thread-local
 * one's is an offset in the TLS template. An absolute one's is signed, and NaN where it is no safe integer: such a symbol
 * may stand in a table, but nothing can be computed with it. `section` is only a hint in linked files: tools leave stale
 * indexes there.
 */
export interface ObjectSymbol {
  readonly index: number;
  readonly name: string;
  readonly kind: SymbolKind;
  readonly binding: Binding;
  readonly visibility: Visibility;
  /** Section index, or where else it is. */
  readonly section: number | 'undefined' | 'absolute' | 'common';
  readonly value: number;
  /** 0 when unknown. */
  readonly size: number;
  /** What a function takes and gives, in formats that say it: `(i32, i64) -> i32`. The same text for the same type. */
  readonly signature?: string;
  /** Of an undefined function, in formats that say it: what the host is asked for under which name. */
  readonly host?: { readonly module: string; readonly field: string };
}

/** One relocation as it stands in the file. `type` is the raw number; its row is in src/reloc. */
export interface Relocation {
  /** In the section it applies to (relocatable) or an address (linked). */
  readonly offset: number;
  readonly type: number;
  /** Symbol index; 0 is "no symbol" in ELF. */
  readonly symbol: number;
  /** null when the addend is implicit, in the field itself. */
  readonly addend: number | null;
  /** Index of a second symbol, whose address is taken off; only for numbers whose row says so (`S+A-T`). */
  readonly minus?: number;
}

/** A loaded range of a linked file. `protection` is a subset of "rwx". */
export interface Segment {
  readonly address: number;
  readonly memorySize: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly align: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

/** A file's thread-local template (PT_TLS). */
export interface TlsTemplate {
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** A version of a symbol, as glibc has them. Of an undefined symbol it is the one that is asked of `library`. */
export interface SymbolVersion {
  readonly name: string;
  /** `name@version`, not `name@@version`: only who asks for it by version gets it, no new link. */
  readonly hidden: boolean;
  /** The name that DT_NEEDED has, for undefined symbols. */
  readonly library: string | null;
}

/** For which system a file is: its number, the least version of it and the one that it was made with, each packed. */
export interface PlatformVersion {
  readonly platform: number;
  readonly minimum: number;
  readonly sdk: number;
}

/** What only executables and shared objects have. */
export interface LinkedInfo {
  readonly segments: readonly Segment[];
  readonly tls: TlsTemplate | null;
  /** NT_GNU_BUILD_ID, or null. */
  readonly buildId: Uint8Array | null;
  /** DT_NEEDED names. */
  readonly needed: readonly string[];
  readonly soname: string | null;
  /** Where files of the format say it. */
  readonly platform?: PlatformVersion | null;
  /** May be loaded at any address. */
  readonly positionIndependent: boolean;
  /** The system's loader starts it and brings its libraries in; false for a static executable. Of few libraries true. */
  readonly loaded: boolean;
  /** What it refers to and defines itself is its own, whatever other modules export: all but weak definitions. */
  readonly keepsOwnNames: boolean;
  /** Symbols other modules can see (.dynsym), defined and undefined. */
  readonly dynamicSymbols: readonly ObjectSymbol[];
  /** `dynamicSymbols` as columns; not kept. */
  dynamicColumns(): SymbolColumns;
  /** The version of a dynamic symbol, by its index; null for one without. The same version is the same object. */
  versionOf(symbol: number): SymbolVersion | null;
}

/** A file of any format. `name` is what messages call it: `libfoo.rlib(bar.o)`. */
export interface ObjectFile {
  readonly format: Format;
  readonly machine: MachineName;
  readonly kind: FileKind;
  readonly name: string;
  /** All of the file. Of one that is read by ranges, this reads the rest. */
  readonly bytes: Uint8Array;
  /** A part of them, which lies in the file. A view. */
  range(offset: number, size: number): Uint8Array;
  readonly sections: readonly Section[];
  /** The full table; index = position. Local symbols come in the order of the file. */
  readonly symbols: readonly ObjectSymbol[];
  /** In formats without sections of addresses for that: names of functions that are to run at the start. */
  readonly initialisers?: readonly string[];
  /** How many functions the symbol table defines in code; a fraction of the cost of `symbols`. */
  countFunctions(): number;
  /** How many symbols have one of these names. */
  countNamed(names: readonly string[]): number;
  /**
   * For relocatable files: the relocations that apply to a section, by rising offset. Empty if none. Read anew at every
   * call: who needs them more than once keeps what was made of them.
   */
  relocations(section: number): readonly Relocation[];
  /** `symbols` as columns; not kept. */
  symbolColumns(): SymbolColumns;
  /** `relocations` as columns; not kept. In `room`, where it is given: they are good until it is used again. */
  relocationColumns(section: number, room?: RelocationRoom): RelocationColumns;
  /** The same of all sections that are wanted at once, of the others none; not kept. */
  allRelocationColumns(wanted: (section: number) => boolean): FileRelocations;
  /** Bytes in the file; empty for zero-filled sections. A view, not a copy. */
  sectionBytes(section: number): Uint8Array;
  readonly linked: LinkedInfo | null;
  /**
   * The file that holds what was split off of the debug information (`.dwo`), if there is one. Opened when first asked.
   * Throws as opening an object does.
   */
  readonly debugFile?: () => ObjectFile;
}
