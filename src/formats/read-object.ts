// Opens an object file of whatever format it is: the one place that knows all readers.
import { wholeSource, type ByteSource } from '../bytes/source.js';
import { IpbpError } from '../codes/error.js';
import { detectFormat, SIGNATURE_SIZE } from './detect.js';
import { readElf } from './elf/read.js';
import { readMacho } from './macho/read.js';
import { readWasm } from './wasm/read.js';
import type { MachineName, ObjectFile } from './object-file.js';
import { sliceFor } from './universal.js';

/** A file that is read when it is first needed. */
interface LaterFile {
  readonly name: string;
  read(): Uint8Array;
}

/**
 * An object with the file that holds what was split off of its debug information, if there is one.
 * @throws IpbpError as {@link readObjectFile}, of the object
 */
export function readObjectWith(file: LaterFile & { readonly debugFile?: LaterFile | undefined }): ObjectFile {
  const object = readObjectFile(file.read(), file.name);
  const { debugFile } = file;
  if (debugFile === undefined) return object;
  let opened: ObjectFile | null = null;
  // Into the object, not a copy of it: what is costly in it is a getter.
  return Object.assign(object, { debugFile: () => (opened ??= readObjectFile(debugFile.read(), debugFile.name)) });
}

/**
 * Reads an object, executable or library; of a universal file the part for `machine`. IPBP1003 for formats without a
 * reader, 1001 and 1002 for broken files.
 */
export function readObjectFile(
  input: Uint8Array | ByteSource,
  name: string,
  machine: MachineName | null = null,
): ObjectFile {
  const bytes = input instanceof Uint8Array ? input : input.read(0, Math.min(input.size, SIGNATURE_SIZE));
  const format = detectFormat(bytes);
  if (format === 'elf') return readElf(input, name);
  if (format === 'macho') return readMacho(input, name);
  if (format === 'wasm') return readWasm(input, name);
  if (format === 'universal') {
    return readMacho(sliceFor(input instanceof Uint8Array ? wholeSource(input) : input, name, machine), name);
  }
  throw new IpbpError('IPBP1003', 'this file format is not supported', {
    expected: 'an ELF, Mach-O or WebAssembly file',
    actual: format ?? (bytes.length === 0 ? 'an empty file' : 'something else'),
    where: `${name}, offset 0x0`,
  });
}
