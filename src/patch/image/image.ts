// A patch image: atoms placed and fixed up, and all that has to happen in the process to make them live.
// This file owns the shape; encoding to a file is in image-file.ts, to agent operations in transaction.ts.
import type {
  LinkedCode,
  ImageSegment,
  Import,
  OwnThreadLocals,
  Rebase,
  TlsInit,
  TlsWord,
  UnwindEntry,
} from '../../link/linked-image.js';

export type { ImageSegment, Import, Rebase, TlsInit, TlsWord };

/** A module's identity: what must match before anything is written into it. */
export interface ModuleIdentity {
  /** For messages only. */
  readonly name: string;
  readonly kind: 'build-id' | 'text-sha256';
  readonly id: Uint8Array;
}

/** Bytes that a redirect replaces. No thread may stand in [at + guardFrom, at + guardTo) when they change. */
export interface Cell {
  readonly module: number;
  readonly at: number;
  readonly oldBytes: Uint8Array;
  readonly newBytes: Uint8Array;
  readonly guardFrom: number;
  readonly guardTo: number;
}

/**
 * A slot, the word in data that a stub jumps through, and where it leads before and after. Both targets are addresses in
 * module 0's space, where patches lie too: what the word holds is the process's to compute.
 */
export interface SlotCell {
  readonly module: number;
  readonly at: number;
  readonly oldTarget: number;
  readonly newTarget: number;
}

/** What a patch writes to become live, and in reverse to be undone. */
export interface Redirection {
  readonly cells: readonly Cell[];
  readonly slots: readonly SlotCell[];
}

/** A symbol that later patches may bind to. `address` in module 0's space, or an offset in the TLS room. */
export interface ImageSymbol {
  readonly name: string;
  readonly kind: 'function' | 'data' | 'readonly' | 'tls';
  readonly address: number;
  readonly size: number;
  /** It takes the place of what the program had under this name: references bind here from now on. */
  readonly moved: boolean;
  /** Of a function in a library: the word by which later patches can redirect it; see LinkedImage.entryWordOf. */
  readonly entryWord: number | null;
}

/** What a patch did to one function or datum, for the person and for later patches. */
export interface ItemReport {
  /** Demangled. */
  readonly name: string;
  readonly mangled: string;
  readonly kind: 'function' | 'data';
  readonly verdict: 'redirected' | 'added' | 'forked' | 'kept' | 'initialiser-changed';
  readonly reason?: string;
}

/** Whose code a part of an image is: an object, as messages call it, and where the bodies lie of functions it defines. */
export interface ImageSource {
  readonly object: string;
  /** By the names that the object has for them. */
  readonly functions: readonly { readonly name: string; readonly address: number }[];
}

export interface PatchImage extends Redirection {
  /** Modules that rebases and cells name; index 0 is the executable the patch belongs to. */
  readonly modules: readonly ModuleIdentity[];
  /** SHA-256 of the patch files that must be live, in order. */
  readonly after: readonly Uint8Array[];
  readonly segments: readonly ImageSegment[];
  /**
   * Of a patch that the process opens as a shared library: the range of module 0's space that stands for it. Segments in
   * there are the library's. Where it lies in truth is the process's to know. Null: all segments are mapped as they are.
   */
  readonly library: { readonly at: number; readonly size: number } | null;
  /** Code that lies in no memory: the patch is then a module of its own, which the process instantiates. */
  readonly code: LinkedCode | null;
  readonly rebases: readonly Rebase[];
  readonly tlsWords: readonly TlsWord[];
  /** Initial values of new thread-locals, by offset in the room; `tlsUsed` is the first free byte after this patch. */
  readonly tlsInit: readonly TlsInit[];
  readonly tlsUsed: number;
  readonly imports: readonly Import[];
  readonly checks: readonly { readonly module: number; readonly at: number; readonly bytes: Uint8Array }[];
  /** Address of the block of frame descriptions, or null. */
  readonly unwind: number | null;
  /** For systems whose unwinders have tables of rows: see LinkedImage. */
  readonly unwindEntries: readonly UnwindEntry[];
  /** Thread-locals of the library's own: see LinkedImage. */
  readonly threadLocals: OwnThreadLocals | null;
  /** Constructors to run once, in order. */
  readonly init: readonly number[];
  readonly symbols: readonly ImageSymbol[];
  /** New bodies of functions whose place is elsewhere: what redirects lead to. By mangled name. */
  readonly bodies: readonly { readonly name: string; readonly address: number }[];
  /** For debuggers, which look for lines in the objects. */
  readonly sources: readonly ImageSource[];
  readonly items: readonly ItemReport[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}
