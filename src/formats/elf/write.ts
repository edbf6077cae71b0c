// Writes a relocatable ELF file from its parts: where each section comes to lie, the file header, the section headers
// (gABI chapter 4). The counterpart of header.ts; symbols and relocations are write-symbols.ts and write-relocations.ts.
import { alignUp } from '../../bytes/align.js';
import { ByteWriter } from '../../bytes/writer.js';
import * as elf from './constants.js';
import type { SectionHeader } from './header.js';

/** A section to write. The header's offset and size are computed, but for what the file does not hold (SHT_NOBITS). */
export interface SectionPart {
  readonly header: SectionHeader;
  /** Null for SHT_NULL and SHT_NOBITS. */
  readonly bytes: Uint8Array | null;
}

/** Before it: e_ident, e_type, e_machine, e_version, e_entry, e_phoff. */
const SECTION_OFFSET_AT = 40;
const SECTION_COUNT_AT = 60;

/**
 * The file. `fileHeader` is that of the file it was made from (EHDR_SIZE bytes), for all that stays (identification,
 * machine, flags); section 0 must be the null section. Sections lie in their order, each as its header aligns it, then
 * the headers.
 */
export function writeElfObject(
  fileHeader: Uint8Array,
  sections: readonly SectionPart[],
  nameTable: number,
): Uint8Array<ArrayBuffer> {
  let end = elf.EHDR_SIZE;
  const offsets = sections.map(({ header, bytes }) => {
    const at = alignUp(end, Math.max(header.align, 1));
    if (bytes === null) return header.type === elf.SHT_NULL ? 0 : at;
    end = at + bytes.length;
    return at;
  });
  const headersAt = alignUp(end, 8);
  const file = new Uint8Array(headersAt + sections.length * elf.SHDR_SIZE);
  const large = sections.length >= elf.SHN_LORESERVE;
  file.set(fileHeader);
  const view = new DataView(file.buffer);
  file.set(new ByteWriter(8).u64(headersAt).finish(), SECTION_OFFSET_AT);
  // Counts too large for their fields stand in section header 0 (gABI "ELF Header", e_shnum and e_shstrndx).
  view.setUint16(SECTION_COUNT_AT, large ? 0 : sections.length, true);
  view.setUint16(SECTION_COUNT_AT + 2, nameTable >= elf.SHN_LORESERVE ? elf.SHN_XINDEX : nameTable, true);
  const headers = new ByteWriter(sections.length * elf.SHDR_SIZE);
  sections.forEach(({ header, bytes }, index) => {
    const offset = offsets[index] ?? 0;
    if (bytes !== null) file.set(bytes, offset);
    const size = index === 0 ? (large ? sections.length : 0) : (bytes?.length ?? header.size);
    const link = index === 0 && nameTable >= elf.SHN_LORESERVE ? nameTable : header.link;
    headers.u32(header.nameOffset).u32(header.type).u32(header.flags).u32(0); // no flag has a high half
    headers.u64(header.address).u64(offset).u64(size).u32(link).u32(header.info).u64(header.align);
    headers.u64(header.entrySize);
  });
  file.set(headers.finish(), headersAt);
  return file;
}
