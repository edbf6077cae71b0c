// What the passes of a link hand on: one state that each of them reads and completes, in the order of shared.ts.
import { createRelocationRoom } from '../../formats/columns.js';
import type { FileRelocations, RelocationRoom, SymbolColumns } from '../../formats/columns.js';
import type { ObjectFile } from '../../formats/object-file.js';
import { type IpbpError, hex } from '../../codes/error.js';
import type { Machine } from '../../reloc/machine.js';
import type { LibraryFile, LibraryUse, LibraryVersions, SharedOptions } from './options.js';
import { createSections, MADE_FILE, type SectionTable } from './sections.js';
import { createSymbols, type SymbolTable } from './symbols.js';
import type { LinkTarget } from './target.js';

/** An object that is part of the link. */
export interface TakenFile {
  readonly number: number;
  readonly file: ObjectFile;
  /** All of the file. */
  readonly bytes: Uint8Array;
  readonly columns: SymbolColumns;
  /** Row → number of the global symbol; −1 for local rows. */
  readonly globals: Int32Array;
  /** Number of its section 0; the others follow. */
  readonly base: number;
  /** What is added to a local row to number all local symbols of the link. */
  readonly localBase: number;
  readonly hidden: boolean;
  /** Those of its relocations that are of what is loaded, once something asked for some. */
  relocations: FileRelocations | null;
}

/** A shared library that was named. */
export interface Library {
  readonly number: number;
  readonly file: LibraryFile;
  /** What the loader looks for. */
  readonly name: string;
  readonly asNeeded: boolean;
  /** What this module has to do with it: needs it, may do without, shows its symbols as its own, is needed by it, too. */
  readonly how: LibraryUse;
  readonly versions: LibraryVersions;
  used: boolean;
}

export interface Link {
  readonly options: SharedOptions;
  readonly target: LinkTarget;
  readonly machine: Machine;
  readonly files: TakenFile[];
  readonly libraries: Library[];
  readonly symbols: SymbolTable;
  readonly sections: SectionTable;
  /** For relocations that are not kept. */
  readonly room: RelocationRoom;
  /** Sections that are left out for another object's copy: the symbol that is in both, and its offset in this one. */
  readonly copies: Map<number, { readonly symbol: number; readonly offset: number }>;
  /** How many local symbols there are in all objects. */
  localCount: number;
  /** All of its code promises that jumps through registers and words lead to landings only; so must what the link makes. */
  landings: boolean;
  readonly errors: IpbpError[];
  readonly warnings: string[];
}

/** A link before its first pass. */
export function openLink(machine: Machine, options: SharedOptions, target: LinkTarget): Link {
  return {
    options,
    target,
    machine,
    files: [],
    libraries: [],
    symbols: createSymbols(),
    sections: createSections(),
    room: createRelocationRoom(),
    copies: new Map(),
    localCount: 0,
    landings: false,
    errors: [],
    warnings: [],
  };
}

/** How messages call a place in a section: `libfoo.a(bar.o): .text.f+0x12`. */
export function placeIn(link: Link, section: number, offset: number): string {
  const file = link.sections.file[section] ?? MADE_FILE;
  const name = link.sections.section[section]?.name ?? '?';
  return `${link.files[file]?.file.name ?? 'made by the link'}: ${name}+${hex(offset)}`;
}

/** Errors beyond this many are not collected: the first ones say it. */
const MOST_ERRORS = 100;

/** Notes an error; the link goes on to find others. */
export function report(link: Link, error: IpbpError): void {
  if (link.errors.length < MOST_ERRORS) link.errors.push(error);
}
