// Unpacks sections with what Node brings: zlib always, zstd in those that have it.
import * as zlib from 'node:zlib';
import type { Unpackers } from '../../link/shared/options.js';

type Decompress = (packed: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** Node has it since 22.15; the types that are checked with are of the oldest that is supported. */
const zstd = (zlib as { readonly zstdDecompressSync?: Decompress }).zstdDecompressSync;

/** More than was said is an error, and takes no memory. */
const bounded =
  (decompress: Decompress) =>
  (packed: Uint8Array, size: number): Uint8Array =>
    decompress(packed, { maxOutputLength: Math.max(size, 1) });

/** By method. */
export const UNPACKERS: Unpackers = {
  zlib: bounded(zlib.inflateSync),
  ...(zstd === undefined ? {} : { zstd: bounded(zstd) }),
};
