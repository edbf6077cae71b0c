// What only linked files have: segments, the TLS template, the dynamic table and its symbols (gABI chapter 5).
// Everything is found through program headers, so that files without section headers work too.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { hex } from '../../codes/error.js';
import type { FileKind, LinkedInfo, ObjectSymbol, Segment, SymbolVersion, TlsTemplate } from '../object-file.js';
import { readSymbolColumns } from './columns.js';
import * as elf from './constants.js';
import type { ElfHeaders, ProgramHeader } from './header.js';
import { buildIdOf, readNotes } from './notes.js';
import type { Note } from './notes.js';
import { sectionReader } from './sections.js';
import { openStringTable } from './string-table.js';
import { openSymbols } from './symbols.js';
import { readVersions } from './versions.js';

/** One entry of the dynamic table. */
export interface DynamicEntry {
  readonly tag: number;
  readonly value: number;
}

/** `LinkedInfo`, what kind of file it makes, and the parts that only descriptions need. */
export interface LinkedParts {
  readonly kind: FileKind;
  readonly info: LinkedInfo;
  readonly dynamic: readonly DynamicEntry[];
  readonly notes: readonly Note[];
}

/** Reads all that program headers lead to; dynamic symbols at first use. */
export function readLinked(reader: Windows, headers: ElfHeaders): LinkedParts {
  const { programs } = headers;
  const segments = programs
    .filter((program) => program.type === elf.PT_LOAD)
    .map((program) => segment(reader, program));
  const dynamic = readDynamic(reader, programs);
  const value = (tag: number): number | null => dynamic.find((entry) => entry.tag === tag)?.value ?? null;
  const stringTable = value(elf.DT_STRTAB);
  const nameOf =
    stringTable === null
      ? () => reader.malformed('a dynamic table without strings', { expected: 'DT_STRTAB' }, 0)
      : openStringTable(atAddress(reader, segments, stringTable, value(elf.DT_STRSZ) ?? 0));
  const soname = value(elf.DT_SONAME);
  const notes = notePlaces(headers).flatMap(({ offset, size, align }) => readNotes(reader.window(offset, size), align));
  const pie = (((value(elf.DT_FLAGS_1) ?? 0) % 0x1_0000_0000) & elf.DF_1_PIE) !== 0;
  // libc.so.6 has an interpreter too, so that it can be run; what has a soname is a library none the less.
  const loaded = programs.some((program) => program.type === elf.PT_INTERP);
  const runs = loaded && soname === null;
  let dynamicSymbols: readonly ObjectSymbol[] | null = null;
  let versions: ((symbol: number) => SymbolVersion | null) | null = null;
  return {
    kind: headers.type === elf.ET_EXEC || pie || runs ? 'executable' : 'shared',
    dynamic,
    notes,
    info: {
      segments,
      tls: tlsTemplate(reader, programs),
      buildId: buildIdOf(notes),
      needed: dynamic.filter((entry) => entry.tag === elf.DT_NEEDED).map((entry) => nameOf(entry.value)),
      soname: soname === null ? null : nameOf(soname),
      positionIndependent: headers.type === elf.ET_DYN,
      loaded,
      keepsOwnNames: false,
      dynamicColumns() {
        const table = findDynamicSymbols(reader, headers, segments, value);
        const nothing = reader.window(0, 0);
        const strings =
          stringTable === null ? nothing : atAddress(reader, segments, stringTable, value(elf.DT_STRSZ) ?? 0);
        return readSymbolColumns({
          entries: table ?? nothing,
          strings,
          extended: null,
          sectionCount: null,
          firstGlobal: 0,
        });
      },
      versionOf(symbol) {
        versions ??= readVersions({ value, at: (address) => atAddress(reader, segments, address, null), nameOf });
        return versions(symbol);
      },
      get dynamicSymbols() {
        if (dynamicSymbols === null) {
          const table = findDynamicSymbols(reader, headers, segments, value);
          dynamicSymbols = table === null ? [] : openSymbols(table, nameOf, null, null).all();
        }
        return dynamicSymbols;
      },
    },
  };
}

/** Where notes are, by sections where there are any: mold 1.10 lays notes of unlike padding into one segment. */
function notePlaces({ sections, programs }: ElfHeaders): { offset: number; size: number; align: number }[] {
  const named = sections.filter(({ type }) => type === elf.SHT_NOTE);
  if (named.length > 0) return named;
  const segments = programs.filter(({ type }) => type === elf.PT_NOTE);
  return segments.map(({ offset, fileSize: size, align }) => ({ offset, size, align }));
}

