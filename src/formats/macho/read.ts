// Reads a Mach-O file into the model: headers at once, all else when it is first asked for. The parts are in header,
// subsections, symbols, relocations and linked; this file only joins them.
import { openWindows, wholeSource, type ByteSource, type Windows } from '../../bytes/source.js';
import { symbolsOf } from '../column-symbols.js';
import { createRelocationRoom, type RelocationColumns, type SymbolColumns } from '../columns.js';
import type { FileKind, ObjectFile, Section } from '../object-file.js';
import { dataInCodeOf, indirectSymbolsOf, type DataInCode } from './commands.js';
import * as macho from './constants.js';
import { countFunctions, countNamed } from './count-symbols.js';
import { readDebugMap, type DebugMapUnit } from './debug-map.js';
import { readHeaders, type MachoHeaders } from './header.js';
import { readLinked, type LinkedParts } from './linked.js';
import { measureLinked } from './linked-sizes.js';
import { once } from '../once.js';
import { openRelocations, type Relocations } from './relocation-columns.js';
import { makeSections } from './sections.js';
import { measureSymbols } from './symbol-sizes.js';
import { debuggerRows, readNlistTable, type NlistTable } from './symbol-table.js';
import { readSymbolColumns } from './symbols.js';
import { cutSections, wholePieces, type Pieces } from './subsections.js';

const NO_BYTES = new Uint8Array(0);
const NO_ROWS: RelocationColumns = { count: 0, implicit: false, ...createRelocationRoom() };

/** What the model leaves out. Tables are read when they are asked for. */
export interface MachoFacts {
  readonly headers: MachoHeaders;
  /** The symbol table as the file has it; its `symbolOf` leads to the model's symbols. */
  symbolTable(): NlistTable;
  /** Which part of which of the file's sections a section of the model is, by its index. */
  pieces(): Pieces;
  /** What came from which object, of a linked file that was not stripped of it. */
  debugMap(): readonly DebugMapUnit[];
  dataInCode(): readonly DataInCode[];
  /** The symbols that stubs and pointers of sections stand for. */
  indirectSymbols(): Uint32Array;
  /** Of a linked file. */
  readonly linked: Pick<LinkedParts, 'base' | 'functionStarts' | 'exports'> | null;
}

/** A Mach-O file, with the parts of it that the model leaves out. */
export interface MachoFile extends ObjectFile {
  readonly format: 'macho';
  readonly macho: MachoFacts;
}

/**
 * Reads MH_OBJECT, MH_EXECUTE, MH_DYLIB and MH_BUNDLE files, 64-bit little-endian, of x86_64 and arm64. `name` is what
 * messages call it. Bytes are kept and viewed, never copied; of a source only the parts that are asked for are read.
 * Sections of a relocatable file are its subsections (subsections.ts), relocations are folded (relocations.ts). Throws
 * IPBP1001 (truncated), IPBP1002 (malformed) and IPBP1003 (not supported), here or, for what is read lazily, at first use.
 */
export function readMacho(input: Uint8Array | ByteSource, name: string): MachoFile {
  const source = input instanceof Uint8Array ? wholeSource(input) : input;
  const file = openWindows(source, name);
  const headers = readHeaders(file);
  const table = once(() => readNlistTable(file, headers));
  const linked = headers.type === macho.MH_OBJECT ? null : readLinked(file, headers, table);
  const parts = linked === null ? relocatableParts(file, headers, table) : linkedParts(headers, table, linked);
  const { sections, relocations, columns } = parts;
  const symbols = once(() => symbolsOf(columns()));
  return {
    format: 'macho',
    machine: headers.machine,
    kind: fileKind(headers.type),
    name,
    get bytes() {
      return source.read(0, source.size);
    },
    range: (offset, size) => source.read(offset, size),
    get sections() {
      return sections();
    },
    linked: linked?.info ?? null,
    macho: {
      headers,
      symbolTable: table,
      pieces: parts.pieces,
      debugMap: once(() => readDebugMap(debuggerRows(table()))),
      dataInCode: () => dataInCodeOf(file, headers),
      indirectSymbols: () => indirectSymbolsOf(file, headers),
      linked,
    },
    get symbols() {
      return symbols();
    },
    countFunctions: () => countFunctions(file, headers),
    countNamed: (names) => countNamed(file, headers, names),
    relocations: (section) => relocations()?.of(section) ?? [],
    symbolColumns: columns,
    relocationColumns: (section, room) => relocations()?.columnsOf(section, room ?? null) ?? NO_ROWS,
    allRelocationColumns: (wanted) =>
      relocations()?.all(wanted) ?? { rows: NO_ROWS, first: new Uint32Array(sections().length + 1) },
    sectionBytes(index) {
      const section = sections()[index];
      if (section === undefined || section.fileSize === 0) return NO_BYTES;
      return source.read(section.offset, section.fileSize);
    },
  };
}

function fileKind(type: number): FileKind {
  if (type === macho.MH_OBJECT) return 'relocatable';
  return type === macho.MH_EXECUTE ? 'executable' : 'shared';
}

/** The parts of a file, each made once, when it is first asked for. */
interface Parts {
  readonly pieces: () => Pieces;
  readonly sections: () => readonly Section[];
  /** Null for linked files. */
  readonly relocations: () => Relocations | null;
  /** Not kept. */
  readonly columns: () => SymbolColumns;
}

function relocatableParts(file: Windows, headers: MachoHeaders, table: () => NlistTable): Parts {
  const pieces = once(() => cutSections(file, headers, table()));
  const relocations = once(() => openRelocations({ file, headers, table: table(), pieces: pieces() }));
  return {
    pieces,
    relocations,
    sections: once(() => makeSections(headers.sections, pieces(), false)),
    columns() {
      const symbols = readSymbolColumns({ headers, table: table(), pieces: pieces() });
      const { lengthAt } = relocations();
      const contentOf = openContents(file, headers);
      measureSymbols({ headers, table: table(), pieces: pieces(), lengthAt, contentOf }, symbols);
      return symbols;
    },
  };
}

function linkedParts(headers: MachoHeaders, table: () => NlistTable, { sizeAt }: LinkedParts): Parts {
  const pieces = once(() => wholePieces(headers.sections));
  return {
    pieces,
    relocations: () => null,
    sections: once(() => makeSections(headers.sections, pieces(), true)),
    columns() {
      const symbols = readSymbolColumns({ headers, table: table(), pieces: pieces() });
      measureLinked(symbols, headers.sections, sizeAt());
      return symbols;
    },
  };
}

/** Parts of sections' content, each section read once. */
function openContents(
  file: Windows,
  { sections }: MachoHeaders,
): (section: number, start: number, end: number) => Uint8Array {
  const contents = new Map<number, Uint8Array>();
  return (section, start, end) => {
    let bytes = contents.get(section);
    if (bytes === undefined) {
      const { offset, size } = sections[section] ?? { offset: 0, size: 0 };
      contents.set(section, (bytes = file.window(offset, size).bytes));
    }
    return bytes.subarray(start, end);
  };
}

/** Was the file read by {@link readMacho}? Gives who knows the format access to what the model leaves out. */
export function isMachoFile(file: ObjectFile): file is MachoFile {
  return file.format === 'macho' && 'macho' in file;
}
