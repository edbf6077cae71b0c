// A reader of ELF for the comparison alone: 64 bits, little-endian, files that linkers and compilers wrote a moment ago.
// It is written apart from src/formats, so that an error there shows here.

/** A section header and the section's bytes (none for NOBITS). */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
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

/** A symbol; `section` is a section's index, or SHN_UNDEF, SHN_ABS, SHN_COMMON. */
export interface ElfSymbol {
  readonly name: string;
  readonly type: number;
  readonly binding: number;
  readonly visibility: number;
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

/** A relocation with an explicit addend. */
export interface ElfRelocation {
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  readonly addend: number;
}

/** A program header. */
export interface ElfSegment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

export const SHN_UNDEF = 0;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;
export const SHF_ALLOC = 2;
export const SHF_MERGE = 0x10;
export const SHF_STRINGS = 0x20;
export const SHF_TLS = 0x400;
export const SHT_RELA = 4;
export const SHT_NOBITS = 8;
export const SHT_GROUP = 17;
export const STT_SECTION = 3;
export const STT_TLS = 6;
export const STB_LOCAL = 0;
export const STB_WEAK = 2;
export const STV_PROTECTED = 3;

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHT_SYMTAB_SHNDX = 18;
const RESERVED = 0xff00;
const XINDEX = 0xffff;

/** A file as the comparison sees it. */
export interface ElfFile {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly machine: number;
  readonly type: number;
  readonly sections: readonly ElfSection[];
  readonly segments: readonly ElfSegment[];
  /** `.symtab`; empty where there is none. */
  readonly symbols: readonly ElfSymbol[];
}

/** Reads a little-endian number of 64 bits; above 2^53 it loses low bits, which only wrapped addends of -1 would have. */
export function word64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** The text up to the zero byte. */
export function textAt(bytes: Uint8Array, at: number): string {
  let end = at;
  while (end < bytes.length && bytes[end] !== 0) end++;
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1');
}

function readSections(bytes: Uint8Array, view: DataView): ElfSection[] {
  const at = word64(view, 40);
  if (at === 0) return [];
  const size = view.getUint16(58, true);
  const count = view.getUint16(60, true) || word64(view, at + 32);
  const names = view.getUint16(62, true);
  const namesAt = at + (names === XINDEX ? view.getUint32(at + 40, true) : names) * size;
  const namesOffset = word64(view, namesAt + 24);
  return Array.from({ length: count }, (_, index) => {
    const header = at + index * size;
    return {
      index,
      name: textAt(bytes, namesOffset + view.getUint32(header, true)),
      type: view.getUint32(header + 4, true),
      flags: word64(view, header + 8),
      address: word64(view, header + 16),
      offset: word64(view, header + 24),
      size: word64(view, header + 32),
      link: view.getUint32(header + 40, true),
      info: view.getUint32(header + 44, true),
      align: word64(view, header + 48),
      entrySize: word64(view, header + 56),
    };
  });
}

function readSegments(view: DataView): ElfSegment[] {
  const at = word64(view, 32);
  return Array.from({ length: at === 0 ? 0 : view.getUint16(56, true) }, (_, index) => {
    const header = at + index * view.getUint16(54, true);
    return {
      type: view.getUint32(header, true),
      flags: view.getUint32(header + 4, true),
      offset: word64(view, header + 8),
      address: word64(view, header + 16),
      fileSize: word64(view, header + 32),
      memorySize: word64(view, header + 40),
      align: word64(view, header + 48),
    };
  });
}

/** The symbols of one table; indices too large for their field are taken from the table beside it. */
function readSymbols(bytes: Uint8Array, view: DataView, sections: readonly ElfSection[], type: number): ElfSymbol[] {
  const table = sections.find((section) => section.type === type);
  if (table === undefined) return [];
  const names = sections[table.link]!;
  const wide = sections.find((section) => section.type === SHT_SYMTAB_SHNDX && section.link === table.index);
  return Array.from({ length: table.size / 24 }, (_, index) => {
    const at = table.offset + index * 24;
    const info = bytes[at + 4]!;
    const raw = view.getUint16(at + 6, true);
    const extended = raw === XINDEX && wide !== undefined;
    return {
      name: textAt(bytes, names.offset + view.getUint32(at, true)),
      type: info % 16,
      binding: info >> 4,
      visibility: bytes[at + 5]! % 4,
      section: extended ? view.getUint32(wide.offset + index * 4, true) : raw,
      value: word64(view, at + 8),
      size: word64(view, at + 16),
    };
  });
}

/** Reads a file. Throws where it is no ELF of 64 bits, little-endian. */
export function readElf(bytes: Uint8Array, what: string): ElfFile {
  const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
  if (!magic.every((byte, at) => bytes[at] === byte)) throw new Error(`${what} is no little-endian ELF of 64 bits`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sections = readSections(bytes, view);
  return {
    bytes,
    view,
    machine: view.getUint16(18, true),
    type: view.getUint16(16, true),
    sections,
    segments: readSegments(view),
    symbols: readSymbols(bytes, view, sections, SHT_SYMTAB),
  };
}

/** The dynamic symbols of a linked file. */
export function dynamicSymbols({ bytes, view, sections }: ElfFile): ElfSymbol[] {
  return readSymbols(bytes, view, sections, SHT_DYNSYM);
}

/** True for an index of a section, false for the reserved ones. */
export function isSectionIndex(index: number): boolean {
  return index !== SHN_UNDEF && (index < RESERVED || index > XINDEX);
}

/** The entries of a table of relocations with addends. */
export function relocationsAt(view: DataView, offset: number, size: number): ElfRelocation[] {
  return Array.from({ length: size / 24 }, (_, index) => {
    const at = offset + index * 24;
    return {
      offset: word64(view, at),
      type: view.getUint32(at + 8, true),
      symbol: view.getUint32(at + 12, true),
      addend: Number(view.getBigInt64(at + 16, true)),
    };
  });
}
