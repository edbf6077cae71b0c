// Numbers names by their bytes, where they lie: nothing is decoded and nothing copied. For links, which look up every
// symbol of every object: decoding a name and inserting it into a Map costs a microsecond, this a tenth of it.
import { copied } from './columns.js';
import { copyRange } from './plain.js';
import { decodeText, encodeText } from './text.js';

/** Names, numbered from 0 in the order in which they first came. The same bytes are the same number. */
export interface NameTable {
  /** How many there are; also the next new name's number. */
  readonly count: number;
  /** The number of the name that is bytes [start, end); a new one if need be. The bytes must stay as they are. */
  intern(bytes: Uint8Array, start: number, end: number): number;
  /**
   * The number of the name that starts at `start` and ends with the first NUL behind it, which is part of it: found and
   * looked up in one go. `view` is over the bytes. −1 when there is no NUL; `size` has where it ends.
   */
  internTerminated(bytes: Uint8Array, view: DataView, start: number): number;
  /** The same of a text. */
  internText(text: string): number;
  /** The number of a name, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number;
  findText(text: string): number;
  /** Length of a name. */
  size(number: number): number;
  /** A number below 2^32 that the user of the table keeps with a name, at first 0: it lies beside what is looked up. */
  valueOf(number: number): number;
  setValue(number: number, value: number): void;
  /** Does a name begin with these bytes? */
  startsWith(number: number, bytes: Uint8Array): boolean;
  /** A view of the bytes of a name. RangeError for a number that was not given. */
  bytes(number: number): Uint8Array;
  /** Copies the bytes of a name to a place in `into`, which has room for them. */
  copy(number: number, into: Uint8Array, at: number): void;
  /** The name, decoded anew. */
  text(number: number): string;
}

/** Numbers for each name in the table's column. */
const ENTRY = 4;

