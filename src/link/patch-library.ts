// A linked patch as what becomes a shared library, whatever its format: what emitters are given.
import type { MachineName, PlatformVersion } from '../formats/object-file.js';
import type { ImageSegment, LinkedImage } from './linked-image.js';

/** What becomes a library. Addresses are those of the patch; in the file they count from `at`. */
export interface PatchLibrary {
  readonly machine: MachineName;
  /** Of the first page, and bytes of all of them. */
  readonly at: number;
  readonly size: number;
  /** Rising by address. Before the first there is the room that the format wants (emit-library.ts). */
  readonly segments: readonly ImageSegment[];
  /** Words that the process fills: their pages are writable until it has. */
  readonly words: readonly number[];
  /** Of the block of frame records, which ends its segment. */
  readonly unwind: number | null;
  readonly unwindEntries: LinkedImage['unwindEntries'];
  readonly threadLocals: LinkedImage['threadLocals'];
  /** Names of functions, for backtraces. */
  readonly functions: readonly { readonly name: string; readonly address: number }[];
  /** Objects, by their paths, that have the lines of functions, under the objects' names for those. */
  readonly sources: readonly {
    readonly object: string;
    readonly functions: readonly { readonly name: string; readonly address: number }[];
  }[];
  /** The system that the program is for; null where its file does not say. */
  readonly platform: PlatformVersion | null;
  /** What is kept in the file and not loaded: the patch without the segments' bytes; null for none. */
  readonly description: Uint8Array | null;
}
