// Writes an object with changes, in its own format: the counterpart of read-object.ts.
import { IpbpError } from '../codes/error.js';
import { isElfFile } from './elf/read.js';
import { rewriteElf } from './elf/rewrite.js';
import { isMachoFile } from './macho/read.js';
import { rewriteMacho } from './macho/rewrite.js';
import type { ObjectEdits } from './object-edits.js';
import type { ObjectFile } from './object-file.js';

/**
 * The bytes of the object with these edits; all else means what it meant.
 * @throws IpbpError IPBP2020 when the object has something that cannot be carried over.
 */
export function rewriteObject(file: ObjectFile, edits: ObjectEdits): Uint8Array {
  if (isElfFile(file)) return rewriteElf(file, edits);
  if (isMachoFile(file)) return rewriteMacho(file, edits);
  throw new IpbpError('IPBP2020', 'objects of this format cannot be rewritten', { where: file.name });
}

/** Can bytes be appended to a section, to be kept or dropped with it? Not where sections are pieces of larger ones. */
export function takesMore(file: ObjectFile): boolean {
  return isElfFile(file);
}