/** A table with room for so many names before it first grows. */
export function createNameTable(expected = 1024): NameTable {
  let count = 0;
  let capacity = Math.max(expected, 16);
  // Of each name which bytes it lies in, where, how long it is, and its value: side by side, in one line of the cache.
  let entries = new Uint32Array(capacity * ENTRY);
  const sources: Uint8Array[] = [];
  // Open addressing: the hash of a name and its number + 1, at its hash or the next free place. A power of two, at most
  // half full.
  let slots = new Int32Array(powerOfTwo(capacity * 2) * 2);
  let mask = slots.length / 2 - 1;

  const grow = (): void => {
    capacity *= 2;
    entries = copied(entries, new Uint32Array(capacity * ENTRY));
    const before = slots;
    slots = new Int32Array(before.length * 2);
    mask = slots.length / 2 - 1;
    for (let old = 0; old < before.length; old += 2) {
      const entry = before[old + 1] as number;
      if (entry === 0) continue;
      const hash = before[old] as number;
      let slot = hash & mask;
      while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
      slots[slot * 2] = hash;
      slots[slot * 2 + 1] = entry;
    }
  };

  /** The slot that has the name, or the free one where it belongs. */
  const slotOf = (bytes: Uint8Array, start: number, end: number, hash: number): number => {
    const length = end - start;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot * 2 + 1] as number;
      if (entry === 0) return slot;
      if (slots[slot * 2] === hash) {
        const at = (entry - 1) * ENTRY;
        const other = sources[entries[at] as number] as Uint8Array;
        if (entries[at + 2] === length && sameBytes(bytes, start, other, entries[at + 1] as number, length))
          return slot;
      }
      slot = (slot + 1) & mask;
    }
  };

  const intern = (bytes: Uint8Array, start: number, end: number): number =>
    internHashed(bytes, start, end, hashOf(bytes, start, end));

  const internTerminated = (bytes: Uint8Array, view: DataView, start: number): number => {
    let hash = SEED;
    let at = start;
    const lastWord = bytes.length - 4;
    for (; at <= lastWord; at += 4) {
      const word = view.getInt32(at, true);
      // A byte of it is 0 (Mycroft's test).
      if (((word - 0x01010101) & ~word & 0x80808080) !== 0) break;
      // As `mixed`, which a call each would make twice as long.
      hash = Math.imul(hash ^ word, PRIME);
      hash ^= hash >>> 15;
    }
    const rest = at;
    while (at < bytes.length && bytes[at] !== 0) at++;
    if (at >= bytes.length) return -1;
    at++;
    // As hashOf has it: the last word with the zero in it, or what is no whole word byte by byte.
    if (at - rest === 4) hash = mixed(hash, view.getInt32(rest, true));
    else for (let index = rest; index < at; index++) hash = Math.imul(hash ^ (bytes[index] as number), PRIME);
    return internHashed(bytes, start, at, finished(hash, at - start));
  };

  const internHashed = (bytes: Uint8Array, start: number, end: number, hash: number): number => {
    const slot = slotOf(bytes, start, end, hash);
    const entry = slots[slot * 2 + 1] as number;
    if (entry !== 0) return entry - 1;
    if (sources[sources.length - 1] !== bytes) sources.push(bytes);
    const number = count++;
    entries[number * ENTRY] = sources.length - 1;
    entries[number * ENTRY + 1] = start;
    entries[number * ENTRY + 2] = end - start;
    slots[slot * 2] = hash;
    slots[slot * 2 + 1] = count;
    if (count === capacity) grow();
    return number;
  };

  const find = (bytes: Uint8Array, start: number, end: number): number =>
    (slots[slotOf(bytes, start, end, hashOf(bytes, start, end)) * 2 + 1] as number) - 1;

  const sizeOf = (number: number): number => entries[number * ENTRY + 2] ?? 0;
  const sourceOf = (number: number): Uint8Array => sources[entries[number * ENTRY] as number] as Uint8Array;

  const bytesOf = (number: number): Uint8Array => {
    if (!(number >= 0 && number < count)) throw new RangeError(`no name ${number}, there are ${count}`);
    const start = entries[number * ENTRY + 1] as number;
    return sourceOf(number).subarray(start, start + sizeOf(number));
  };

  return {
    get count() {
      return count;
    },
    intern,
    internTerminated,
    internText(text) {
      const bytes = encodeText(text);
      return intern(bytes, 0, bytes.length);
    },
    find,
    findText(text) {
      const bytes = encodeText(text);
      return find(bytes, 0, bytes.length);
    },
    size: sizeOf,
    valueOf: (number) => entries[number * ENTRY + 3] ?? 0,
    setValue(number, value) {
      entries[number * ENTRY + 3] = value;
    },
    startsWith(number, bytes) {
      if (sizeOf(number) < bytes.length) return false;
      return sameBytes(sourceOf(number), entries[number * ENTRY + 1] as number, bytes, 0, bytes.length);
    },
    bytes: bytesOf,
    copy(number, into, at) {
      copyRange(sourceOf(number), entries[number * ENTRY + 1] as number, sizeOf(number), into, at);
    },
    text: (number) => decodeText(bytesOf(number)),
  };
}

const SEED = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a over words of four bytes with the mixing of MurmurHash3: a quarter of the multiplications, which are a chain. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash = mixed(hash, word);
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), PRIME);
  return finished(hash, end - start);
}

function mixed(hash: number, word: number): number {
  const next = Math.imul(hash ^ word, PRIME);
  return next ^ (next >>> 15);
}

function finished(hash: number, size: number): number {
  let last = hash ^ size;
  last ^= last >>> 16;
  last = Math.imul(last, 0x85ebca6b);
  return last ^ (last >>> 13);
}

/** From the end: mangled names differ there. */
function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let index = length - 1; index >= 0; index--) if (a[aStart + index] !== b[bStart + index]) return false;
  return true;
}

function powerOfTwo(atLeast: number): number {
  let size = 16;
  while (size < atLeast) size *= 2;
  return size;
}
