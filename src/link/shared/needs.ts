// What relocations ask the link to make: slots of the global offset table, stubs of the PLT, work for the loader. The scan
// notes it, the tables are laid out from it, the fixups look it up.
import type { Link } from './link-state.js';

/** What a slot of the table holds; pairs and descriptors are two words. */
export const SLOT_ADDRESS = 0;
/** Offset of a thread-local from the thread pointer. */
export const SLOT_THREAD = 1;
/** Module and offset of a thread-local. */
export const SLOT_GENERAL = 2;
/** The own module and 0. */
export const SLOT_LOCAL = 3;
/** A descriptor of a thread-local. */
export const SLOT_DESCRIPTOR = 4;

export interface Slot {
  readonly kind: number;
  /** Number of the symbol, global or local; −1 for SLOT_LOCAL. */
  readonly symbol: number;
  /** Its first word in the table. */
  readonly word: number;
}

export interface Needs {
  /** Symbols from here on are local: `localBase` of their file and their row are added. */
  readonly firstLocal: number;
  readonly slots: Slot[];
  words: number;
  /** Word of a symbol's address slot, −1 for none; by number of the symbol. */
  readonly addressSlot: Int32Array;
  readonly threadSlot: Map<number, number>;
  readonly generalSlot: Map<number, number>;
  readonly descriptorSlot: Map<number, number>;
  /** −1 for none. */
  localSlot: number;
  /** Entry of a symbol in the PLT, −1 for none; by number of the symbol. */
  readonly stubOf: Int32Array;
  /** Symbols with entries, in order. */
  readonly stubs: number[];
  /** Something is counted from the start of the table. */
  table: boolean;
  /** Places in sections that the loader rebases one by one, and those that it fills otherwise. */
  relative: number;
  dynamic: number;
  /** Words in sections that are rebased and may be packed: section and offset of each. */
  readonly packedSection: number[];
  readonly packedOffset: number[];
  /** A thread-local is reached at a fixed offset from the thread pointer. */
  staticThread: boolean;
  /** The loader writes into what is read-only. */
  textRelocations: boolean;
}

/** Nothing needed yet. */
export function createNeeds(link: Link): Needs {
  const firstLocal = link.symbols.names.count;
  return {
    firstLocal,
    slots: [],
    words: 0,
    addressSlot: new Int32Array(firstLocal + link.localCount).fill(-1),
    threadSlot: new Map(),
    generalSlot: new Map(),
    descriptorSlot: new Map(),
    localSlot: -1,
    stubOf: new Int32Array(firstLocal).fill(-1),
    stubs: [],
    table: false,
    relative: 0,
    dynamic: 0,
    packedSection: [],
    packedOffset: [],
    staticThread: false,
    textRelocations: false,
  };
}

function addSlot(needs: Needs, kind: number, symbol: number): number {
  const word = needs.words;
  needs.slots.push({ kind, symbol, word });
  needs.words += kind === SLOT_ADDRESS || kind === SLOT_THREAD ? 1 : 2;
  return word;
}

/** A slot for the symbol's address. */
export function needAddressSlot(needs: Needs, symbol: number): void {
  if (needs.addressSlot[symbol] === -1) needs.addressSlot[symbol] = addSlot(needs, SLOT_ADDRESS, symbol);
}

/** One of the slots of thread-locals. */
export function needThreadSlot(needs: Needs, kind: number, symbol: number): void {
  if (kind === SLOT_LOCAL) {
    if (needs.localSlot < 0) needs.localSlot = addSlot(needs, SLOT_LOCAL, -1);
    return;
  }
  const known = threadSlots(needs, kind);
  if (!known.has(symbol)) known.set(symbol, addSlot(needs, kind, symbol));
}

/** Where slots of that kind stand: symbol → word. */
export function threadSlots(needs: Needs, kind: number): Map<number, number> {
  if (kind === SLOT_THREAD) return needs.threadSlot;
  return kind === SLOT_GENERAL ? needs.generalSlot : needs.descriptorSlot;
}

/** A stub that calls the symbol. */
export function needStub(needs: Needs, symbol: number): void {
  if (needs.stubOf[symbol] !== -1) return;
  needs.stubOf[symbol] = needs.stubs.length;
  needs.stubs.push(symbol);
}
