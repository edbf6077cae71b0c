// Relocation sections (gABI "Relocation"): SHT_RELA and SHT_REL to the model's relocations. Types stay raw numbers.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { IpbpError, hex } from '../../codes/error.js';
import type { Relocation } from '../object-file.js';
import * as elf from './constants.js';

const TWO_32 = 0x1_0000_0000;

/** Bounds to check entries against: offsets must be below `size`, symbol indexes below `symbols`. */
export interface RelocationBounds {
  readonly size: number;
  readonly symbols: number;
}

/** How many entries a relocation section has. IPBP1003 for SHT_CREL, IPBP1002 where it ends inside an entry. */
export function relocationCount(reader: ByteReader, type: number): number {
  if (type === elf.SHT_CREL) {
    throw new IpbpError('IPBP1003', 'compact relocations (SHT_CREL) are not supported', {
      expected: 'SHT_RELA or SHT_REL',
      where: reader.where(0),
    });
  }
  const count = reader.length / (type === elf.SHT_RELA ? elf.RELA_SIZE : elf.REL_SIZE);
  if (!Number.isInteger(count)) {
    reader.malformed('a relocation section ends inside an entry', { actual: `${reader.length} bytes` }, 0);
  }
  if (count > LIMITS.relocations) reader.malformed('too many relocations', { actual: `${count}` }, 0);
  return count;
}

/**
 * Reads one relocation section of type SHT_RELA or SHT_REL, in the order of the file. IPBP1003 for SHT_CREL;
 * IPBP1002 for an offset outside the section it applies to or an unknown symbol.
 */
export function readRelocationSection(reader: ByteReader, type: number, bounds: RelocationBounds): Relocation[] {
  const count = relocationCount(reader, type);
  const entrySize = type === elf.SHT_RELA ? elf.RELA_SIZE : elf.REL_SIZE;
  const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset, reader.length);
  const relocations: Relocation[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * entrySize;
    const offset = view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
    const symbol = view.getUint32(at + 12, true);
    if (offset >= bounds.size) {
      reader.malformed(
        'a relocation lies outside its section',
        { expected: `below ${hex(bounds.size)}`, actual: hex(offset) },
        at,
      );
    }
    if (symbol >= bounds.symbols && symbol !== 0) {
      reader.malformed('a relocation has an unknown symbol', { actual: `${symbol} of ${bounds.symbols}` }, at);
    }
    let addend: number | null = null;
    if (type === elf.SHT_RELA) {
      addend = view.getInt32(at + 20, true) * TWO_32 + view.getUint32(at + 16, true);
      if (!Number.isSafeInteger(addend)) reader.malformed('an addend is too large', { expected: 'within ±2^53' }, at);
    }
    relocations.push({ offset, type: view.getUint32(at + 8, true), symbol, addend });
  }
  return relocations;
}

/** Sorts by offset where the file does not; equal offsets keep their order, which some pairs rely on. */
export function byOffset(relocations: Relocation[]): Relocation[] {
  for (let index = 1; index < relocations.length; index++) {
    if ((relocations[index] as Relocation).offset < (relocations[index - 1] as Relocation).offset) {
      return relocations.sort((a, b) => a.offset - b.offset);
    }
  }
  return relocations;
}
