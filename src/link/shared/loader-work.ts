// What is left to the loader: words that it rebases, slots that it fills. Columns, as a large library has 100,000s.
import type { Link } from './link-state.js';
import { arrayOf } from './output-names.js';

export const WORK_RELATIVE = 0;
/** A word gets a symbol's address plus an addend. */
export const WORK_ABSOLUTE = 1;
/** A slot of the table gets a symbol's address. */
export const WORK_SLOT = 2;
/** A slot of the PLT. */
export const WORK_STUB = 3;
/** Number of the module that defines the symbol; of the own one for −1. */
export const WORK_MODULE = 4;
/** Offset in the template of the module that defines the symbol. */
export const WORK_MODULE_OFFSET = 5;
/** Offset from the thread pointer. */
export const WORK_THREAD = 6;
/** A descriptor of a thread-local: two words. */
export const WORK_DESCRIPTOR = 7;

/** A word that is rebased, packed with others. */
export const WORK_PACKED = 8;
/** A word that is rebased, with a mark in its highest bit. */
export const WORK_MARKED = 9;

export interface LoaderWork {
  count: number;
  kind: Uint8Array;
  address: Float64Array;
  /** Number of the global symbol; −1 for none. */
  symbol: Int32Array;
  addend: Float64Array;
}

/** Room for so many; it grows. */
export function createLoaderWork(expected: number): LoaderWork {
  const size = Math.max(expected, 16);
  return {
    count: 0,
    kind: new Uint8Array(size),
    address: new Float64Array(size),
    symbol: new Int32Array(size),
    addend: new Float64Array(size),
  };
}

/** Appends one. */
export function addLoaderWork(list: LoaderWork, kind: number, address: number, symbol: number, addend: number): void {
  const at = list.count++;
  if (at === list.kind.length) grow(list);
  list.kind[at] = kind;
  list.address[at] = address;
  list.symbol[at] = symbol;
  list.addend[at] = addend;
}

function grow(list: LoaderWork): void {
  const size = list.kind.length * 2;
  const { kind, address, symbol, addend } = list;
  list.kind = new Uint8Array(size);
  list.address = new Float64Array(size);
  list.symbol = new Int32Array(size);
  list.addend = new Float64Array(size);
  list.kind.set(kind);
  list.address.set(address);
  list.symbol.set(symbol);
  list.addend.set(addend);
}

/**
 * Are rebases in this section packed, where they stand at even offsets? Packed addresses are even, and the section's
 * alignment says that even offsets are even addresses; an offset in an old table is none in the array that it becomes part
 * of. The scan counts by this, the fixups hand over by it.
 */
export function isPackable(link: Link, number: number): boolean {
  const align = link.sections.section[number]?.align ?? 1;
  return link.options.packRelative && align >= 2 && arrayOf(link, number) === null;
}

/** Is the rebase at this offset of a section packed? */
export function isPacked(packable: boolean, offset: number): boolean {
  return packable && offset % 2 === 0;
}
