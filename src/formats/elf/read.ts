// Reads an ELF file into the model: headers and sections at once, symbols and relocations when they are first asked
// for. The parts are in header, sections, symbols, relocations and linked; this file only joins them.
import type { ByteReader } from '../../bytes/reader.js';
import { openWindows, wholeSource, type ByteSource, type Windows } from '../../bytes/source.js';
import type { ObjectFile, Relocation } from '../object-file.js';
import {
  readAllRelocationColumns,
  readRelocationColumns,
  readSymbolColumns,
  type RelocationSource,
  type SymbolTableParts,
} from './columns.js';
import * as elf from './constants.js';
import { countFunctions, countNamed } from './count-symbols.js';
import { readHeaders } from './header.js';
import type { ElfHeaders, SectionHeader } from './header.js';
import { readLinked } from './linked.js';
import type { DynamicEntry } from './linked.js';
import { readNotes } from './notes.js';
import type { Note } from './notes.js';
import { byOffset, readRelocationSection, type RelocationBounds } from './relocations.js';
import { readSections, sectionReader } from './sections.js';
import { openStringTable } from './string-table.js';
import { openSymbols } from './symbols.js';
import type { SymbolTable } from './symbols.js';

const NONE: readonly Relocation[] = [];
const NO_BYTES = new Uint8Array(0);
const NO_RELOCATIONS = { sources: [], bounds: { size: 0, symbols: 0 } };

/** An ELF file, with the parts of it that the model leaves out. */
export interface ElfFile extends ObjectFile {
  readonly format: 'elf';
  readonly headers: ElfHeaders;
  /** The dynamic table without its end mark; empty for relocatable and static files. */
  readonly dynamic: readonly DynamicEntry[];
  notes(): readonly Note[];
  /** Relocations that the loader applies (.rela.dyn, .rela.plt): offsets are addresses, symbols are dynamic ones. */
  dynamicRelocations(): readonly Relocation[];
}

/**
 * Reads ET_REL, ET_EXEC and ET_DYN files, 64-bit little-endian, of x86_64 and AArch64. `name` is what messages call
 * it. Bytes are kept and viewed, never copied; of a source only the parts that are asked for are read. Throws IPBP1001
 * (truncated), IPBP1002 (malformed) and IPBP1003 (not supported), here or, for what is read lazily, at first use.
 */
export function readElf(input: Uint8Array | ByteSource, name: string): ElfFile {
  const source = input instanceof Uint8Array ? wholeSource(input) : input;
  const reader = openWindows(source, name);
  const headers = readHeaders(reader);
  const found = findSymbolTable(reader, headers);
  let opened: SymbolTable | null = null;
  const openTable = (): SymbolTable | null => (found === null ? null : (opened ??= found.open()));
  const sections = readSections(reader, headers, openTable);
  const linked = headers.type === elf.ET_REL ? null : readLinked(reader, headers);
  const relocationSections = relocationSectionsByTarget(headers);

  const boundsOf = (section: number): RelocationBounds => ({
    // In linked files (--emit-relocs) offsets are addresses.
    size: linked === null ? (sections[section]?.size ?? 0) : Infinity,
    symbols: openTable()?.count ?? 0,
  });

  const readRelocations = (section: number): readonly Relocation[] => {
    const sources = relocationSections.get(section);
    if (sources === undefined) return NONE;
    const bounds = boundsOf(section);
    const [first, ...others] = sources.map((source) => readOne(reader, headers, source, bounds));
    return byOffset(others.length === 0 ? (first ?? []) : [first ?? [], ...others].flat());
  };

  const sourcesOf = (section: number): RelocationSource[] =>
    (relocationSections.get(section) ?? []).map((source) => {
      const header = headers.sections[source] as SectionHeader;
      return { reader: sectionReader(reader, header), type: header.type };
    });

  return {
    format: 'elf',
    machine: headers.machine,
    kind: linked?.kind ?? 'relocatable',
    name,
    get bytes() {
      return source.read(0, source.size);
    },
    range: (offset, size) => source.read(offset, size),
    sections,
    headers,
    dynamic: linked?.dynamic ?? [],
    linked: linked?.info ?? null,
    get symbols() {
      return openTable()?.all() ?? [];
    },
    countFunctions: () =>
      found === null ? 0 : countFunctions(found.table(), (index) => sections[index]?.kind === 'code'),
    countNamed: (names) => (found === null ? 0 : countNamed(found.table(), found.strings(), names)),
    relocations: readRelocations,
    symbolColumns() {
      if (found !== null) return readSymbolColumns(found.parts());
      const nothing = reader.window(0, 0);
      return readSymbolColumns({
        entries: nothing,
        strings: nothing,
        extended: null,
        sectionCount: null,
        firstGlobal: 0,
      });
    },
    relocationColumns: (section) => readRelocationColumns(sourcesOf(section), boundsOf(section)),
    allRelocationColumns: () =>
      readAllRelocationColumns(
        // Two sections of three have none.
        sections.map((_, section) =>
          relocationSections.has(section) ? { sources: sourcesOf(section), bounds: boundsOf(section) } : NO_RELOCATIONS,
        ),
      ),
    sectionBytes(index) {
      const section = sections[index];
      if (section === undefined || section.fileSize === 0) return NO_BYTES;
      return source.read(section.offset, section.fileSize);
    },
    notes() {
      if (linked !== null) return linked.notes;
      return headers.sections
        .filter((header) => header.type === elf.SHT_NOTE)
        .flatMap((header) => readNotes(sectionReader(reader, header), header.align));
    },
    dynamicRelocations() {
      const symbols = linked?.info.dynamicSymbols.length ?? 0;
      return headers.sections.flatMap((header, index) =>
        isLoaderRelocations(headers, index) ? readOne(reader, headers, index, { size: Infinity, symbols }) : [],
      );
    },
  };
}

