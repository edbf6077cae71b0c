// Numbers names by their bytes, where they lie: nothing is decoded and nothing copied. For links, which look up every
// symbol of every object: decoding a name and inserting it into a Map costs a microsecond, this a tenth of it.
import { decodeText, encodeText } from './text.js';

/** Names, numbered from 0 in the order in which they first came. The same bytes are the same number. */
export interface NameTable {
  /** How many there are; also the next new name's number. */
  readonly count: number;
  /** The number of the name that is bytes [start, end); a new one if need be. The bytes must stay as they are. */
  intern(bytes: Uint8Array, start: number, end: number): number;
  /** The same of a text. */
  internText(text: string): number;
  /** The number of a name, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number;
  findText(text: string): number;
  /** A view of the bytes of a name. RangeError for a number that was not given. */
  bytes(number: number): Uint8Array;
  /** The name, decoded anew. */
  text(number: number): string;
}

/** A table with room for so many names before it first grows. */
export function createNameTable(expected = 1024): NameTable {
  let count = 0;
  let capacity = Math.max(expected, 16);
  // Which bytes a name lies in, and where.
  let source = new Uint32Array(capacity);
  let from = new Uint32Array(capacity);
  let size = new Uint32Array(capacity);
  let hashes = new Int32Array(capacity);
  const sources: Uint8Array[] = [];
  // Open addressing: number + 1 of the name, at its hash or the next free place. A power of two, at most half full.
  let slots = new Uint32Array(powerOfTwo(capacity * 2));
  let mask = slots.length - 1;

  const grow = (): void => {
    capacity *= 2;
    source = longer(source, new Uint32Array(capacity));
    from = longer(from, new Uint32Array(capacity));
    size = longer(size, new Uint32Array(capacity));
    hashes = longer(hashes, new Int32Array(capacity));
    slots = new Uint32Array(powerOfTwo(capacity * 2));
    mask = slots.length - 1;
    for (let number = 0; number < count; number++) {
      let slot = (hashes[number] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
  };

  /** The slot that has the name, or the free one where it belongs. */
  const slotOf = (bytes: Uint8Array, start: number, end: number, hash: number): number => {
    const length = end - start;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot] as number;
      if (entry === 0) return slot;
      const number = entry - 1;
      if (hashes[number] === hash && size[number] === length) {
        const other = sources[source[number] as number] as Uint8Array;
        if (sameBytes(bytes, start, other, from[number] as number, length)) return slot;
      }
      slot = (slot + 1) & mask;
    }
  };

  const intern = (bytes: Uint8Array, start: number, end: number): number => {
    const hash = hashOf(bytes, start, end);
    const slot = slotOf(bytes, start, end, hash);
    const entry = slots[slot] as number;
    if (entry !== 0) return entry - 1;
    if (sources[sources.length - 1] !== bytes) sources.push(bytes);
    const number = count++;
    source[number] = sources.length - 1;
    from[number] = start;
    size[number] = end - start;
    hashes[number] = hash;
    slots[slot] = count;
    if (count === capacity) grow();
    return number;
  };

  const find = (bytes: Uint8Array, start: number, end: number): number =>
    (slots[slotOf(bytes, start, end, hashOf(bytes, start, end))] as number) - 1;

  const bytesOf = (number: number): Uint8Array => {
    if (!(number >= 0 && number < count)) throw new RangeError(`no name ${number}, there are ${count}`);
    const start = from[number] as number;
    return (sources[source[number] as number] as Uint8Array).subarray(start, start + (size[number] as number));
  };

  return {
    get count() {
      return count;
    },
    intern,
    internText(text) {
      const bytes = encodeText(text);
      return intern(bytes, 0, bytes.length);
    },
    find,
    findText(text) {
      const bytes = encodeText(text);
      return find(bytes, 0, bytes.length);
    },
    bytes: bytesOf,
    text: (number) => decodeText(bytesOf(number)),
  };
}

/** FNV-1a over words of four bytes with the mixing of MurmurHash3: a quarter of the multiplications, which are a chain. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
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

function longer<Column extends Uint32Array | Int32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