function segment(reader: Windows, program: ProgramHeader): Segment {
  reader.check(program.offset, program.fileSize);
  if (program.memorySize < program.fileSize || !Number.isSafeInteger(program.address + program.memorySize)) {
    reader.malformed(
      'a segment has an impossible size',
      {
        expected: `at least ${hex(program.fileSize)}`,
        actual: `${hex(program.memorySize)} bytes at address ${hex(program.address)}`,
      },
      0,
    );
  }
  return {
    address: program.address,
    memorySize: program.memorySize,
    offset: program.offset,
    fileSize: program.fileSize,
    align: program.align,
    readable: (program.flags & elf.PF_R) !== 0,
    writable: (program.flags & elf.PF_W) !== 0,
    executable: (program.flags & elf.PF_X) !== 0,
  };
}

function tlsTemplate(reader: Windows, programs: readonly ProgramHeader[]): TlsTemplate | null {
  const program = programs.find((candidate) => candidate.type === elf.PT_TLS);
  if (program === undefined) return null;
  reader.check(program.offset, program.fileSize);
  if (program.memorySize < program.fileSize) {
    reader.malformed('the TLS template is larger in the file than in memory', { actual: hex(program.fileSize) }, 0);
  }
  return {
    address: program.address,
    fileSize: program.fileSize,
    memorySize: program.memorySize,
    align: Math.max(1, program.align),
  };
}

function readDynamic(reader: Windows, programs: readonly ProgramHeader[]): DynamicEntry[] {
  const program = programs.find((candidate) => candidate.type === elf.PT_DYNAMIC);
  const entries: DynamicEntry[] = [];
  if (program === undefined || program.fileSize === 0) return entries;
  const table = reader.window(program.offset, program.fileSize);
  while (table.remaining >= elf.DYN_SIZE) {
    const tag = table.u64();
    const value = table.u64();
    if (tag === elf.DT_NULL) break;
    if (entries.length >= LIMITS.dynamicEntries) table.malformed('too many dynamic entries');
    entries.push({ tag, value });
  }
  return entries;
}

/** A reader over `size` file bytes that are loaded at `address`; over all that the segment holds when `size` is null. */
function atAddress(reader: Windows, segments: readonly Segment[], address: number, size: number | null): ByteReader {
  for (const { address: start, offset, fileSize } of segments) {
    const at = address - start;
    if (at >= 0 && at < fileSize && (size === null || at + size <= fileSize)) {
      return reader.window(offset + at, size ?? fileSize - at);
    }
  }
  return reader.malformed(
    'the dynamic table points outside the file',
    {
      expected: 'an address in a segment',
      actual: hex(address),
    },
    0,
  );
}

function findDynamicSymbols(
  reader: Windows,
  headers: ElfHeaders,
  segments: readonly Segment[],
  value: (tag: number) => number | null,
): ByteReader | null {
  const header = headers.sections.find((section) => section.type === elf.SHT_DYNSYM);
  if (header !== undefined) return sectionReader(reader, header);
  const table = value(elf.DT_SYMTAB);
  if (table === null) return null;
  return atAddress(reader, segments, table, dynamicSymbolCount(reader, segments, value) * elf.SYM_SIZE);
}

/** The dynamic table does not tell how many symbols there are; its hash tables do (gABI "Hash Table", and GNU's). */
function dynamicSymbolCount(
  reader: Windows,
  segments: readonly Segment[],
  value: (tag: number) => number | null,
): number {
  const hash = value(elf.DT_HASH);
  if (hash !== null) {
    const table = atAddress(reader, segments, hash, null);
    table.u32(); // nbucket
    return table.u32(); // nchain: one per symbol
  }
  const gnuHash = value(elf.DT_GNU_HASH);
  if (gnuHash === null) return 0;
  const table = atAddress(reader, segments, gnuHash, null);
  const buckets = table.u32();
  const firstSymbol = table.u32();
  const bloomWords = table.u32();
  table.u32(); // bloom shift
  table.skip(bloomWords * 8);
  let last = 0;
  for (let index = 0; index < buckets; index++) last = Math.max(last, table.u32());
  if (last < firstSymbol) return firstSymbol;
  // Chain words follow, one per symbol from firstSymbol; an odd one ends its chain.
  table.skip((last - firstSymbol) * 4);
  while (table.u32() % 2 === 0) last++;
  return last + 1;
}
