// The GNU hash table, .gnu.hash: how the loader finds a dynamic symbol by its name. No specification but glibc's loader
// (elf/dl-lookup.c); the layout is: bucket count, first hashed symbol, Bloom words, Bloom shift, Bloom filter, buckets,
// one word for each hashed symbol.
import { ByteWriter } from '../../bytes/writer.js';

/** A Bloom word has 64 bits: log2 of it, of what the file's class has. */
const WORD_BITS = 64;
/** lld's and mold's shift and density: 12 bits of the filter for each symbol. */
const BLOOM_SHIFT = 26;
const BLOOM_BITS_PER_SYMBOL = 12;
const SYMBOLS_PER_BUCKET = 4;

/** A table, and the order in which it wants the symbols. */
export interface GnuHash {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The i-th hashed symbol of .dynsym is the one that `hashes[order[i]]` was given for. */
  readonly order: Uint32Array;
}

/** The hash of a name, bytes [start, end): djb2 over 32 bits. */
export function gnuHash(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 5381;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 33) + (bytes[at] as number)) | 0;
  return hash >>> 0;
}

/** The size of the table for so many symbols, in bytes. */
export function gnuHashSize(count: number): number {
  return 16 + bloomWords(count) * 8 + bucketCount(count) * 4 + count * 4;
}

/**
 * The table for symbols with these hashes. They come last in .dynsym, from index `firstSymbol` on, in the order that is
 * returned: those of one bucket in a row. Equal buckets keep the order that was given.
 */
export function encodeGnuHash(hashes: Uint32Array, firstSymbol: number): GnuHash {
  const count = hashes.length;
  const buckets = bucketCount(count);
  const words = bloomWords(count);
  // Counting sort: stable, and a library may have 100,000 symbols.
  const next = new Uint32Array(buckets + 1);
  for (const hash of hashes) next[(hash % buckets) + 1] = (next[(hash % buckets) + 1] as number) + 1;
  for (let bucket = 0; bucket < buckets; bucket++) {
    next[bucket + 1] = (next[bucket + 1] as number) + (next[bucket] as number);
  }
  const starts = next.slice();
  const order = new Uint32Array(count);
  hashes.forEach((hash, index) => {
    const place = next[hash % buckets] as number;
    order[place] = index;
    next[hash % buckets] = place + 1;
  });

  const bloom = new Uint32Array(words * 2);
  for (const hash of hashes) {
    const word = Math.floor(hash / WORD_BITS) % words;
    setBit(bloom, word * WORD_BITS + (hash % WORD_BITS));
    setBit(bloom, word * WORD_BITS + ((hash >>> BLOOM_SHIFT) % WORD_BITS));
  }

  const table = new ByteWriter(gnuHashSize(count));
  table.u32(buckets).u32(firstSymbol).u32(words).u32(BLOOM_SHIFT);
  for (const word of bloom) table.u32(word);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = starts[bucket] as number;
    table.u32(start === starts[bucket + 1] ? 0 : firstSymbol + start);
  }
  order.forEach((index, at) => {
    const hash = hashes[index] as number;
    const following = hashes[order[at + 1] ?? -1];
    const last = following === undefined || following % buckets !== hash % buckets;
    // The low bit ends the chain.
    table.u32(hash - (hash % 2) + (last ? 1 : 0));
  });
  return { bytes: table.finish(), order };
}

function bucketCount(count: number): number {
  return Math.max(1, Math.floor(count / SYMBOLS_PER_BUCKET));
}

/** A power of two, as the loader masks with it. */
function bloomWords(count: number): number {
  let words = 1;
  while (words * WORD_BITS < count * BLOOM_BITS_PER_SYMBOL) words *= 2;
  return words;
}

function setBit(words: Uint32Array, bit: number): void {
  words[Math.floor(bit / 32)] = (words[Math.floor(bit / 32)] as number) | (1 << (bit % 32));
}
