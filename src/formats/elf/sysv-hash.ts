// The hash table of the gABI ("Hash Table"), .hash: what loaders without the GNU table look names up in.
import { ByteWriter } from '../../bytes/writer.js';

/** The hash of a name, bytes [start, end). */
export function sysvHash(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0;
  for (let at = start; at < end; at++) {
    hash = (hash * 16 + (bytes[at] as number)) >>> 0;
    const high = hash & 0xf000_0000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

/** The size of the table for so many symbols, the null symbol among them, in bytes. */
export function sysvHashSize(count: number): number {
  return (2 + count * 2) * 4;
}

/** The table. `hashes[i]` is that of symbol i of .dynsym; the null symbol's is not looked at. As many buckets as symbols. */
export function encodeSysvHash(hashes: Uint32Array): Uint8Array<ArrayBuffer> {
  const count = hashes.length;
  const buckets = new Uint32Array(count);
  const chains = new Uint32Array(count);
  // From the last on: a chain then has its symbols in the table's order.
  for (let symbol = count - 1; symbol > 0; symbol--) {
    const bucket = (hashes[symbol] as number) % count;
    chains[symbol] = buckets[bucket] as number;
    buckets[bucket] = symbol;
  }
  const table = new ByteWriter(sysvHashSize(count)).u32(count).u32(count);
  for (const word of buckets) table.u32(word);
  for (const word of chains) table.u32(word);
  return table.finish();
}
