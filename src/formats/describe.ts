// What the readers see in a file, as plain data that JSON can hold: for `ipbp dump --json`, and for describe-text.ts.
// Relocation numbers get their names from the caller, since rows live above formats/.
import type { Archive } from './archive.js';
import { functionRanges, splitEhFrame } from './dwarf/eh-frame.js';
import { DYNAMIC_TAG_NAMES } from './elf/constants.js';
import { isElfFile } from './elf/read.js';
import type { ObjectFile, ObjectSymbol, Section, Segment, TlsTemplate } from './object-file.js';
import { demangle } from './symbols/demangle.js';

/** What to leave out, and how to name relocations. */
export interface DescribeOptions {
  /** The specification's name of a relocation number, or undefined when it has none. */
  readonly relocationName: (type: number) => string | undefined;
  /** Only sections with this name, and what is in or applies to them. */
  readonly section?: string;
}

export interface RelocationDescription {
  readonly offset: number;
  readonly type: number;
  readonly typeName: string | null;
  /** The symbol's name, or its section's for section symbols. */
  readonly symbol: string;
  readonly addend: number | null;
}

export interface UnwindDescription {
  readonly section: string;
  readonly cies: readonly {
    readonly offset: number;
    readonly augmentation: string;
    readonly personality: string | null;
  }[];
  /** Offset of the record; `function` is a symbol in objects and an address in linked files. */
  readonly fdes: readonly {
    readonly offset: number;
    readonly function: string | number;
    readonly size: number;
    readonly lsda: string | number | null;
  }[];
}

export interface LinkedDescription {
  readonly positionIndependent: boolean;
  /** Hexadecimal. */
  readonly buildId: string | null;
  readonly soname: string | null;
  readonly needed: readonly string[];
  readonly segments: readonly Segment[];
  readonly tls: TlsTemplate | null;
  readonly dynamic: readonly { readonly tag: number; readonly name: string | null; readonly value: number }[];
  readonly dynamicSymbols: readonly ObjectSymbol[];
}

/** A section as data. */
export type SectionFacts = Omit<Section, 'nameBegins'>;

export interface ObjectDescription {
  readonly name: string;
  readonly format: string;
  readonly machine: string;
  readonly kind: string;
  readonly size: number;
  readonly sections: readonly SectionFacts[];
  readonly symbols: readonly (ObjectSymbol & { readonly readable: string })[];
  readonly relocations: readonly { readonly section: string; readonly entries: readonly RelocationDescription[] }[];
  readonly unwind: readonly UnwindDescription[];
  readonly notes: readonly { readonly owner: string; readonly type: number; readonly description: string }[];
  readonly linked: LinkedDescription | null;
}

export interface ArchiveDescription {
  readonly name: string;
  readonly format: 'archive';
  readonly thin: boolean;
  readonly members: readonly { readonly name: string; readonly offset: number; readonly size: number }[];
  /** Names in the archive's index. */
  readonly symbols: readonly {
    readonly name: string;
    readonly readable: string;
    readonly members: readonly string[];
  }[];
}

/** The section as data: readers' own look their facts up when they are asked. */
export function sectionFacts(section: Section): SectionFacts {
  const { index, name, kind, alloc, writable, executable, mergeable, strings, entrySize, address, offset } = section;
  const { size, fileSize, align, group, retain, consumed, packing, describes } = section;
  const access = { alloc, writable, executable, mergeable, strings, entrySize };
  return {
    ...{ index, name, kind, ...access, address, offset, size, fileSize, align, group },
    ...{ retain, consumed, packing, describes },
  };
}

