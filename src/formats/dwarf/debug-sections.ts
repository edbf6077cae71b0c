// The debug sections of an object as they would be after linking it alone: references from one to another filled in.
// References to code and data stay as they are; nothing that is read here needs them.
import { firstNotBefore } from '../../bytes/search.js';
import type { ObjectFile, Section } from '../object-file.js';
import { ByteReader } from '../../bytes/reader.js';
import { hex } from '../../codes/error.js';

/** What type descriptions are read from. Sections that the object lacks are empty. */
export interface DebugSections {
  readonly info: ByteReader;
  readonly abbreviations: ByteReader;
  readonly strings: ByteReader;
  readonly lineStrings: ByteReader;
  readonly stringOffsets: ByteReader;
  /** What an address stands for, in relocatable files; null where no relocation says it. */
  address(place: AddressPlace): Place | null;
}

/** Where an address stands that a relocation fills. */
export interface AddressPlace {
  /** Of an entry itself, or in the table of addresses. */
  readonly in: 'info' | 'addresses';
  readonly offset: number;
}

/** A place in a section of the object. */
export interface Place {
  readonly section: number;
  readonly offset: number;
}

const NO_BYTES = new Uint8Array(0);

/**
 * Opens what an object has; null when it has no `.debug_info`. 32-bit DWARF: every reference is four bytes.
 * @throws IpbpError IPBP1001 and IPBP1002 as the file's relocations do, or when one lies outside its section
 */
export function openDebugSections(file: ObjectFile): DebugSections | null {
  // Formats spell the prefix differently (`.debug_info`, `__debug_info`).
  const find = (name: string): Section | undefined =>
    file.sections.find((section) => section.kind === 'debug' && section.name.replace(/^(?:\.|__)/, '') === name);
  const info = find('debug_info');
  if (info === undefined || info.fileSize === 0) return null;
  const open = (section: Section | undefined): ByteReader =>
    section === undefined
      ? new ByteReader(NO_BYTES, file.name)
      : new ByteReader(relocated(file, section), file.name, section.offset);
  return {
    info: open(info),
    abbreviations: open(find('debug_abbrev')),
    strings: open(find('debug_str')),
    lineStrings: open(find('debug_line_str')),
    stringOffsets: open(find('debug_str_offsets')),
    address(place) {
      const section = place.in === 'info' ? info : find('debug_addr');
      return section === undefined ? null : relocationTarget(file, section.index, place.offset);
    },
  };
}

/** A section's bytes with its references to other debug sections filled in; a copy where there are any. */
function relocated(file: ObjectFile, section: Section): Uint8Array {
  const raw = file.sectionBytes(section.index);
  if (file.kind !== 'relocatable') return raw;
  const relocations = file.relocations(section.index);
  if (relocations.length === 0) return raw;
  const { symbols, sections } = file;
  // Not `slice`: what Node reads files into has one that makes a view.
  const bytes = new Uint8Array(raw);
  const view = new DataView(bytes.buffer);
  for (const { offset, symbol: index, addend } of relocations) {
    const symbol = symbols[index];
    if (symbol === undefined || typeof symbol.section !== 'number') continue;
    if (sections[symbol.section]?.kind !== 'debug') continue;
    if (offset + 4 > bytes.length) outside(file, section, offset);
    const value = symbol.value + (addend ?? view.getUint32(offset, true));
    if (!(value >= 0 && value <= 0xffff_ffff)) outside(file, section, offset);
    view.setUint32(offset, value, true);
  }
  return bytes;
}

function relocationTarget(file: ObjectFile, section: number, offset: number): Place | null {
  const relocations = file.relocations(section);
  // They rise by offset.
  const found = relocations[firstNotBefore(relocations, (one) => one.offset < offset)];
  const symbol = found?.offset === offset ? file.symbols[found.symbol] : undefined;
  if (found === undefined || typeof symbol?.section !== 'number') return null;
  return { section: symbol.section, offset: symbol.value + (found.addend ?? 0) };
}

function outside(file: ObjectFile, section: Section, offset: number): never {
  const reader = new ByteReader(NO_BYTES, file.name, section.offset + offset);
  return reader.malformed('a reference between debug sections does not fit', {
    actual: `${section.name}+${hex(offset)}`,
  });
}
