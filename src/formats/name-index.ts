// An index from names to numbers that never decodes a name: it hashes their bytes where they lie. For archive indexes,
// where 72 rlibs list 200,000 names of which a patch looks up a few hundred: hashing a name takes 35–57 ns, decoding it
// and inserting it into a Map 780–1300.
import type { ByteReader } from '../bytes/reader.js';
import { encodeText } from '../bytes/text.js';

/** Entries are numbered in the order of their names. */
export interface NameIndex {
  readonly count: number;
  /** Numbers of all entries with this name, rising. */
  find(name: string): readonly number[];
  /** The name of an entry, decoded anew. */
  nameAt(entry: number): string;
}

const NOTHING: readonly number[] = [];

let lastName: { readonly name: string; readonly bytes: Uint8Array; readonly hash: number } | null = null;

/** A name's bytes and their FNV-1a hash (32 bits). The last is kept: one name is asked of 72 archives in a row. */
function encoded(name: string): { readonly bytes: Uint8Array; readonly hash: number } {
  if (lastName?.name === name) return lastName;
  const bytes = encodeText(name);
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  lastName = { name, bytes, hash };
  return lastName;
}

/**
 * Indexes `count` NUL-terminated names that follow each other from the reader's position, or begin at `places`. IPBP1001
 * if there are fewer.
 */
export function indexNames(reader: ByteReader, count: number, places: Uint32Array | null = null): NameIndex {
  const { bytes } = reader;
  if (places === null && count > reader.remaining) reader.malformed('more names than bytes', { actual: `${count}` });
  const starts = places ?? new Uint32Array(count);
  // A power of two, so that a mask of the hash selects the bucket.
  let size = 16;
  while (size < count * 2) size *= 2;
  // Chains of entries, each number plus one: a hostile index whose names all collide still builds in linear time.
  const heads = new Uint32Array(size);
  const next = new Uint32Array(count);
  let at = reader.position;
  for (let entry = 0; entry < count; entry++) {
    if (places === null) starts[entry] = at;
    else at = places[entry] as number;
    let hash = 0x811c9dc5;
    let byte = 0;
    while (at < bytes.length && (byte = bytes[at] as number) !== 0) {
      hash = Math.imul(hash ^ byte, 0x01000193);
      at++;
    }
    if (at >= bytes.length) reader.seek(bytes.length).need(1);
    at++;
    const bucket = hash & (size - 1);
    next[entry] = heads[bucket] as number;
    heads[bucket] = entry + 1;
  }

  const matches = (entry: number, wanted: Uint8Array): boolean => {
    const start = starts[entry] as number;
    if (start + wanted.length >= bytes.length || bytes[start + wanted.length] !== 0) return false;
    for (let index = wanted.length - 1; index >= 0; index--) {
      if (bytes[start + index] !== wanted[index]) return false;
    }
    return true;
  };

  return {
    count,
    find(name) {
      const { bytes: wanted, hash } = encoded(name);
      let found: number[] | null = null;
      for (let link = heads[hash & (size - 1)] as number; link !== 0; link = next[link - 1] as number) {
        if (matches(link - 1, wanted)) (found ??= []).push(link - 1);
      }
      // Chains run from the last entry to the first.
      return found?.reverse() ?? NOTHING;
    },
    nameAt(entry) {
      reader.seek(starts[entry] ?? bytes.length);
      return reader.cstring();
    },
  };
}