/** Describes an object, executable or library. Throws what reading its parts throws. */
export function describeObject(file: ObjectFile, options: DescribeOptions): ObjectDescription {
  const wanted = (name: string): boolean => options.section === undefined || name === options.section;
  const sections = file.sections.filter((section) => wanted(section.name));
  return {
    name: file.name,
    format: file.format,
    machine: file.machine,
    kind: file.kind,
    size: file.bytes.length,
    sections: sections.map(sectionFacts),
    symbols: file.symbols
      .filter((symbol) => options.section === undefined || wanted(sectionName(file, symbol.section)))
      .map((symbol) => ({ ...symbol, readable: demangle(symbol.name) })),
    relocations: sections
      .map((section) => ({ section: section.name, entries: relocationsOf(file, section, options) }))
      .filter(({ entries }) => entries.length > 0),
    unwind: sections.filter((section) => section.kind === 'unwind').map((section) => unwindOf(file, section)),
    notes: isElfFile(file)
      ? file.notes().map(({ owner, type, description }) => ({ owner, type, description: hexText(description) }))
      : [],
    linked: linkedOf(file),
  };
}

/** Describes an archive: its members and its index. */
export function describeArchive(archive: Archive): ArchiveDescription {
  return {
    name: archive.name,
    format: 'archive',
    thin: archive.thin,
    members: archive.members.map(({ name, offset, size }) => ({ name, offset, size })),
    symbols: Array.from(archive.symbolIndex(), ([name, members]) => ({
      name,
      readable: demangle(name),
      members: members.map((index) => archive.members[index]?.name ?? ''),
    })),
  };
}

function sectionName(file: ObjectFile, section: ObjectSymbol['section']): string {
  return typeof section === 'number' ? (file.sections[section]?.name ?? `section ${section}`) : section;
}

function symbolName(file: ObjectFile, index: number): string {
  const symbol = file.symbols[index];
  if (symbol === undefined || index === 0) return '';
  return symbol.kind === 'section' ? sectionName(file, symbol.section) : symbol.name;
}

function relocationsOf(file: ObjectFile, section: Section, options: DescribeOptions): RelocationDescription[] {
  return file.relocations(section.index).map(({ offset, type, symbol, addend }) => ({
    offset,
    type,
    typeName: options.relocationName(type) ?? null,
    symbol: symbolName(file, symbol),
    addend,
  }));
}

function unwindOf(file: ObjectFile, section: Section): UnwindDescription {
  const where = `${file.name}: ${section.name}`;
  const bytes = file.sectionBytes(section.index);
  const split = splitEhFrame(bytes, file.linked === null ? file.relocations(section.index) : [], where);
  const target = (relocation: { readonly symbol: number; readonly addend: number | null } | null): string | null => {
    if (relocation === null) return null;
    const name = symbolName(file, relocation.symbol);
    return relocation.addend === null || relocation.addend === 0 ? name : `${name}+0x${relocation.addend.toString(16)}`;
  };
  return {
    section: section.name,
    cies: split.cies.map(({ offset, augmentation, personality }) => ({
      offset,
      augmentation,
      personality: target(personality?.relocation ?? null),
    })),
    fdes:
      file.linked === null
        ? split.fdes.map(({ offset, pcBegin, pcRange, lsda }) => ({
            offset,
            function: target(pcBegin.relocation) ?? '',
            size: pcRange,
            lsda: target(lsda?.relocation ?? null),
          }))
        : functionRanges(bytes, section.address, where).map(({ offset, start, end, lsda }) => ({
            offset,
            function: start,
            size: end - start,
            lsda: lsda === 0 ? null : lsda,
          })),
  };
}

function linkedOf(file: ObjectFile): LinkedDescription | null {
  const { linked } = file;
  if (linked === null) return null;
  return {
    positionIndependent: linked.positionIndependent,
    buildId: linked.buildId === null ? null : hexText(linked.buildId),
    soname: linked.soname,
    needed: linked.needed,
    segments: linked.segments,
    tls: linked.tls,
    dynamic: isElfFile(file)
      ? file.dynamic.map(({ tag, value }) => ({ tag, name: DYNAMIC_TAG_NAMES.get(tag) ?? null, value }))
      : [],
    dynamicSymbols: linked.dynamicSymbols,
  };
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
