// Reads a Mach-O file into the model: headers at once, all else when it is first asked for. The parts are in header,
// subsections, symbols, relocations and linked; this file only joins them.
import { openWindows, wholeSource, type ByteSource, type Windows } from '../../bytes/source.js';
import { encodeText } from '../../bytes/text.js';
import { IpbpError } from '../../codes/error.js';
import { KIND_FUNCTION, type SymbolColumns } from '../columns.js';
import type { ObjectFile, ObjectSymbol, Section } from '../object-file.js';
import * as macho from './constants.js';
import { readHeaders, type MachoHeaders } from './header.js';
import { openRelocations, type Relocations } from './relocation-columns.js';
import { makeSections } from './sections.js';
import { measureSymbols } from './symbol-sizes.js';
import { readNlistTable, type NlistTable } from './symbol-table.js';
import { readSymbolColumns, symbolsOf } from './symbols.js';
import { cutSections, type Pieces } from './subsections.js';

const NO_BYTES = new Uint8Array(0);

/** What the model leaves out. */
export interface MachoFacts {
  readonly headers: MachoHeaders;
  /** The symbol table as the file has it; its `symbolOf` leads to the model's symbols. */
  symbolTable(): NlistTable;
  /** Which part of which of the file's sections a section of the model is, by its index. */
  pieces(): Pieces;
}

/** A Mach-O file, with the parts of it that the model leaves out. */
export interface MachoFile extends ObjectFile {
  readonly format: 'macho';
  readonly macho: MachoFacts;
}

/**
 * Reads MH_OBJECT files, 64-bit little-endian, of x86_64 and arm64. `name` is what messages call it. Bytes are kept and
 * viewed, never copied; of a source only the parts that are asked for are read. Sections of the model are subsections
 * (subsections.ts); relocations are folded (relocations.ts). Throws IPBP1001 (truncated), IPBP1002 (malformed) and
 * IPBP1003 (not supported), here or, for what is read lazily, at first use.
 */
export function readMacho(input: Uint8Array | ByteSource, name: string): MachoFile {
  const source = input instanceof Uint8Array ? wholeSource(input) : input;
  const file = openWindows(source, name);
  const headers = readHeaders(file);
  if (headers.type !== macho.MH_OBJECT) {
    throw new IpbpError('IPBP1003', 'linked Mach-O files are not supported', {
      expected: 'an object',
      actual: `file type ${headers.type}`,
      where: `${name}, offset 0xc`,
    });
  }
  const parts = openParts(file, headers);
  return {
    format: 'macho',
    machine: headers.machine,
    kind: 'relocatable',
    name,
    get bytes() {
      return source.read(0, source.size);
    },
    range: (offset, size) => source.read(offset, size),
    get sections() {
      return parts.sections();
    },
    linked: null,
    macho: { headers, symbolTable: parts.table, pieces: parts.pieces },
    get symbols() {
      return parts.symbols();
    },
    countFunctions: () => parts.columns().kind.reduce((count, kind) => count + (kind === KIND_FUNCTION ? 1 : 0), 0),
    countNamed: (names) => countNamed(parts.columns(), names),
    relocations: (section) => parts.relocations().of(section),
    symbolColumns: parts.columns,
    relocationColumns: (section, room) => parts.relocations().columnsOf(section, room ?? null),
    allRelocationColumns: (wanted) => parts.relocations().all(wanted),
    sectionBytes(index) {
      const section = parts.sections()[index];
      if (section === undefined || section.fileSize === 0) return NO_BYTES;
      return source.read(section.offset, section.fileSize);
    },
  };
}

/** The parts of a relocatable file, each made once, when it is first asked for. */
interface Parts {
  readonly table: () => NlistTable;
  readonly pieces: () => Pieces;
  readonly sections: () => readonly Section[];
  readonly relocations: () => Relocations;
  readonly symbols: () => readonly ObjectSymbol[];
  /** Not kept. */
  readonly columns: () => SymbolColumns;
}

function openParts(file: Windows, headers: MachoHeaders): Parts {
  const table = once(() => readNlistTable(file, headers));
  const pieces = once(() => cutSections(file, headers, table()));
  const relocations = once(() => openRelocations({ file, headers, table: table(), pieces: pieces() }));
  const columns = (): SymbolColumns =>
    readSymbolColumns({
      headers,
      table: table(),
      pieces: pieces(),
      measure(symbols) {
        const described = relocations().describedLengths();
        const contentOf = openContents(file, headers);
        measureSymbols({ headers, table: table(), pieces: pieces(), described, contentOf }, symbols);
      },
    });
  return {
    table,
    pieces,
    sections: once(() => makeSections(headers.sections, pieces(), false)),
    relocations,
    symbols: once(() => symbolsOf(columns())),
    columns,
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
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

function countNamed({ names, count }: SymbolColumns, wanted: readonly string[]): number {
  const spellings = wanted.map((name) => encodeText(name));
  let found = 0;
  for (let symbol = 0; symbol < count; symbol++) {
    const start = names.offset[symbol] as number;
    const length = names.length[symbol] as number;
    const same = ({ length: size }: Uint8Array, bytes: Uint8Array): boolean =>
      size === length && bytes.every((byte, index) => names.bytes[start + index] === byte);
    if (spellings.some((bytes) => same(bytes, bytes))) found++;
  }
  return found;
}
