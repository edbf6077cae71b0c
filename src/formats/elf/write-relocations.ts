// Relocation sections to bytes (gABI "Relocation"): entries of the model, or those of a file with other symbol indexes.
// The counterpart of relocations.ts.
import { IpbpError } from '../../codes/error.js';
import type { Relocation } from '../object-file.js';
import * as elf from './constants.js';

const TWO_32 = 0x1_0000_0000;

/**
 * SHT_RELA entries. `indexes` says where each symbol is now.
 * @throws IpbpError IPBP2020 for an implicit addend.
 */
export function writeRelocations(
  relocations: readonly Relocation[],
  indexes: Uint32Array,
  where: string,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(relocations.length * elf.RELA_SIZE);
  const view = new DataView(bytes.buffer);
  relocations.forEach(({ offset, type, symbol, addend }, index) => {
    if (addend === null) {
      throw new IpbpError('IPBP2020', 'relocations without an addend cannot be rewritten', { where });
    }
    const at = index * elf.RELA_SIZE;
    view.setUint32(at, offset % TWO_32, true);
    view.setUint32(at + 4, Math.floor(offset / TWO_32), true);
    view.setUint32(at + 8, type, true);
    view.setUint32(at + 12, indexes[symbol] ?? 0, true);
    const high = Math.floor(addend / TWO_32);
    view.setUint32(at + 16, addend - high * TWO_32, true);
    view.setInt32(at + 20, high, true);
  });
  return bytes;
}

/**
 * A relocation section's bytes with the symbols' new indexes. Without decoding: debug sections have many thousands of
 * entries, and no other field changes.
 */
export function renumberRelocations(before: Uint8Array, type: number, indexes: Uint32Array): Uint8Array {
  const bytes = before.slice();
  const step = (type === elf.SHT_RELA ? elf.RELA_SIZE : elf.REL_SIZE) / 4;
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
  for (let at = 3; at < words.length; at += step) words[at] = indexes[words[at] as number] as number;
  return bytes;
}
