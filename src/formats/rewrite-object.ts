// Writes an object with changes, in its own format: the counterpart of read-object.ts.
import { IpbpError } from '../codes/error.js';
import { isElfFile } from './elf/read.js';
import { rewriteElf } from './elf/rewrite.js';
import type { ObjectEdits } from './object-edits.js';
import type { ObjectFile } from './object-file.js';

/**
 * The bytes of the object with these edits; all else means what it meant.
 * @throws IpbpError IPBP2020 when the object has something that cannot be carried over.
 */
export function rewriteObject(file: ObjectFile, edits: ObjectEdits): Uint8Array {
  if (isElfFile(file)) return rewriteElf(file, edits);
  throw new IpbpError('IPBP2020', 'objects of this format cannot be rewritten', { where: file.name });
}
