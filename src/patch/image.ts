// A patch image: atoms placed and fixed up, and all that has to happen in the process to make them live.
// This file owns the shape; encoding to a file is in image-file.ts, to agent operations in transaction.ts.

/** A module's identity: what must match before anything is written into it. */
export interface ModuleIdentity {
  /** For messages only. */
  readonly name: string;
  readonly kind: 'build-id' | 'text-sha256';
  readonly id: Uint8Array;
}

/** Addresses are of module 0's own space (its ELF addresses): patches lie below it, at negative ones. */
export interface ImageSegment {
  readonly address: number;
  /** In memory; a multiple of the page size. */
  readonly size: number;
  readonly protection: 'r' | 'rx' | 'rw';
  /** The first bytes; the rest is zero. */
  readonly bytes: Uint8Array;
}

/** 8 bytes at `at` := base of module + value. */
export interface Rebase {
  readonly at: number;
  readonly module: number;
  readonly value: number;
}

/** A field at `at` := offset of the agent's thread-local room from the thread pointer + value. */
export interface TlsWord {
  readonly at: number;
  readonly size: 4 | 8;
  readonly value: number;
}

/** 8 bytes at `at` := address of `name` in the process + addend. */
export interface Import {
  readonly at: number;
  readonly name: string;
  readonly weak: boolean;
  readonly addend: number;
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

/** A symbol that later patches may bind to. `address` in module 0's space, or an offset in the TLS room. */
export interface ImageSymbol {
  readonly name: string;
  readonly kind: 'function' | 'data' | 'readonly' | 'tls';
  readonly address: number;
  readonly size: number;
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

export interface PatchImage {
  /** Modules that rebases and cells name; index 0 is the executable the patch belongs to. */
  readonly modules: readonly ModuleIdentity[];
  /** SHA-256 of the patch files that must be live, in order. */
  readonly after: readonly Uint8Array[];
  readonly segments: readonly ImageSegment[];
  readonly rebases: readonly Rebase[];
  readonly tlsWords: readonly TlsWord[];
  /** Initial values of new thread-locals, by offset in the room; `tlsUsed` is the first free byte after this patch. */
  readonly tlsInit: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly tlsUsed: number;
  readonly imports: readonly Import[];
  readonly checks: readonly { readonly module: number; readonly at: number; readonly bytes: Uint8Array }[];
  readonly cells: readonly Cell[];
  /** Address of the block of frame descriptions, or null. */
  readonly unwind: number | null;
  /** Constructors to run once, in order. */
  readonly init: readonly number[];
  readonly symbols: readonly ImageSymbol[];
  readonly items: readonly ItemReport[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}
