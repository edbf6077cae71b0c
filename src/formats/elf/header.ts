// The ELF header, the section headers and the program headers, as they stand in the file (gABI chapters 4 and 5).
// What a section is for is decided in sections.ts.
import { IpbpError } from '../../codes/error.js';
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import type { MachineName } from '../object-file.js';
import * as elf from './constants.js';

/** Fields of Elf64_Shdr under the specification's names; `flags` has only the low 32 bits. */
export interface SectionHeader {
  readonly nameOffset: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** Fields of Elf64_Phdr. */
export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** Everything the headers say. `nameTable` is the index of .shstrtab, 0 when there is none. */
export interface ElfHeaders {
  /** Whose extensions to the gABI the file uses. */
  readonly osAbi: number;
  readonly type: number;
  readonly machine: MachineName;
  readonly entry: number;
  readonly sections: readonly SectionHeader[];
  readonly nameTable: number;
  readonly programs: readonly ProgramHeader[];
}

/** Reads all headers. IPBP1003 for what is not 64-bit little-endian x86_64 or AArch64; IPBP1001/1002 for broken ones. */
export function readHeaders(file: Windows): ElfHeaders {
  const reader = file.window(0, elf.EHDR_SIZE);
  if (reader.u32() !== elf.ELFMAG) reader.malformed('not an ELF file', { expected: '7f 45 4c 46' }, 0);
  if (reader.bytes[elf.EI_CLASS] !== elf.ELFCLASS64) unsupported(reader, 'ELF class', elf.EI_CLASS, 'ELFCLASS64');
  if (reader.bytes[elf.EI_DATA] !== elf.ELFDATA2LSB) unsupported(reader, 'byte order', elf.EI_DATA, 'ELFDATA2LSB');
  if (reader.bytes[elf.EI_VERSION] !== elf.EV_CURRENT) unsupported(reader, 'ELF version', elf.EI_VERSION, '1');
  reader.seek(16);
  const type = reader.u16();
  const machine = machineName(reader, reader.u16());
  reader.skip(4); // e_version
  const entry = reader.u64();
  const programOffset = reader.u64();
  const sectionOffset = reader.u64();
  reader.skip(4 + 2); // e_flags, e_ehsize
  const programSize = reader.u16();
  let programCount = reader.u16();
  const sectionSize = reader.u16();
  let sectionCount = reader.u16();
  let nameTable = reader.u16();

  if (type !== elf.ET_REL && type !== elf.ET_EXEC && type !== elf.ET_DYN) {
    throw new IpbpError('IPBP1003', 'this type of ELF file is not supported', {
      expected: 'ET_REL, ET_EXEC or ET_DYN',
      actual: `e_type ${type}`,
      where: reader.where(16),
    });
  }
  // Counts too large for their fields stand in section header 0 (gABI "ELF Header", e_shnum, e_shstrndx, e_phnum).
  if (sectionOffset !== 0) {
    if (sectionSize !== elf.SHDR_SIZE) reader.malformed('e_shentsize is wrong', { actual: `${sectionSize}` }, 58);
    const first = readSection(file.window(sectionOffset, elf.SHDR_SIZE));
    if (sectionCount === 0) sectionCount = first.size;
    if (nameTable === elf.SHN_XINDEX) nameTable = first.link;
    if (programCount === elf.PN_XNUM) programCount = first.info;
  } else {
    sectionCount = 0;
    nameTable = 0;
  }
  if (programCount !== 0 && programSize !== elf.PHDR_SIZE) {
    reader.malformed('e_phentsize is wrong', { actual: `${programSize}` }, 54);
  }
  limit(file, 'sections', sectionCount, LIMITS.sections, elf.SHDR_SIZE);
  limit(file, 'program headers', programCount, LIMITS.segments, elf.PHDR_SIZE);
  if (nameTable !== 0 && nameTable >= sectionCount) {
    reader.malformed('e_shstrndx is no section', { actual: `${nameTable} of ${sectionCount}` }, 62);
  }

  const sectionTable = file.window(sectionOffset, sectionCount * elf.SHDR_SIZE);
  const sections: SectionHeader[] = [];
  for (let index = 0; index < sectionCount; index++) sections.push(readSection(sectionTable));
  checkOverlaps(file, sections);
  const programs: ProgramHeader[] = [];
  const programTable = file.window(programCount === 0 ? 0 : programOffset, programCount * elf.PHDR_SIZE);
  for (let index = 0; index < programCount; index++) programs.push(readProgram(programTable));
  const notes = programs.filter((program) => program.type === elf.PT_NOTE);
  const noteBytes = notes.reduce((sum, { fileSize }) => sum + fileSize, 0);
  // Notes of all alignments lie in one segment, and those of properties in one of their own besides.
  if (noteBytes > LIMITS.sectionReuse * file.length) file.malformed('note segments overlap', {}, programOffset);
  const osAbi = reader.bytes[elf.EI_OSABI] as number;
  return { osAbi, type, machine, entry, sections, nameTable, programs };
}

/** Sections lie side by side: a thousand over the same bytes would make a thousand times the file of them. */
function checkOverlaps(file: Windows, sections: readonly SectionHeader[]): void {
  let left = LIMITS.sectionReuse * file.length;
  for (const { type, offset, size } of sections) {
    if (type === elf.SHT_NOBITS || type === elf.SHT_NULL) continue;
    file.check(offset, size);
    left -= size;
    if (left < 0) file.malformed('sections overlap', { expected: 'bytes of their own' }, offset);
  }
}

function limit(file: Windows, what: string, count: number, most: number, size: number): void {
  if (count > most || count * size > file.length) {
    file.malformed(`too many ${what}`, { expected: `at most ${most}, and within the file`, actual: `${count}` }, 0);
  }
}

function machineName(reader: ByteReader, machine: number): MachineName {
  if (machine === elf.EM_X86_64) return 'x86_64';
  if (machine === elf.EM_AARCH64) return 'arm64';
  throw new IpbpError('IPBP1003', 'this machine is not supported', {
    expected: 'EM_X86_64 or EM_AARCH64',
    actual: `e_machine ${machine}`,
    where: reader.where(18),
  });
}

function unsupported(reader: ByteReader, what: string, at: number, expected: string): never {
  throw new IpbpError('IPBP1003', `this ${what} is not supported`, {
    expected,
    actual: `${reader.bytes[at]}`,
    where: reader.where(at),
  });
}

function readSection(reader: ByteReader): SectionHeader {
  const nameOffset = reader.u32();
  const type = reader.u32();
  const flags = reader.u32();
  reader.skip(4); // the high half of sh_flags: none of its bits is used here
  const address = reader.u64();
  const offset = reader.u64();
  const size = reader.u64();
  const link = reader.u32();
  const info = reader.u32();
  const align = reader.u64();
  const entrySize = reader.u64();
  return { nameOffset, type, flags, address, offset, size, link, info, align, entrySize };
}

function readProgram(reader: ByteReader): ProgramHeader {
  const type = reader.u32();
  const flags = reader.u32();
  const offset = reader.u64();
  const address = reader.u64();
  reader.skip(8); // p_paddr
  const fileSize = reader.u64();
  const memorySize = reader.u64();
  const align = reader.u64();
  return { type, flags, offset, address, fileSize, memorySize, align };
}
