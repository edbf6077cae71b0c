// Packed sections: the header before what is packed (gABI "Section Compression"). Unpacking is who calls' business.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { hex } from '../../codes/error.js';
import type { Packing } from '../object-file.js';
import * as elf from './constants.js';

/** What the header says of the section once it is unpacked. */
export interface PackedSection {
  readonly packing: Packing;
  readonly size: number;
  readonly align: number;
}

/** Reads the header of a packed section. IPBP1001 when it is cut off, IPBP1002 for a size that nothing packed has. */
export function readPacked(section: ByteReader): PackedSection {
  const type = section.u32();
  section.skip(4);
  const size = section.u64();
  const align = section.u64();
  if (size > LIMITS.unpacking * section.length) {
    const facts = { expected: `at most ${LIMITS.unpacking} times ${hex(section.length)}`, actual: hex(size) };
    section.malformed('a packed section says to be larger than it can be', facts, 8);
  }
  const method = type === elf.ELFCOMPRESS_ZLIB ? 'zlib' : type === elf.ELFCOMPRESS_ZSTD ? 'zstd' : null;
  return { packing: { method, start: elf.CHDR_SIZE }, size, align };
}
