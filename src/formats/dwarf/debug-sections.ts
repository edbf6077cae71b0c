// Where an object's debug information is, and its sections as they would be after linking it alone: references from one
// to another filled in.
// References to code and data stay as they are; nothing that is read here needs them.
import { firstNotBefore } from '../../bytes/search.js';
import type { ObjectFile, Relocation, Section } from '../object-file.js';
import { ByteReader } from '../../bytes/reader.js';
import { hex, IpbpError } from '../../codes/error.js';
import { splitUnits } from './split-units.js';

/** What type descriptions are read from. Sections that the object lacks are empty. */
export interface DebugSections {
  readonly info: ByteReader;
  readonly abbreviations: ByteReader;
  readonly strings: ByteReader;
  readonly lineStrings: ByteReader;
  readonly stringOffsets: ByteReader;
  /** Where the addresses of the only unit begin; null where each unit says it, or all begin behind the header. */
  readonly addressBase: number | null;
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

/** What an object has for debuggers: the sections to read, or why there are none; null where it simply has none. */
export type DebugInformation =
  | { readonly sections: DebugSections; readonly missing: null }
  | { readonly sections: null; readonly missing: string | null };

const NO_BYTES = new Uint8Array(0);
const NOTHING: DebugInformation = { sections: null, missing: null };

/**
 * Opens what an object has, wherever it is; null when that is nothing, or not to be had. See {@link findDebugSections}.
 * @throws IpbpError as that does
 */
export function openDebugSections(file: ObjectFile): DebugSections | null {
  return findDebugSections(file).sections;
}

/**
 * Opens the debug information of an object: its own, or where it was split that in sections of their own or in the file
 * beside it. 32-bit DWARF: every reference is four bytes.
 * @throws IpbpError IPBP1001 to IPBP1003 as the file's relocations and units do, or when a reference lies outside its
 *   section. What is wrong with the file beside it is given as a reason.
 */
export function findDebugSections(file: ObjectFile): DebugInformation {
  const info = findSection(file, 'debug_info');
  if (info === undefined || info.fileSize === 0) return NOTHING;
  const own = openParts(file, '');
  const units = splitUnits(own.info, own.abbreviations);
  const [unit, ...more] = units;
  if (units.every((one) => one === null)) return found(file, own, info, null);
  if (unit === undefined || unit === null || more.length > 0) {
    return missing(`${file.name} has several units, and its debug information is split`);
  }
  const holder = isSplitOff(file) ? file : openHolder(file);
  if (typeof holder === 'string') return missing(holder);
  const reason = whyNotOf(holder, unit.id);
  if (reason !== null) return missing(`${holder.name} ${reason}`);
  const parts = openParts(holder, SPLIT);
  return found(file, parts, null, unit.addressBase);
}

/** What the names of sections that were split off end in. */
const SPLIT = '.dwo';

function missing(reason: string): DebugInformation {
  return { sections: null, missing: reason };
}

function isSplitOff(file: ObjectFile): boolean {
  return findSection(file, `debug_info${SPLIT}`) !== undefined;
}

/** The file beside an object, or why there is none. */
function openHolder(file: ObjectFile): ObjectFile | string {
  if (file.debugFile === undefined) return `${file.name} has its debug information in a .dwo file, which is not there`;
  return asReason(() => file.debugFile?.() ?? '');
}

/** Null when all that was split off there belongs to the skeleton with this number. */
function whyNotOf(holder: ObjectFile, id: string): string | null {
  if (!isSplitOff(holder)) return 'holds no debug information';
  return asReason(() => {
    const { info, abbreviations } = openParts(holder, SPLIT);
    const units = splitUnits(info, abbreviations);
    if (units.length === 0) return 'holds no debug information';
    const other = units.find((unit) => unit?.id !== id);
    return other === undefined ? null : `is of another compilation: ${other?.id ?? 'no id'} instead of ${id}`;
  });
}

/** Broken files give the reason instead. */
function asReason<T>(open: () => T): T | string {
  try {
    return open();
  } catch (error) {
    if (error instanceof IpbpError && /^IPBP1/.test(error.code)) return `cannot be read: ${error.message}`;
    throw error;
  }
}

/** What line programs are read from. Sections that the object lacks are empty. */
export interface LineSections extends Pick<DebugSections, 'strings' | 'lineStrings'> {
  readonly program: ByteReader;
  /** What the address at an offset of `program` stands for; null where no relocation says it. */
  address(offset: number): Place | null;
}

/**
 * Opens what an object has of lines; they are not split off.
 * @throws IpbpError as {@link findDebugSections}
 */
export function openLineSections(file: ObjectFile): LineSections {
  const section = findSection(file, 'debug_line');
  const addresses = section === undefined ? [] : addressesOf(file, section);
  return {
    program: openSection(file, 'debug_line'),
    strings: openSection(file, 'debug_str'),
    lineStrings: openSection(file, 'debug_line_str'),
    address: (offset) => relocationTarget(file, addresses, offset),
  };
}

type Parts = Omit<DebugSections, 'address' | 'addressBase'>;

function openParts(file: ObjectFile, suffix: string): Parts {
  const open = (name: string): ByteReader => openSection(file, name + suffix);
  return {
    info: open('debug_info'),
    abbreviations: open('debug_abbrev'),
    strings: open('debug_str'),
    lineStrings: open('debug_line_str'),
    stringOffsets: open('debug_str_offsets'),
  };
}

function openSection(file: ObjectFile, name: string): ByteReader {
  const section = findSection(file, name);
  if (section === undefined) return new ByteReader(NO_BYTES, file.name);
  return new ByteReader(relocated(file, section), file.name, section.offset);
}

/**
 * Addresses are in the object itself, wherever the entries are.
 * @param info where they stand in entries, too; null for those that were split off
 */
function found(file: ObjectFile, parts: Parts, info: Section | null, addressBase: number | null): DebugInformation {
  const known = new Map<AddressPlace['in'], readonly Relocation[]>();
  const addressesIn = (where: AddressPlace['in']): readonly Relocation[] => {
    let relocations = known.get(where);
    if (relocations === undefined) {
      const section = where === 'info' ? info : findSection(file, 'debug_addr');
      known.set(where, (relocations = section == null ? [] : addressesOf(file, section)));
    }
    return relocations;
  };
  const sections: DebugSections = {
    ...parts,
    addressBase,
    address: (place) => relocationTarget(file, addressesIn(place.in), place.offset),
  };
  return { sections, missing: null };
}

/** Formats spell the prefix differently (`.debug_info`, `__debug_info`). */
function findSection(file: ObjectFile, name: string): Section | undefined {
  return file.sections.find((section) => section.kind === 'debug' && section.name.replace(/^(?:\.|__)/, '') === name);
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

/** The relocations that mean code and data: those between debug sections, most of them, need not be kept. */
function addressesOf(file: ObjectFile, section: Section): readonly Relocation[] {
  const { symbols, sections } = file;
  return file.relocations(section.index).filter(({ symbol }) => {
    const target = symbols[symbol]?.section;
    return typeof target !== 'number' || sections[target]?.kind !== 'debug';
  });
}

/** @param relocations by rising offset */
function relocationTarget(file: ObjectFile, relocations: readonly Relocation[], offset: number): Place | null {
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
