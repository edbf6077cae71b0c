// A linked patch as a shared library of the format that its program has: the one place that knows all emitters.
import { IpbpError } from '../codes/error.js';
import type { Format } from '../formats/object-file.js';
import { emitElfPatch, type PatchLibrary } from './emit-elf-patch.js';

export type { PatchLibrary };

/**
 * The file's bytes.
 * @throws IpbpError IPBP5902 for a format without an emitter
 */
export function emitLibrary(format: Format, library: PatchLibrary): Uint8Array {
  if (format === 'elf') return emitElfPatch(library);
  throw new IpbpError('IPBP5902', 'a patch cannot be a shared library of this format yet', { actual: format });
}
