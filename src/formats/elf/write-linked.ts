// The headers of a linked file (gABI chapters 4 and 5), put into bytes that hold its sections already: a large library
// is written once, in place. The counterpart of header.ts; objects are write.ts's.
import { IpbpError } from '../../codes/error.js';
import { ByteWriter } from '../../bytes/writer.js';
import type { MachineName } from '../object-file.js';
import * as elf from './constants.js';
import type { ProgramHeader, SectionHeader } from './header.js';

/** What the headers say. Sections lie where their headers say; the null section is not among `sections`. */
export interface LinkedHeaders {
  readonly osAbi: number;
  readonly machine: MachineName;
  /** ET_DYN or ET_EXEC. */
  readonly type: number;
  readonly entry: number;
  readonly programs: readonly ProgramHeader[];
  readonly sections: readonly SectionHeader[];
  /** Where the section headers go, a multiple of 8. */
  readonly sectionsAt: number;
  /** Index of .shstrtab; the first of `sections` has index 1. */
  readonly nameTable: number;
}

/** Bytes of the file header with so many program headers, which follow it. */
export function linkedHeaderSize(programs: number): number {
  return elf.EHDR_SIZE + programs * elf.PHDR_SIZE;
}

/** Bytes of the section headers with those of so many sections, the null section not counted. */
export function sectionHeadersSize(sections: number): number {
  return (sections + 1) * elf.SHDR_SIZE;
}

/** Writes the file header, the program headers behind it, and the section headers. */
export function putLinkedHeaders(file: Uint8Array, headers: LinkedHeaders): void {
  const { programs, sections, nameTable } = headers;
  const count = sections.length + 1;
  const manySections = count >= elf.SHN_LORESERVE;
  const manyPrograms = programs.length >= elf.PN_XNUM;
  const start = new ByteWriter(linkedHeaderSize(programs.length));
  start.u32(elf.ELFMAG).u8(elf.ELFCLASS64).u8(elf.ELFDATA2LSB).u8(elf.EV_CURRENT).u8(headers.osAbi).fill(8);
  start.u16(headers.type).u16(machineNumber(headers.machine)).u32(elf.EV_CURRENT);
  start.u64(headers.entry).u64(elf.EHDR_SIZE).u64(headers.sectionsAt).u32(0);
  start
    .u16(elf.EHDR_SIZE)
    .u16(elf.PHDR_SIZE)
    .u16(manyPrograms ? elf.PN_XNUM : programs.length);
  start.u16(elf.SHDR_SIZE).u16(manySections ? 0 : count);
  start.u16(nameTable >= elf.SHN_LORESERVE ? elf.SHN_XINDEX : nameTable);
  for (const { type, flags, offset, address, fileSize, memorySize, align } of programs) {
    start.u32(type).u32(flags).u64(offset).u64(address).u64(address).u64(fileSize).u64(memorySize).u64(align);
  }
  file.set(start.finish());

  const table = new ByteWriter(sectionHeadersSize(sections.length));
  // Counts too large for their fields stand in section header 0 (gABI "ELF Header", e_shnum, e_shstrndx, e_phnum).
  table.fill(32).u64(manySections ? count : 0);
  table
    .u32(nameTable >= elf.SHN_LORESERVE ? nameTable : 0)
    .u32(manyPrograms ? programs.length : 0)
    .fill(16);
  for (const header of sections) {
    table.u32(header.nameOffset).u32(header.type).u32(header.flags).u32(0); // no flag has a high half
    table.u64(header.address).u64(header.offset).u64(header.size).u32(header.link).u32(header.info);
    table.u64(header.align).u64(header.entrySize);
  }
  file.set(table.finish(), headers.sectionsAt);
}

function machineNumber(machine: MachineName): number {
  if (machine === 'x86_64') return elf.EM_X86_64;
  if (machine === 'arm64') return elf.EM_AARCH64;
  throw new IpbpError('IPBP1003', 'this format has no such machine', { actual: machine });
}
