// What a link yields: pages with their bytes, and the words that only the process can fill. Addresses are of module 0's
// space; patches lie below the program, at negative ones.
import type { LineRow } from '../formats/dwarf/line-program.js';
import type { Atom } from './graph.js';

/** A run of pages. */
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

/**
 * 8 bytes at `at` := address of `name` in the process + addend; or, by a resolver (what the program holds under the name
 * is a function that chooses one for the processor): what the function at `addend` of module 0 returns.
 */
export interface Import {
  readonly at: number;
  readonly name: string;
  readonly weak: boolean;
  readonly byResolver: boolean;
  readonly addend: number;
}

/** Initial value of a part of the thread-local room: `length` bytes of this image, after its words were filled. */
export interface TlsInit {
  readonly offset: number;
  readonly length: number;
  /** Address of the value in the image. */
  readonly at: number;
}

/** How code of the image is unwound, for systems whose unwinders have tables of rows. Addresses of the image. */
export interface UnwindEntry {
  readonly start: number;
  readonly length: number;
  /** As the compiler wrote it; 0 for code of which there is only a frame record. */
  readonly encoding: number;
  /** The word that holds the personality's address. */
  readonly personalityWord: number | null;
  readonly lsda: number | null;
  /** Of the code's record in the block of frame records. */
  readonly frameRecord: number | null;
}

/** A part of the image. */
export interface ImageRange {
  readonly at: number;
  readonly size: number;
}

/**
 * Thread-locals of which the loader gives each thread a copy, as it does for every library's own. The first thread-local's
 * initial values stand in `template`, zeros follow in `zero`; offsets in descriptors count from the start of both.
 */
export interface OwnThreadLocals {
  /** Runs of descriptors. Their words are the loader's, but for the offset. */
  readonly descriptors: readonly ImageRange[];
  readonly template: ImageRange | null;
  readonly zero: ImageRange | null;
}

/**
 * Where a function of the image is entered, and the word in the image by which later ones can redirect it; null where
 * there is none, as jumps reach. The word holds the address of the function's code: either the entry is that, and may
 * become a jump through the word, or it is a stub that is one.
 */
export interface ImageEntry {
  readonly address: number;
  readonly isStub: boolean;
  readonly word: number | null;
}

/** A function that does nothing but go on through an element of the table, for calls of what may change later. */
export interface TableStub {
  readonly name: string;
  readonly slot: number;
  /** Index of what it takes and gives. */
  readonly type: number;
}

/** A function of an image whose functions lie in no memory. `slot` is its own element of the table: its address. */
export interface ImageFunction extends TableStub {
  /** Locals and instructions. */
  readonly bytes: Uint8Array;
  /** Where they come from, by their offsets; absent where nothing says it. For debuggers, and not kept in descriptions. */
  readonly lines?: readonly LineRow[];
}

/** Code that lies in no memory. What it says by index is counted here. */
export interface LinkedCode {
  /** What functions take and give, as the readers spell it. */
  readonly types: readonly string[];
  /** Globals of the program, as objects call them. */
  readonly globals: readonly string[];
  /** The first functions: the host's, as objects call them, with what each takes and gives. */
  readonly imports: readonly { readonly name: string; readonly type: number }[];
  /** The next ones. */
  readonly stubs: readonly TableStub[];
  /** Those behind them. */
  readonly functions: readonly ImageFunction[];
  /** The first element of the table that is free behind this image. */
  readonly slotsEnd: number;
}

export interface LinkedImage {
  /** Null where functions lie in memory. */
  readonly code: LinkedCode | null;
  readonly segments: readonly ImageSegment[];
  readonly rebases: readonly Rebase[];
  readonly tlsWords: readonly TlsWord[];
  readonly tlsInit: readonly TlsInit[];
  /** First byte of the room that is free after this image. */
  readonly tlsUsed: number;
  readonly imports: readonly Import[];
  /** Address of the unwind table, or null when it is empty. */
  readonly unwind: number | null;
  /** Rising by start; empty where frame records are all there is. */
  readonly unwindEntries: readonly UnwindEntry[];
  /** Null where new thread-locals lie in the agent's room, or there are none. */
  readonly threadLocals: OwnThreadLocals | null;
  /** Addresses of functions to run once, in order. */
  readonly constructors: readonly number[];
  /** Lowest address in use. */
  readonly bottom: number;
  /** All placed atoms in order. */
  readonly atoms: readonly Atom[];
  /** Address of a placed atom (offset in the room for a thread-local). */
  addressOf(atom: Atom): number;
  /** What the function is known by that begins at an offset of a placed atom. */
  entryOf(atom: Atom, offset: number): ImageEntry;
}
