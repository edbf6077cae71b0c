// The symbol table of a relocatable Mach-O file with edits. Tables are in three parts (Apple's <mach-o/loader.h>,
// dysymtab_command): local symbols, defined external ones, undefined ones; so edits move entries, and all that holds
// their numbers has to follow.
import { encodeText } from '../../bytes/text.js';
import type { ObjectEdits } from '../object-edits.js';
import type { Binding, ObjectSymbol } from '../object-file.js';
import * as macho from './constants.js';
import { fileName } from './names.js';
import type { MachoFile } from './read.js';

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

const ENTRY_WORDS = macho.NLIST_64_SIZE / 4;

/** Copied where they do not lie at a multiple of four: members of archives lie anywhere. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(whole.buffer, whole.byteOffset, whole.length / 4);
}

const LOCAL = 0;
const DEFINED = 1;
const UNDEFINED = 2;

/** The part of the table that an entry of this type is in. */
function partOf(type: number): number {
  if ((type & macho.N_STAB) !== 0 || (type & macho.N_EXT) === 0) return LOCAL;
  return (type & macho.N_TYPE) === macho.N_UNDF ? UNDEFINED : DEFINED;
}

/** What is written of an entry that is new or changed; `value` null where it stays as it is. */
interface Entry {
  readonly name: number;
  readonly type: number;
  readonly section: number;
  readonly description: number;
  readonly value: number | null;
}

/** The table with the edits. `placeOf` says where a new section of the model lies, by its number among them. */
export function writeSymbols(
  file: MachoFile,
  edits: ObjectEdits,
  placeOf: (section: number) => NewPlace,
): WrittenSymbols {
  const table = file.macho.symbolTable();
  const names = growStrings(table.strings);
  const oldNames = new Map<string, number>();
  const changed = new Map<number, Entry>();
  const old = new DataView(table.entries.bytes.buffer, table.entries.bytes.byteOffset, table.entries.length);
  for (const [symbol, edit] of edits.symbols) {
    const row = table.rows[symbol - 1] as number;
    oldNames.set((file.symbols[symbol] as ObjectSymbol).name, old.getUint32(row * macho.NLIST_64_SIZE, true));
    changed.set(row, changedEntry(table, row, edit, names));
  }
  const added = edits.newSymbols.map((symbol): Entry => {
    const name = oldNames.get(symbol.name) ?? names.add(fileName(symbol.name));
    return { ...entryFor(file, symbol, placeOf), name };
  });
  const counts = [0, 0, 0];
  const parts = new Uint8Array(table.count);
  for (let row = 0; row < table.count; row++) {
    const part = partOf(changed.get(row)?.type ?? (table.type[row] as number));
    parts[row] = part;
    counts[part] = (counts[part] as number) + 1;
  }
  for (const { type } of added) counts[partOf(type)] = (counts[partOf(type)] as number) + 1;
  const [locals = 0, defined = 0, missing = 0] = counts;
  const entries = new Uint8Array((locals + defined + missing) * macho.NLIST_64_SIZE);
  const into = new DataView(entries.buffer);
  const next = [0, locals, locals + defined];
  const take = (part: number): number => {
    const index = next[part] as number;
    next[part] = index + 1;
    return index;
  };
  const moved = new Uint32Array(table.count);
  const [from, to] = [wordsOf(table.entries.bytes), new Uint32Array(entries.buffer)];
  for (let row = 0, at = 0; row < table.count; row++, at += ENTRY_WORDS) {
    const part = parts[row] as number;
    const index = next[part] as number;
    next[part] = index + 1;
    moved[row] = index;
    const word = index * ENTRY_WORDS;
    to[word] = from[at] as number;
    to[word + 1] = from[at + 1] as number;
    to[word + 2] = from[at + 2] as number;
    to[word + 3] = from[at + 3] as number;
  }
  for (const [row, entry] of changed) put(into, moved[row] as number, entry);
  const places = added.map((entry) => {
    const index = take(partOf(entry.type));
    put(into, index, entry);
    return index;
  });
  const first = file.symbols.length;
  return {
    entries,
    strings: names.bytes(),
    locals,
    defined,
    undefined: missing,
    moved,
    entryOf(symbol) {
      if (symbol >= first) return places[symbol - first] ?? -1;
      const row = table.rows[symbol - 1];
      return row === undefined ? -1 : (moved[row] as number);
    },
  };
}

type Table = ReturnType<MachoFile['macho']['symbolTable']>;
type Names = ReturnType<typeof growStrings>;

function changedEntry(
  { type: types, section, description: descriptions }: Table,
  row: number,
  { name, binding }: { readonly name: string; readonly binding: Binding },
  names: Names,
): Entry {
  const type = types[row] as number;
  const external = binding === 'local' ? 0 : macho.N_EXT | (type & macho.N_PEXT);
  const weak = binding === 'weak' ? macho.N_WEAK_DEF : 0;
  return {
    name: names.add(fileName(name)),
    type: (type & ~(macho.N_EXT | macho.N_PEXT)) | external,
    section: section[row] as number,
    description: ((descriptions[row] as number) & ~macho.N_WEAK_DEF) | weak,
    value: null,
  };
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
  return { type: macho.N_SECT | external, section: number, description, value: address + value };
}

function oldPlace({ macho: { headers, pieces } }: MachoFile, section: number): NewPlace {
  const { section: sections, start } = pieces();
  const number = sections[section] as number;
  return { section: number + 1, address: (headers.sections[number]?.address ?? 0) + (start[section] as number) };
}

function put(into: DataView, index: number, entry: Entry): void {
  const at = index * macho.NLIST_64_SIZE;
  into.setUint32(at, entry.name, true);
  into.setUint8(at + 4, entry.type);
  into.setUint8(at + 5, entry.section);
  into.setUint16(at + 6, entry.description, true);
  if (entry.value === null) return;
  const high = Math.floor(entry.value / TWO_32);
  into.setUint32(at + 8, entry.value - high * TWO_32, true);
  into.setUint32(at + 12, high, true);
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
