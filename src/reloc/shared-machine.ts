// What the link of a shared object needs to know of a machine: the loader's relocations, the PLT, pages, veneers.
import type { Field, FixupRow } from './fixup.js';

/** Numbers of the relocations that the loader applies. */
export interface DynamicTypes {
  /** S + A, a word. */
  readonly absolute: number;
  /** Load address + A. */
  readonly relative: number;
  /** S into a GOT slot. */
  readonly globDat: number;
  /** S into a slot of the PLT; may be done at the first call. */
  readonly jumpSlot: number;
  /** What the function at load address + A returns. */
  readonly irelative: number;
  /** Number of the module that defines S (the own one without a symbol). */
  readonly moduleId: number;
  /** S + A from the start of its module's thread-local template. */
  readonly moduleOffset: number;
  /** S + A from the thread pointer. */
  readonly threadOffset: number;
  /** Two words: a function and its argument. */
  readonly tlsDescriptor: number;
}

/** A stub: code that jumps to the address held in a GOT slot. */
export interface StubShape {
  readonly size: number;
  readonly align: number;
  encode(at: number, slot: number): Uint8Array;
}

/** The table of stubs through which functions of other modules are called, bound at the first call or at the start. */
export interface PltShape {
  readonly headerSize: number;
  readonly entrySize: number;
  readonly align: number;
  /** Words at the start of `.got.plt` that belong to the loader; the first of them holds the address of `.dynamic`. */
  readonly reservedWords: number;
  /** The first entry: pushes what the loader needs and goes there. `gotPlt` is the start of `.got.plt`. */
  header(at: number, gotPlt: number): Uint8Array;
  /** The entry that jumps through `slot`; `index` counts the jump-slot relocations. */
  entry(at: number, headerAt: number, slot: number, index: number): Uint8Array;
  /** What a slot holds before it is bound: an address in the PLT, to be rebased. Null where all are bound at the start. */
  readonly unbound: ((entryAt: number, headerAt: number) => number) | null;
}

/** Code between a branch and a target that it cannot reach. */
export interface VeneerShape {
  /** Branches with this field may go through a veneer; its range says how far they reach. */
  readonly field: Field;
  readonly size: number;
  readonly align: number;
  /** Code at `at` that goes to `target`. Throws IPBP2002 when even that is too far. */
  encode(at: number, target: number): Uint8Array;
}

/** A table of stubs and nothing more, for loaders that bind all slots before any code runs. */
export function boundStubs({ size, align, encode }: StubShape): PltShape {
  return {
    headerSize: 0,
    entrySize: size,
    align,
    reservedWords: 0,
    header: () => new Uint8Array(0),
    entry: (at, _headerAt, slot) => encode(at, slot),
    unbound: null,
  };
}

/** What of a machine the format and its systems say. */
export interface MachineFormat {
  readonly rows: readonly FixupRow[];
  /** The largest pages of memory that these systems have: what is aligned for them is for all. */
  readonly pageSize: number;
  readonly dynamic: DynamicTypes | null;
  /** Whether a loader may bind functions at their first call. */
  readonly lazy: boolean;
  /** See Machine. */
  readonly codeStays: boolean;
  readonly hasAgent: boolean;
}

/** The part of Machine that only the link of a shared object asks for. */
export interface SharedMachine {
  /** Segments of one file lie in different pages of every size up to this. */
  readonly maxPageSize: number;
  /**
   * The addend with which code loads a whole GOT slot. With another it loads another part of the slot, so that it cannot
   * be rewritten to do without.
   */
  readonly slotAddend: number;
  /** The table whose start GOT is in expressions, and `_GLOBAL_OFFSET_TABLE_` in names. */
  readonly table: 'got' | 'got.plt';
  /** Null where the loader's work is written in another way than as numbered relocations. */
  readonly dynamic: DynamicTypes | null;
  readonly plt: PltShape;
  /** The same for code in which jumps through words lead to landings only. */
  readonly landingPlt: PltShape;
  /** Null on machines whose branches reach all of a module. */
  readonly veneer: VeneerShape | null;
  /** The same for code in which jumps through registers lead to landings only: its target may be none. */
  readonly landingVeneer: VeneerShape | null;
}
