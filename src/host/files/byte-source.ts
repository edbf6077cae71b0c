// A file as the core's ByteSource: read in chunks when they are first asked for. Nothing is copied: the chunks go where
// they lie in one buffer as long as the file, of which the system gives only the pages that are written.
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import type { ByteSource } from '../../bytes/source.js';
import { IpbpError } from '../../codes/error.js';

/** Large enough that reading is not a matter of calls, small enough to leave out what lies between. */
const CHUNK = 1 << 18;

/**
 * Opens `path`, which `name` is what messages call. A file of at most `eager` bytes is read at once.
 * @throws IpbpError IPBP5014 when it cannot be read, here or later, or was written to meanwhile
 */
export function fileSource(path: string, name = path, eager = 0): ByteSource {
  const { bytes, mtimeMs } = withFile(path, name, (descriptor, stat) => {
    const all = new Uint8Array(stat.size);
    if (stat.size <= eager) fill(descriptor, all, 0, stat.size, name);
    return { bytes: all, mtimeMs: stat.mtimeMs };
  });
  const size = bytes.length;
  const read = new Uint8Array(Math.ceil(size / CHUNK));
  if (size <= eager) read.fill(1);

  const readChunks = (first: number, end: number): void => {
    withFile(path, name, (descriptor, stat) => {
      if (stat.size !== size || stat.mtimeMs !== mtimeMs)
        throw new IpbpError('IPBP5014', 'a file was written to while it was in use', { where: name });
      fill(descriptor, bytes, first * CHUNK, Math.min(size, end * CHUNK), name);
    });
    read.fill(1, first, end);
  };

  return {
    size,
    read(offset, length) {
      const end = Math.ceil((offset + length) / CHUNK);
      for (let chunk = Math.floor(offset / CHUNK); chunk < end; chunk++) {
        if (read[chunk] === 1) continue;
        let after = chunk + 1;
        while (after < end && read[after] === 0) after++;
        readChunks(chunk, after);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** Reads the bytes [start, end) of the file to where they lie in it. */
function fill(descriptor: number, bytes: Uint8Array, start: number, end: number, name: string): void {
  for (let at = start; at < end;) {
    const got = readSync(descriptor, bytes, at, end - at, at);
    if (got === 0) throw new IpbpError('IPBP5014', 'a file is shorter than it was', { where: name });
    at += got;
  }
}

function withFile<T>(path: string, name: string, use: (descriptor: number, stat: Stats) => T): T {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, 'r');
    return use(descriptor, fstatSync(descriptor));
  } catch (cause) {
    if (cause instanceof IpbpError) throw cause;
    throw new IpbpError('IPBP5014', 'a file could not be read', { where: name, cause });
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