/** Where the symbols are. */
interface FoundTable {
  parts(): SymbolTableParts;
  table(): ByteReader;
  strings(): ByteReader;
  open(): SymbolTable;
}

function findSymbolTable(reader: Windows, headers: ElfHeaders): FoundTable | null {
  const index = headers.sections.findIndex((header) => header.type === elf.SHT_SYMTAB);
  const header = headers.sections[index];
  if (header === undefined) return null;
  const strings = headers.sections[header.link];
  if (strings === undefined || strings.type !== elf.SHT_STRTAB) {
    reader.malformed('the symbol table has no string table', { actual: `sh_link ${header.link}` }, header.offset);
  }
  const extended = headers.sections.find(
    (candidate) => candidate.type === elf.SHT_SYMTAB_SHNDX && candidate.link === index,
  );
  const part = (section: SectionHeader) => (): ByteReader => sectionReader(reader, section);
  const parts = (): SymbolTableParts => ({
    entries: sectionReader(reader, header),
    strings: sectionReader(reader, strings),
    extended: extended === undefined ? null : sectionReader(reader, extended),
    // In linked files the index is a hint: tools that rewrite them (BOLT, strip) leave stale ones, seen in rustc's own.
    sectionCount: headers.type === elf.ET_REL ? headers.sections.length : null,
    firstGlobal: header.info,
  });
  return {
    table: part(header),
    strings: part(strings),
    parts,
    open() {
      const { entries, strings: names, extended: indexes, sectionCount } = parts();
      return openSymbols(entries, openStringTable(names), indexes, sectionCount);
    },
  };
}

function isRelocationType(type: number): boolean {
  return type === elf.SHT_RELA || type === elf.SHT_REL || type === elf.SHT_CREL;
}

/** Loaded relocation sections of linked files are the loader's; others are what --emit-relocs left. */
function isLoaderRelocations(headers: ElfHeaders, index: number): boolean {
  const header = headers.sections[index];
  if (header === undefined || headers.type === elf.ET_REL) return false;
  return isRelocationType(header.type) && (header.flags & elf.SHF_ALLOC) !== 0;
}

/** Section → the relocation sections that apply to it (sh_info). */
function relocationSectionsByTarget(headers: ElfHeaders): Map<number, number[]> {
  const targets = new Map<number, number[]>();
  headers.sections.forEach((header, index) => {
    if (!isRelocationType(header.type) || isLoaderRelocations(headers, index)) return;
    const sources = targets.get(header.info);
    if (sources === undefined) targets.set(header.info, [index]);
    else sources.push(index);
  });
  return targets;
}

function readOne(reader: Windows, headers: ElfHeaders, source: number, bounds: RelocationBounds): Relocation[] {
  const header = headers.sections[source];
  return header === undefined ? [] : readRelocationSection(sectionReader(reader, header), header.type, bounds);
}

/** Was the file read by {@link readElf}? Gives descriptions access to what the model leaves out. */
export function isElfFile(file: ObjectFile): file is ElfFile {
  return file.format === 'elf' && 'headers' in file;
}
