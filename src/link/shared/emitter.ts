// Who writes the file that a link makes: it gets what the passes have found.
import type { MachineName } from '../../formats/object-file.js';
import type { MadeSymbol } from './made-symbols.js';
import type { Merged } from './merge.js';
import type { OutputSection } from './output-section.js';
import type { Scanning } from './scan.js';
import type { LinkTarget } from './target.js';
import type { UnwindSection } from './unwind.js';

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
}

export interface Emitter {
  readonly target: LinkTarget;
  /** Makes the tables, places everything and writes it. */
  emit(parts: LinkParts): Emitted;
}
