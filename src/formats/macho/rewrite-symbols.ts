// The symbol table of a relocatable Mach-O file with edits. Tables are in three parts (Apple's <mach-o/loader.h>,
// dysymtab_command): local symbols, defined external ones, undefined ones; so edits move entries, and all that holds
// their numbers has to follow.
import { decodeText, encodeText } from '../../bytes/text.js';
import type { ObjectEdits } from '../object-edits.js';
import type { ObjectSymbol } from '../object-file.js';
import * as macho from './constants.js';
import { fileName } from './names.js';
import type { MachoFile } from './read.js';
import { whereOf } from './symbol-table.js';

const TWO_32 = 0x1_0000_0000;

/** Where a new section of the model lies in the new file. */
export interface NewPlace {
  /** Number of the file's section, from 1. */
  readonly section: number;
  readonly address: number;
}

export interface WrittenSymbols {
  readonly entries: Uint8Array;
  readonly strings: Uint8Array;
  /** How many are in each part of the table. */
  readonly locals: number;
  readonly defined: number;
  readonly undefined: number;
  /** Entry of the old table → entry of the new one. */
  readonly moved: Uint32Array;
  /** The entry of a symbol of the model, an added one too; −1 for what is none. */
  entryOf(symbol: number): number;
}

type Part = 'locals' | 'defined' | 'undefined';

function partOf(type: number): Part {
  if ((type & macho.N_STAB) !== 0 || (type & macho.N_EXT) === 0) return 'locals';
  return (type & macho.N_TYPE) === macho.N_UNDF ? 'undefined' : 'defined';
}

/** One entry to be written; `from` is its number in the old table, −1 for a new one. */
interface Entry {
  readonly from: number;
  readonly name: number;
  readonly type: number;
  readonly section: number;
  readonly description: number;
  readonly value: number;
}

/** The table with the edits. `placeOf` says where a new section of the model lies, by its number among them. */
export function writeSymbols(
  file: MachoFile,
  edits: ObjectEdits,
  placeOf: (section: number) => NewPlace,
): WrittenSymbols {
  const table = file.macho.symbolTable();
  const names = growStrings(table.strings);
  const edited = new Map([...edits.symbols].map(([symbol, edit]) => [table.rows[symbol - 1] as number, edit]));
  const parts: Record<Part, Entry[]> = { locals: [], defined: [], undefined: [] };
  const raw = new DataView(table.entries.bytes.buffer, table.entries.bytes.byteOffset, table.entries.length);
  const oldNames = new Map<string, number>();
  for (let row = 0; row < table.count; row++) {
    const edit = edited.get(row);
    const type = table.type[row] as number;
    const entry: Entry = {
      from: row,
      name: raw.getUint32(row * macho.NLIST_64_SIZE, true),
      type,
      section: table.section[row] as number,
      description: table.description[row] as number,
      value: NaN, // kept as it is: it may be no safe integer
    };
    if (edit === undefined) {
      parts[partOf(type)].push(entry);
      continue;
    }
    const isLocal = edit.binding === 'local';
    if (whereOf(table, row) === macho.N_SECT) oldNames.set(nameAt(table, row), entry.name);
    const external = isLocal ? 0 : macho.N_EXT | (type & macho.N_PEXT);
    const changed = (type & ~(macho.N_EXT | macho.N_PEXT)) | external;
    const weak = edit.binding === 'weak' ? macho.N_WEAK_DEF : 0;
    const description = (entry.description & ~macho.N_WEAK_DEF) | weak;
    parts[partOf(changed)].push({ ...entry, type: changed, description, name: names.add(fileName(edit.name)) });
  }
  const added = edits.newSymbols.map((symbol): Entry => {
    const text = fileName(symbol.name);
    return { ...entryFor(file, symbol, placeOf), name: oldNames.get(text) ?? names.add(text) };
  });
  for (const entry of added) parts[partOf(entry.type)].push(entry);
  const all = [...parts.locals, ...parts.defined, ...parts.undefined];
  const entries = new Uint8Array(all.length * macho.NLIST_64_SIZE);
  const moved = new Uint32Array(table.count);
  const indexes = new Map<Entry, number>();
  all.forEach((entry, index) => {
    if (entry.from >= 0) moved[entry.from] = index;
    else indexes.set(entry, index);
    put(entries, index, entry, table.entries.bytes);
  });
  const first = file.symbols.length;
  return {
    entries,
    strings: names.bytes(),
    locals: parts.locals.length,
    defined: parts.defined.length,
    undefined: parts.undefined.length,
    moved,
    entryOf(symbol) {
      if (symbol >= first) return indexes.get(added[symbol - first] as Entry) ?? -1;
      const row = table.rows[symbol - 1];
      return row === undefined ? -1 : (moved[row] as number);
    },
  };
}

function nameAt(
  { strings, nameStart, nameLength }: ReturnType<MachoFile['macho']['symbolTable']>,
  row: number,
): string {
  const start = nameStart[row] as number;
  return decodeText(strings, start, start + (nameLength[row] as number));
}

/** A new symbol lies in a new section; where it lies in one that there was, it stands for a place in that. */
function entryFor(
  file: MachoFile,
  { binding, visibility, section, value }: Omit<ObjectSymbol, 'index'>,
  placeOf: (section: number) => NewPlace,
): Omit<Entry, 'name'> {
  const known = file.sections.length;
  if (typeof section !== 'number') throw new Error('internal: a new symbol without a section');
  const { section: number, address } = section >= known ? placeOf(section - known) : oldPlace(file, section);
  const external = binding === 'local' ? 0 : macho.N_EXT | (visibility === 'default' ? 0 : macho.N_PEXT);
  const description = binding === 'weak' ? macho.N_WEAK_DEF : 0;
  return { from: -1, type: macho.N_SECT | external, section: number, description, value: address + value };
}

function oldPlace({ macho: { headers, pieces } }: MachoFile, section: number): NewPlace {
  const { section: sections, start } = pieces();
  const number = sections[section] as number;
  return { section: number + 1, address: (headers.sections[number]?.address ?? 0) + (start[section] as number) };
}

function put(entries: Uint8Array, index: number, entry: Entry, old: Uint8Array): void {
  const at = index * macho.NLIST_64_SIZE;
  if (entry.from >= 0) {
    const from = entry.from * macho.NLIST_64_SIZE;
    entries.set(old.subarray(from, from + macho.NLIST_64_SIZE), at);
  }
  const view = new DataView(entries.buffer, at);
  view.setUint32(0, entry.name, true);
  view.setUint8(4, entry.type);
  view.setUint8(5, entry.section);
  view.setUint16(6, entry.description, true);
  if (entry.from >= 0) return;
  const high = Math.floor(entry.value / TWO_32);
  view.setUint32(8, entry.value - high * TWO_32, true);
  view.setUint32(12, high, true);
}

/** A string table that grows: what it has keeps its place, equal new names have one. */
function growStrings(old: Uint8Array): { add(name: string): number; bytes(): Uint8Array } {
  const start = Math.max(old.length, 1);
  const pieces: Uint8Array[] = [];
  const known = new Map<string, number>();
  let length = start;
  return {
    add(name) {
      if (name === '') return 0;
      const before = known.get(name);
      if (before !== undefined) return before;
      const at = length;
      const bytes = encodeText(name);
      pieces.push(bytes);
      known.set(name, at);
      length += bytes.length + 1;
      return at;
    },
    bytes() {
      const all = new Uint8Array(length);
      all.set(old);
      let at = start;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length + 1;
      }
      return all;
    },
  };
}
