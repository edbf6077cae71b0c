// What the passes need to know of a machine, as an interface; one folder per machine implements it.
import { EXPRESSIONS, type FixupRow } from './fixup.js';
import type { SharedMachine, StubShape } from './shared-machine.js';

/** A jump that fits over the first bytes of a function, planned from the bytes that stand there. */
export interface EntryFacts {
  /** Lengths of the decoded instructions from offset 0 until the end of the function, in order. */
  readonly lengths: readonly number[];
  /**
   * Offsets inside the function that something inside it may branch to (0 included when it may), those of hidden
   * branches as well: jump tables and landing pads.
   */
  readonly branchTargets: readonly number[];
  /** Offsets just behind calls, system calls included: where a sleeping frame or thread resumes. */
  readonly returnOffsets: readonly number[];
  /** It loops and nothing in it leaves: a thread that is inside stays there. False when that is not certain. */
  readonly endless: boolean;
  /** False when an instruction could not be decoded: then nothing is known of what stands behind it. */
  readonly complete: boolean;
}

/** Where a function stands, and what stands around it. */
export interface CodePlace {
  /** Address of its first byte. */
  readonly entry: number;
  /** Bytes of the same program, null where it has none. */
  read(address: number, size: number): Uint8Array | null;
}

/** How a redirect is written on this machine. */
export interface EntryJumps {
  /** Bytes of the long jump. */
  readonly longSize: number;
  /** Bytes of the short jump, or 0 when the machine has none. */
  readonly shortSize: number;
  /** Largest distance of the short jump, from its end, in both directions. */
  readonly shortReach: { readonly min: number; readonly max: number };
  /**
   * The instruction at `from` that jumps to `to`, or to the address that the word at `to` holds; both are addresses.
   * Throws IPBP2002 when out of range.
   */
  long(from: number, to: number): Uint8Array;
  /**
   * The word that the long jump which stands at `at` takes its target from; null for bytes that are no such jump. `read`
   * gives the bytes of code that it may lead to.
   */
  wordOf(bytes: Uint8Array, at: number, read: CodePlace['read']): number | null;
  short(from: number, to: number): Uint8Array;
  /**
   * Decodes a whole function body. `bytes` starts at the entry and ends at the function's end. Where it stands makes it
   * possible to read its jump tables; without that their targets are guessed from the code, rather too many.
   */
  decode(bytes: Uint8Array, place?: CodePlace): EntryFacts;
  /** True when every byte of the range is one that linkers fill gaps with; zeros only when asked for. */
  isPadding(bytes: Uint8Array, zeros?: boolean): boolean;
}

/** A stub that stands for a function in an object: code that jumps through a word, its slot, to the function's body. */
export interface EntryStubs {
  /** Of the stub's first byte. */
  readonly align: number;
  /** Bytes of the longest stub. */
  readonly longest: number;
  /**
   * The stub for a body that begins with these bytes, and its fields to be relocated to the slot. One that stands apart
   * from its body ends in the distance to it.
   */
  build(
    body: Uint8Array,
    apart?: boolean,
  ): {
    readonly bytes: Uint8Array;
    readonly fields: readonly {
      readonly offset: number;
      readonly to: 'slot' | 'body';
      readonly row: FixupRow;
      readonly addend: number;
    }[];
  };
  /** Address of the slot that the linked stub at `at` jumps through; null when these bytes are no stub. */
  slotOf(stub: Uint8Array, at: number): number | null;
  /** Address of the body of one that stands apart. */
  bodyOf(stub: Uint8Array, at: number): number | null;
}

/**
 * What code is rewritten to: `direct` uses the symbol's address instead of a GOT slot that holds it, `initial-exec` loads a
 * thread-local's offset from a slot, `local-exec` has the offset in the instruction.
 */
export type RewriteGoal = 'direct' | 'initial-exec' | 'local-exec';

/** Other code in the place of the instructions around a relocation. */
export interface Rewrite {
  /** Offset of the first replaced byte, relative to the relocation's offset. */
  readonly from: number;
  readonly bytes: Uint8Array;
  /**
   * The relocations of the new code: where, relative to the relocation's offset, by which row, and what is added to the
   * relocation's own addend.
   */
  readonly fields: readonly { readonly at: number; readonly row: FixupRow; readonly addend: number }[];
  /** How many following relocations the rewrite swallows (the call of __tls_get_addr). */
  readonly swallow: number;
}

/** A field of code that is made to reach words and code that are near. */
export interface FarField {
  readonly offset: number;
  /** The word that holds the address, the piece of code that stands aside, or what follows the instruction. */
  readonly to: 'word' | 'aside' | 'back';
  readonly row: FixupRow;
  readonly addend: number;
}

