// A linked patch as a shared library of the format that its program has: the one place that knows all emitters.
import { IpbpError } from '../codes/error.js';
import type { Format } from '../formats/object-file.js';
import { emitElfPatch } from './emit-elf-patch.js';
import { emitMachoPatch, machoPatchFront } from './emit-macho-patch.js';
import type { PatchLibrary } from './patch-library.js';

export type { PatchLibrary };

/**
 * The file's bytes.
 * @throws IpbpError IPBP5902 for a format without an emitter
 */
export function emitLibrary(format: Format, library: PatchLibrary): Uint8Array {
  if (format === 'elf') return emitElfPatch(library);
  if (format === 'macho') return emitMachoPatch(library);
  return unsupported(format);
}

/**
 * Bytes, whole pages, that the library has to have in front of its first segment: what of it the loader and unwinders
 * read there.
 * @throws IpbpError IPBP5902 for a format without an emitter
 */
export function libraryFront(format: Format, library: Omit<PatchLibrary, 'at' | 'size' | 'description'>): number {
  if (format === 'elf') return 0;
  if (format === 'macho') return machoPatchFront(library);
  return unsupported(format);
}

function unsupported(format: Format): never {
  throw new IpbpError('IPBP5902', 'a patch cannot be a shared library of this format yet', { actual: format });
}
