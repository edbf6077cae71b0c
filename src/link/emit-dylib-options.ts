// What a Mach-O library's load commands say that no input does.
import type { LibraryName } from '../formats/macho/write-linked.js';

export interface DylibOptions {
  /** By which name and versions other files will know it. */
  readonly identity: LibraryName;
  /** Number of the platform, the least version of it, and the version of what it is built against, packed. */
  readonly build: { readonly platform: number; readonly minimum: number; readonly sdk: number };
  readonly fixups: 'chained' | 'opcodes';
  /** Initialisers are told by distances from the file's start, which no loader has to change, not by pointers. */
  readonly initOffsets: boolean;
  readonly searchPaths: readonly string[];
  /** Room behind the load commands, for tools that add some. */
  readonly headerPad: number;
  /** By which name the signature knows the file. */
  readonly identifier: string;
  readonly signed: boolean;
  /** It has a UUID. */
  readonly identified: boolean;
  /** When an object was last written, in seconds, by the name that messages have for it; 0 where nobody knows. */
  modified(file: string): number;
}
