// Opens an object file of whatever format it is: the one place that knows all readers.
import type { ByteSource } from '../bytes/source.js';
import { IpbpError } from '../codes/error.js';
import { detectFormat, SIGNATURE_SIZE } from './detect.js';
import { readElf } from './elf/read.js';
import type { ObjectFile } from './object-file.js';

/** Reads an object, executable or library. IPBP1003 for formats without a reader, 1001 and 1002 for broken files. */
export function readObjectFile(input: Uint8Array | ByteSource, name: string): ObjectFile {
  const bytes = input instanceof Uint8Array ? input : input.read(0, Math.min(input.size, SIGNATURE_SIZE));
  const format = detectFormat(bytes);
  if (format === 'elf') return readElf(input, name);
  throw new IpbpError('IPBP1003', 'this file format is not supported', {
    expected: 'an ELF file',
    actual: format ?? (bytes.length === 0 ? 'an empty file' : 'something else'),
    where: `${name}, offset 0x0`,
  });
}
