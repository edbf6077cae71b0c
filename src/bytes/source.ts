// Where a file's bytes come from when not all of them are needed: whoever reads files gives ranges of them, and a range
// that nobody asks for is never read. Half of a program and more is debug information. Knows no file system.
import { IpbpError, hex } from '../codes/error.js';
import type { ErrorDetails } from '../codes/error.js';
import { plainBytes } from './plain.js';
import { ByteReader } from './reader.js';

/** A file of a known size. */
export interface ByteSource {
  readonly size: number;
  /** The bytes [offset, offset + size), which lie in the file: to be read only, and kept by who asks for them. */
  read(offset: number, size: number): Uint8Array;
}

/** A source over bytes that are there already: its ranges are views. */
export function wholeSource(bytes: Uint8Array): ByteSource {
  const plain = plainBytes(bytes);
  return { size: plain.length, read: (offset, size) => plain.subarray(offset, offset + size) };
}

/** Readers of a file's parts. */
export interface Windows {
  /** What messages call the file. */
  readonly name: string;
  readonly length: number;
  /** A reader over [start, start + size), whose offsets are those of the file. IPBP1001 where the file ends before. */
  window(start: number, size: number): ByteReader;
  /** The same check without reading. */
  check(start: number, size: number): void;
  /** Throws IPBP1002 at `position`. */
  malformed(summary: string, details: ErrorDetails, position: number): never;
}

/** The parts of a source, each read when its window is opened. */
export function openWindows(source: ByteSource, name: string): Windows {
  const { size: length } = source;
  const check = (start: number, size: number): void => {
    if (start >= 0 && size >= 0 && start + size <= length) return;
    throw new IpbpError('IPBP1001', 'input is truncated', {
      expected: `bytes ${hex(start)} to ${hex(start + size)}`,
      actual: `an end at ${hex(length)}`,
      where: `${name}, offset ${hex(Math.max(0, Math.min(start, length)))}`,
    });
  };
  return {
    name,
    length,
    check,
    window(start, size) {
      check(start, size);
      return new ByteReader(plainBytes(source.read(start, size)), name, start);
    },
    malformed(summary, details, position) {
      throw new IpbpError('IPBP1002', summary, { where: `${name}, offset ${hex(position)}`, ...details });
    },
  };
}