/** Code whose fields are still to be filled. */
export interface FarCode {
  readonly bytes: Uint8Array;
  readonly fields: readonly FarField[];
}

/** A field that holds the distance of a symbol, or a part of it. */
export interface FarUse {
  readonly offset: number;
  readonly row: FixupRow;
  readonly addend: number;
  /** The same for fields that refer to the same symbol. */
  readonly symbol: number;
}

/** How an instruction reaches a place that may lie at any distance. `behind` counts bytes from the symbol. */
export type FarReference =
  /** It calls or jumps to what lies `behind` the symbol: by this row and addend through a stub. */
  | { readonly kind: 'branch'; readonly row: FixupRow; readonly addend: number; readonly behind: number }
  /**
   * What takes the place of its bytes from `start` to `end`, and what it does aside. The word, where one is used, holds the
   * address of what lies `behind` the symbol.
   */
  | {
      readonly kind: 'access';
      readonly start: number;
      readonly end: number;
      readonly behind: number;
      readonly inPlace: FarCode;
      readonly aside: FarCode | null;
    };

export interface Machine {
  readonly pointerSize: number;
  readonly pageSize: number;
  /** These systems do not let loaded code be changed, unless the process has found a way: functions change by slots. */
  readonly codeStays: boolean;
  /** Where functions are: in memory, or in none, so that they are entered through a table. */
  readonly codeIn: 'memory' | 'table';
  /** There is an agent for programs of these systems; without one they can be linked and not patched. */
  readonly hasAgent: boolean;
  /** PC-relative fields of code count from the end of their instruction; else from their own place. */
  readonly countsFromEnd: boolean;
  /** Rows by relocation number. */
  readonly rows: ReadonlyMap<number, FixupRow>;
  /** The row that writes a whole address, for GOT slots and tables. */
  readonly addressRow: FixupRow;
  /** Fills gaps between functions: executing it traps, and `entry.isPadding` knows it. */
  readonly codeFill: number;
  /** Offset from the thread pointer at which the thread-locals of an executable with this template begin. */
  threadLocalsStart(template: {
    readonly address: number;
    readonly memorySize: number;
    readonly align: number;
  }): number;
  readonly stub: StubShape;
  readonly entryStubs: EntryStubs;
  /** References by a distance, made ones through a word. */
  readonly far: {
    /** Words that lie nearer than this to all code can be used by shorter code. */
    readonly near: number;
    /** Of the code that is done aside. */
    readonly align: number;
    /**
     * What stands around each of these fields, which are all that refer out of a whole function, by rising offsets; null
     * where nothing is known. `near`: all words that it will use are so.
     */
    references(bytes: Uint8Array, uses: readonly FarUse[], near: boolean): readonly (FarReference | null)[];
  };
  readonly entry: EntryJumps;
  /** The same with a long jump that reaches any address: through a word that is near, or {@link wordJump}. */
  readonly entryThroughWord: EntryJumps;
  /** Near code that jumps through a word, for long jumps that do not do so themselves; null where they do. */
  readonly wordJump: StubShape | null;
  /**
   * Rewrites the call whose field is at `offset` into one through an element of the table, in the same bytes; false when it
   * does not fit or no call stands there. Only where functions lie in no memory.
   */
  readonly callThroughTable?: (bytes: Uint8Array, offset: number, slot: number, type: number) => boolean;
  /**
   * True when the instruction around the field at `offset` calls or jumps to what the field refers to, at once or through
   * a slot: it uses the address and keeps it nowhere. False when that is not certain.
   */
  calls(bytes: Uint8Array, offset: number): boolean;
  /** The stack pointer's number in unwind records. */
  readonly stackPointer: number;
  /** Bytes that {@link callBefore} looks at. */
  readonly longestCall: number;
  /**
   * What call returns to `address`, from the `longestCall` bytes before it: where it leads, or null where a register or a
   * word in memory may say that; undefined when no call stands there.
   */
  callBefore(bytes: Uint8Array, address: number): number | null | undefined;
  /**
   * Other code for the instructions around the relocation at `offset` of `bytes`; null when they are not of a form that
   * can be rewritten so. Only for targets for which the goal holds: see {@link RewriteGoal}; `direct` is not for absolute
   * symbols, whose distance from the code is not known.
   */
  rewrite(row: FixupRow, goal: RewriteGoal, bytes: Uint8Array, offset: number): Rewrite | null;
  readonly shared: SharedMachine;
}

/** How far behind its own place a field of code counts from, where nothing of its instruction follows it. */
export function biasOf({ countsFromEnd }: Machine, row: FixupRow): number {
  return countsFromEnd && EXPRESSIONS[row.expression].base === 'P' ? row.field.size : 0;
}
