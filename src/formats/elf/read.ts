// Reads an ELF file into the model: headers and sections at once, symbols and relocations when they are first asked
// for. The parts are in header, sections, symbols, relocations and linked; this file only joins them.
import type { ByteReader } from '../../bytes/reader.js';
import { openWindows, wholeSource, type ByteSource, type Windows } from '../../bytes/source.js';
import type { FileRelocations } from '../columns.js';
import type { ObjectFile, Relocation } from '../object-file.js';
import { readSymbolColumns, type SymbolTableParts } from './columns.js';
import * as elf from './constants.js';
import { countFunctions, countNamed } from './count-symbols.js';
import { readHeaders, sectionHeader } from './header.js';
import type { ElfHeaders, SectionHeader } from './header.js';
import { readLinked } from './linked.js';
import type { DynamicEntry } from './linked.js';
import { readNotes } from './notes.js';
import type { Note } from './notes.js';
import { readRelocationColumns, type RelocationParts, type RelocationSections } from './relocation-columns.js';
import { byOffset, readRelocationSection, type RelocationBounds } from './relocations.js';
import { readSections, sectionReader } from './sections.js';
import { openStringTable } from './string-table.js';
import { openSymbols } from './symbols.js';
import type { SymbolTable } from './symbols.js';

const NONE: readonly Relocation[] = [];
const NO_BYTES = new Uint8Array(0);

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
  const { table } = headers;

  const boundsOf = (section: number): RelocationBounds => ({
    // In linked files (--emit-relocs) offsets are addresses.
    size: linked === null ? (sections[section]?.size ?? 0) : Infinity,
    symbols: openTable()?.count ?? 0,
  });

  const readRelocations = (section: number): readonly Relocation[] => {
    const sources = sourcesFor(relocationSections, section);
    if (sources.length === 0) return NONE;
    const bounds = boundsOf(section);
    const [first, ...others] = sources.map((source) => readOne(reader, headers, source, bounds));
    return byOffset(others.length === 0 ? (first ?? []) : [first ?? [], ...others].flat());
  };

  const relocationColumns = (from: number, to: number, asked: AskedRelocations): FileRelocations =>
    readRelocationColumns(
      {
        file: reader,
        headers: table,
        sections: relocationSections,
        sizeOf: (section) => boundsOf(section).size,
        symbols: openTable()?.count ?? 0,
        ...asked,
      },
      from,
      to,
    );

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
    relocationColumns(section, room) {
      const known = section >= 0 && section < table.count;
      const asked = { wanted: () => known, room: room ?? null };
      return known ? relocationColumns(section, section + 1, asked).rows : relocationColumns(0, 0, asked).rows;
    },
    allRelocationColumns: (wanted) => relocationColumns(0, table.count, { wanted, room: null }),
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

type AskedRelocations = Pick<RelocationParts, 'wanted' | 'room'>;

/** Where the symbols are. */
interface FoundTable {
  parts(): SymbolTableParts;
  table(): ByteReader;
  strings(): ByteReader;
  open(): SymbolTable;
}

function findSymbolTable(reader: Windows, headers: ElfHeaders): FoundTable | null {
  const { table } = headers;
  const index = table.type.indexOf(elf.SHT_SYMTAB);
  if (index < 0) return null;
  const header = sectionHeader(table, index);
  const strings = sectionHeader(table, header.link);
  if (header.link >= table.count || strings.type !== elf.SHT_STRTAB) {
    reader.malformed('the symbol table has no string table', { actual: `sh_link ${header.link}` }, header.offset);
  }
  let extended: SectionHeader | null = null;
  for (let other = table.type.indexOf(elf.SHT_SYMTAB_SHNDX); other >= 0 && extended === null;) {
    if (table.link[other] === index) extended = sectionHeader(table, other);
    other = table.type.indexOf(elf.SHT_SYMTAB_SHNDX, other + 1);
  }
  const part = (section: SectionHeader) => (): ByteReader => sectionReader(reader, section);
  const parts = (): SymbolTableParts => ({
    entries: sectionReader(reader, header),
    strings: sectionReader(reader, strings),
    extended: extended === null ? null : sectionReader(reader, extended),
    // In linked files the index is a hint: tools that rewrite them (BOLT, strip) leave stale ones, seen in rustc's own.
    sectionCount: headers.type === elf.ET_REL ? table.count : null,
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
function isLoaderRelocations({ table, type }: ElfHeaders, index: number): boolean {
  if (type === elf.ET_REL) return false;
  return isRelocationType(table.type[index] as number) && ((table.flags[index] as number) & elf.SHF_ALLOC) !== 0;
}

/** Section → the relocation sections that apply to it (sh_info). */
function relocationSectionsByTarget(headers: ElfHeaders): RelocationSections {
  const { count, type, info } = headers.table;
  const first = new Uint32Array(count);
  const next = new Uint32Array(count);
  // From the last to the first, so that chains have the order of the file.
  for (let index = count - 1; index > 0; index--) {
    if (!isRelocationType(type[index] as number) || isLoaderRelocations(headers, index)) continue;
    const target = info[index] as number;
    if (target >= count) continue;
    next[index] = first[target] as number;
    first[target] = index;
  }
  return { first, next };
}

function sourcesFor({ first, next }: RelocationSections, section: number): number[] {
  const sources: number[] = [];
  for (let at = first[section] ?? 0; at !== 0; at = next[at] as number) sources.push(at);
  return sources;
}

function readOne(reader: Windows, headers: ElfHeaders, source: number, bounds: RelocationBounds): Relocation[] {
  const header = headers.sections[source];
  return header === undefined ? [] : readRelocationSection(sectionReader(reader, header), header.type, bounds);
}

/** Was the file read by {@link readElf}? Gives descriptions access to what the model leaves out. */
export function isElfFile(file: ObjectFile): file is ElfFile {
  return file.format === 'elf' && 'headers' in file;
}
