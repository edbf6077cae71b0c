// A file as the core's ByteSource: read in chunks when they are first asked for. Nothing is copied: the chunks go where
// they lie in one buffer as long as the file, of which the system gives only the pages that are written.
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import type { ByteSource } from '../../bytes/source.js';
import { IpbpError } from '../../codes/error.js';

/** Large enough that reading is not a matter of calls, small enough to leave out what lies between. */
const CHUNK = 1 << 18;

/**
 * Opens `path`, which `name` is what messages call.
 * @throws IpbpError IPBP5014 when it cannot be read, here or later, or was written to meanwhile
 */
export function fileSource(path: string, name = path): ByteSource {
  const opened = withFile(path, name, (_, stat) => stat);
  const { size } = opened;
  const bytes = new Uint8Array(size);
  const read = new Uint8Array(Math.ceil(size / CHUNK));

  const readChunks = (first: number, end: number): void => {
    withFile(path, name, (descriptor, stat) => {
      if (stat.size !== size || stat.mtimeMs !== opened.mtimeMs)
        throw new IpbpError('IPBP5014', 'a file was written to while it was in use', { where: name });
      const stop = Math.min(size, end * CHUNK);
      for (let at = first * CHUNK; at < stop;) {
        const got = readSync(descriptor, bytes, at, stop - at, at);
        if (got === 0) throw new IpbpError('IPBP5014', 'a file is shorter than it was', { where: name });
        at += got;
      }
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
