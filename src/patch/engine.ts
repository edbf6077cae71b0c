// The engine as the host sees it: files as bytes go in, a patch image or a refusal comes out. Pure: the host reads
// the files, takes the times and talks to the program.
import type { ByteSource } from '../bytes/source.js';
import type { RememberedLayout } from './guard/remembered.js';
import type { ItemReport, PatchImage } from './image/image.js';

/** A file that is read when it is first needed. Reading is synchronous; its result is not kept by the engine. */
export interface InputFile {
  /** What messages call it; for objects of an incremental directory, the codegen unit's file name. */
  readonly name: string;
  read(): Uint8Array;
  /** The same by ranges, for files of which a part is enough. */
  readonly source?: () => ByteSource;
  /** Of an object: the file beside it that holds what was split off of its debug information. */
  readonly debugFile?: InputFile | undefined;
}

/** One item (function, static, thread-local) that differs between two sets of objects. */
export interface ChangedItem {
  /** Demangled. */
  readonly name: string;
  readonly mangled: string;
  readonly kind: 'function' | 'data' | 'type';
  readonly change: 'added' | 'removed' | 'body' | 'initialiser' | 'layout';
  /** Names of the objects that hold it. */
  readonly objects: readonly string[];
  /** Why it counts as changed, outermost first, e.g. ["calls through a new string", "…"]. */
  readonly because: readonly string[];
}

/** One reason for not applying a patch. */
export interface RefusedItem {
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly because: readonly string[];
}

/** What planning a patch yields. */
export type PlanResult =
  | { readonly kind: 'unchanged'; readonly reason: string; readonly went: readonly RememberedLayout[] }
  | { readonly kind: 'refused'; readonly items: readonly RefusedItem[] }
  | {
      readonly kind: 'patch';
      readonly image: PatchImage;
      readonly items: readonly ItemReport[];
      /** Layouts of types that the new code no longer knows; values of them may live on. */
      readonly went: readonly RememberedLayout[];
    };
