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

/** The section headers as columns with `count` rows: an object each costs a link of many files more than its code. */
export interface SectionHeaderColumns {
  readonly count: number;
  readonly nameOffset: Uint32Array;
  readonly type: Uint32Array;
  /** The low 32 bits. */
  readonly flags: Uint32Array;
  readonly address: Float64Array;
  readonly offset: Float64Array;
  readonly size: Float64Array;
  readonly link: Uint32Array;
  readonly info: Uint32Array;
  readonly align: Float64Array;
  readonly entrySize: Float64Array;
}

/** Everything the headers say. `nameTable` is the index of .shstrtab, 0 when there is none. */
export interface ElfHeaders {
  /** Whose extensions to the gABI the file uses. */
  readonly osAbi: number;
  readonly type: number;
  readonly machine: MachineName;
  readonly entry: number;
  readonly table: SectionHeaderColumns;
  /** `table` as objects, made at first use. */
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
    const first = sectionHeader(readSections(file.window(sectionOffset, elf.SHDR_SIZE), 1), 0);
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

  const table = readSections(file.window(sectionOffset, sectionCount * elf.SHDR_SIZE), sectionCount);
  checkOverlaps(file, table);
  const programs: ProgramHeader[] = [];
  const programTable = file.window(programCount === 0 ? 0 : programOffset, programCount * elf.PHDR_SIZE);
  for (let index = 0; index < programCount; index++) programs.push(readProgram(programTable));
  const notes = programs.filter((program) => program.type === elf.PT_NOTE);
  const noteBytes = notes.reduce((sum, { fileSize }) => sum + fileSize, 0);
  // Notes of all alignments lie in one segment, and those of properties in one of their own besides.
  if (noteBytes > LIMITS.sectionReuse * file.length) file.malformed('note segments overlap', {}, programOffset);
  let sections: SectionHeader[] | null = null;
  return {
    osAbi: reader.bytes[elf.EI_OSABI] as number,
    type,
    machine,
    entry,
    table,
    get sections() {
      return (sections ??= Array.from({ length: table.count }, (_, index) => sectionHeader(table, index)));
    },
    nameTable,
    programs,
  };
}

/** Sections lie side by side: a thousand over the same bytes would make a thousand times the file of them. */
function checkOverlaps(file: Windows, table: SectionHeaderColumns): void {
  const { count, type, offset, size } = table;
  const { length } = file;
  let left = LIMITS.sectionReuse * length;
  for (let index = 0; index < count; index++) {
    if (type[index] === elf.SHT_NOBITS || type[index] === elf.SHT_NULL) continue;
    const start = offset[index] as number;
    const bytes = size[index] as number;
    if (start + bytes > length) file.check(start, bytes);
    left -= bytes;
    if (left < 0) file.malformed('sections overlap', { expected: 'bytes of their own' }, start);
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

/** Largest high half of a safe integer, 2^53 − 1. */
const MAX_HIGH = 0x1f_ffff;
const TWO_32 = 0x1_0000_0000;

/** Reads `count` headers, which the window holds. */
function readSections(reader: ByteReader, count: number): SectionHeaderColumns {
  const { bytes } = reader;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table: SectionHeaderColumns = {
    count,
    nameOffset: new Uint32Array(count),
    type: new Uint32Array(count),
    flags: new Uint32Array(count),
    address: new Float64Array(count),
    offset: new Float64Array(count),
    size: new Float64Array(count),
    link: new Uint32Array(count),
    info: new Uint32Array(count),
    align: new Float64Array(count),
    entrySize: new Float64Array(count),
  };
  const wide = (at: number): number => {
    const high = view.getUint32(at + 4, true);
    return high > MAX_HIGH ? reader.seek(at).u64() : high * TWO_32 + view.getUint32(at, true);
  };
  for (let index = 0, at = 0; index < count; index++, at += elf.SHDR_SIZE) {
    table.nameOffset[index] = view.getUint32(at, true);
    table.type[index] = view.getUint32(at + 4, true);
    table.flags[index] = view.getUint32(at + 8, true); // none of the bits of the high half is used here
    table.address[index] = wide(at + 16);
    table.offset[index] = wide(at + 24);
    table.size[index] = wide(at + 32);
    table.link[index] = view.getUint32(at + 40, true);
    table.info[index] = view.getUint32(at + 44, true);
    table.align[index] = wide(at + 48);
    table.entrySize[index] = wide(at + 56);
  }
  return table;
}

/** The header at an index. */
export function sectionHeader(table: SectionHeaderColumns, index: number): SectionHeader {
  return {
    nameOffset: table.nameOffset[index] ?? 0,
    type: table.type[index] ?? 0,
    flags: table.flags[index] ?? 0,
    address: table.address[index] ?? 0,
    offset: table.offset[index] ?? 0,
    size: table.size[index] ?? 0,
    link: table.link[index] ?? 0,
    info: table.info[index] ?? 0,
    align: table.align[index] ?? 0,
    entrySize: table.entrySize[index] ?? 0,
  };
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
