// Relocation sections to bytes (gABI "Relocation"): entries of the model, or those of a file with other symbol indexes.
// The counterpart of relocations.ts.
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError } from '../../codes/error.js';
import type { Relocation } from '../object-file.js';
import * as elf from './constants.js';

/**
 * SHT_RELA entries. `indexes` says where each symbol is now.
 * @throws IpbpError IPBP2020 for an implicit addend.
 */
export function writeRelocations(
  relocations: readonly Relocation[],
  indexes: Uint32Array,
  where: string,
): Uint8Array<ArrayBuffer> {
  const entries = new ByteWriter(relocations.length * elf.RELA_SIZE);
  for (const { offset, type, symbol, addend } of relocations) {
    if (addend === null) {
      throw new IpbpError('IPBP2020', 'relocations without an addend cannot be rewritten', { where });
    }
    entries
      .u64(offset)
      .u32(type)
      .u32(indexes[symbol] ?? 0)
      .i64(addend);
  }
  return entries.finish();
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
