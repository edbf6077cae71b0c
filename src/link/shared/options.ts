// What a link of a shared object is told: its inputs, and its options as data. Command lines are parsed elsewhere, and
// files are opened by who calls.
import type { Archive } from '../../formats/archive.js';
import type { LinkedInfo, ObjectFile, PackingMethod } from '../../formats/object-file.js';

/** What a link sees of a library: of the library itself, or of a description of it. */
export interface LibraryFile extends Pick<ObjectFile, 'format' | 'machine' | 'name'> {
  readonly linked: Pick<LinkedInfo, 'soname' | 'dynamicColumns' | 'versionOf'> | null;
}

/** One input, in the order of the command line. */
export type LinkInput =
  | {
      readonly kind: 'object';
      readonly file: ObjectFile;
    }
  | {
      readonly kind: 'archive';
      readonly archive: Archive;
      /** All members are taken, not only those that are asked for. */
      readonly whole: boolean;
      /** What its members define is not exported (--exclude-libs). */
      readonly hidden: boolean;
    }
  | {
      readonly kind: 'shared';
      readonly file: LibraryFile;
      /** What the loader is to look for; null for the library's own name for itself. */
      readonly neededAs: string;
      /** Named as needed only if something refers to it. */
      readonly asNeeded: boolean;
      /** `needed` without. */
      readonly how?: LibraryUse;
      readonly versions?: LibraryVersions;
    };

/** How a module uses a library. */
export type LibraryUse = 'needed' | 'weak' | 'reexported' | 'upward';

/** Packed, 16, 8 and 8 bits: which it is, and the least that it can stand in for. */
export interface LibraryVersions {
  readonly currentVersion: number;
  readonly compatibilityVersion: number;
}

/** What a version script says of a name: true exported, false local, null nothing. */
export type ExportRule = (name: string) => boolean | null;

/** `name` gets the value of `base` (a symbol, or null for 0) plus `offset`. */
export interface DefinedSymbol {
  readonly name: string;
  readonly base: string | null;
  readonly offset: number;
}

/**
 * Unpacks sections, by method; what there is nothing for is left out of the result. Gives exactly `size` bytes, or throws
 * when that is not what was packed.
 */
export type Unpackers = Readonly<Partial<Record<PackingMethod, (packed: Uint8Array, size: number) => Uint8Array>>>;

export interface SharedOptions {
  readonly soname: string | null;
  /** Symbol or address for the header; kept when sections are dropped. */
  readonly entry: string | null;
  /** Names of the functions that the loader runs first and last, if they are defined. */
  readonly init: string;
  readonly fini: string;
  readonly exportRule: ExportRule | null;
  /** Of --dynamic-list: only these may be replaced by other modules' symbols of the name. */
  readonly dynamicList: ((name: string) => boolean) | null;
  /** Which exported symbols are bound to the own definition. */
  readonly symbolic: 'none' | 'functions' | 'strong' | 'all';
  /** Drop sections that nothing reaches. */
  readonly gc: boolean;
  /** Symbols that count as referred to (--undefined). */
  readonly keep: readonly string[];
  readonly defined: readonly DefinedSymbol[];
  readonly wrap: readonly string[];
  /** Undefined symbols that no library has. */
  readonly unresolved: 'allow' | 'warn' | 'error';
  /** Of these it is allowed. */
  readonly unresolvedNames: readonly string[];
  readonly textAddress: number | null;
  /** `size` bytes that `digest` makes of the file with zeros in their place; or the very bytes. */
  readonly buildId: BuildId | null;
  readonly hashStyle: 'gnu' | 'sysv' | 'both';
  /** Rebases of words are packed into bits. */
  readonly packRelative: boolean;
  readonly unwindHeader: boolean;
  readonly strip: 'none' | 'debug' | 'all';
  /** Local symbols that are left out of the symbol table: those of compilers (`.L`), or all. */
  readonly discard: 'none' | 'temporary' | 'all';
  readonly rpath: string | null;
  /** The path is looked at after LD_LIBRARY_PATH, not before. */
  readonly runpath: boolean;
  /** Bind functions at the start, and make their slots read-only then. */
  readonly now: boolean;
  readonly relro: boolean;
  readonly noDelete: boolean;
  readonly origin: boolean;
  readonly noOpen: boolean;
  readonly executableStack: boolean;
  /** Relocations in read-only sections are allowed (-z notext). */
  readonly textRelocations: boolean;
  readonly maxPageSize: number | null;
  readonly unpack: Unpackers;
}

export type BuildId =
  { readonly size: number; readonly digest: (file: Uint8Array) => Uint8Array } | { readonly bytes: Uint8Array };

/** What `-shared` alone means. */
export const DEFAULT_SHARED_OPTIONS: SharedOptions = {
  soname: null,
  entry: null,
  init: '_init',
  fini: '_fini',
  exportRule: null,
  dynamicList: null,
  symbolic: 'none',
  gc: false,
  keep: [],
  defined: [],
  wrap: [],
  unresolved: 'allow',
  unresolvedNames: [],
  textAddress: null,
  buildId: null,
  hashStyle: 'both',
  packRelative: false,
  unwindHeader: false,
  strip: 'none',
  discard: 'temporary',
  rpath: null,
  runpath: true,
  now: false,
  relro: true,
  noDelete: false,
  origin: false,
  noOpen: false,
  executableStack: false,
  textRelocations: false,
  maxPageSize: null,
  unpack: {},
};
