// Who writes the file that a link makes: it gets what the passes have found, and tells them of what only it can read.
import type { MachineName } from '../../formats/object-file.js';
import type { Link } from './link-state.js';
import type { MadeSymbol } from './made-symbols.js';
import type { Merged } from './merge.js';
import type { OutputSection } from './output-section.js';
import type { Scanning } from './scan.js';
import type { LinkTarget } from './target.js';
import type { UnwindSection } from './unwind.js';
import type { Values } from './values.js';

/** What the passes have found. */
export interface LinkParts {
  readonly scanning: Scanning;
  readonly made: readonly MadeSymbol[];
  readonly merged: Merged;
  readonly unwind: UnwindSection | null;
  readonly machine: MachineName;
}

/** The file. Errors of fixups are collected in the link; the bytes are of no use then. */
export interface Emitted {
  readonly bytes: Uint8Array;
  readonly outputs: readonly OutputSection[];
  readonly values: Values;
}

/** What lives with a section because a table says so that the passes do not read: `visit` gets file and row of symbols. */
export type Companions = (section: number, visit: (file: number, row: number) => void) => void;

/** One link's file in the making. */
export interface Emission {
  readonly companions: Companions | null;
  /** Does such a table tell how to unwind the code at an offset of a section, so that it needs no record of the other form? */
  isDescribed(section: number, offset: number): boolean;
  /** Notes what such tables need. */
  scan(scanning: Scanning): void;
  /** Makes the tables, places everything and writes it. */
  emit(parts: LinkParts): Emitted;
}

export interface Emitter {
  readonly target: LinkTarget;
  /** Begins, when all objects are known. */
  open(link: Link): Emission;
}
