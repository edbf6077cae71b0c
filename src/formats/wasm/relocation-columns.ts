// Relocations by the model's sections: offsets count from the start of a body, a segment or another section's content,
// symbols are rows of the model's table. Rows of a section are brought into order once.
import type { Windows } from '../../bytes/source.js';
import { createRelocationRoom, growRoom } from '../columns.js';
import type { FileRelocations, RelocationColumns, RelocationRoom } from '../columns.js';
import type { Relocation } from '../object-file.js';
import * as wasm from './constants.js';
import type { WasmFacts } from './facts.js';
import type { Pieces } from './pieces.js';
import { fieldSize, type RelocationSection } from './relocations.js';
import { linkingSymbols, symbolRow } from './symbols.js';

export interface Relocations {
  /** As `ObjectFile.relocations`. */
  of(section: number): readonly Relocation[];
  columnsOf(section: number, room: RelocationRoom | null): RelocationColumns;
  all(wanted: (section: number) => boolean): FileRelocations;
}

/** The rows of one of the file's sections, by rising offset, with those of piece p of it at [first[p], first[p + 1]). */
interface Sorted {
  readonly rows: RelocationSection;
  readonly first: Uint32Array;
}

/** Opens the relocations of a file. IPBP1002, when asked, for those that lie nowhere or refer to nothing. */
export function openRelocations(file: Windows, facts: WasmFacts, pieces: Pieces): Relocations {
  const kept = new Map<number, Sorted | null>();
  const sortedOf = (section: number): Sorted | null => {
    let sorted = kept.get(section);
    if (sorted === undefined) kept.set(section, (sorted = sortRelocations(file, facts, pieces, section)));
    return sorted;
  };
  const rangeOf = (piece: number): { readonly sorted: Sorted; readonly from: number; readonly to: number } | null => {
    const section = pieces.file[piece];
    const sorted = section === undefined ? null : sortedOf(section);
    if (section === undefined || sorted === null) return null;
    const part = piece - (pieces.first[section] as number);
    return { sorted, from: sorted.first[part] as number, to: sorted.first[part + 1] as number };
  };
  const rowOf = symbolRows(file, facts);
  const fill = (into: RelocationRoom, at: number, piece: number): number => {
    const range = rangeOf(piece);
    if (range === null) return at;
    const { rows } = range.sorted;
    const start = pieces.start[piece] as number;
    for (let row = range.from; row < range.to; row++, at++) {
      const type = rows.type[row] as number;
      into.offset[at] = (rows.offset[row] as number) - start;
      into.type[at] = type;
      into.symbol[at] = rowOf(type, rows.index[row] as number);
      into.addend[at] = rows.addend[row] as number;
    }
    return at;
  };
  const countOf = (piece: number): number => {
    const range = rangeOf(piece);
    return range === null ? 0 : range.to - range.from;
  };

  const columnsOf: Relocations['columnsOf'] = (section, room) => {
    const count = countOf(section);
    const into = room === null ? createRelocationRoom(count) : growRoom(room, count);
    fill(into, 0, section);
    return { count, implicit: false, offset: into.offset, type: into.type, symbol: into.symbol, addend: into.addend };
  };
  return {
    columnsOf,
    of(section) {
      const { count, offset, type, symbol, addend } = columnsOf(section, null);
      return Array.from({ length: count }, (_, row) => ({
        offset: offset[row] as number,
        type: type[row] as number,
        symbol: symbol[row] as number,
        addend: addend[row] as number,
      }));
    },
    all(wanted) {
      const first = new Uint32Array(pieces.count + 1);
      const chosen = Array.from({ length: pieces.count }, (_, piece) => wanted(piece));
      const count = chosen.reduce((sum, is, piece) => sum + (is ? countOf(piece) : 0), 0);
      const into = createRelocationRoom(count);
      let at = 0;
      chosen.forEach((is, piece) => {
        if (is) at = fill(into, at, piece);
        first[piece + 1] = at;
      });
      return { rows: { count, implicit: false, ...into }, first };
    },
  };
}

/** What wasm-ld --emit-relocs writes for a symbol that it dropped: debug information still names it. */
const DROPPED = 0xffff_ffff;

/** From what a relocation names, a symbol or a type, to the row of the model's table; a dropped symbol's is row 0. */
function symbolRows(file: Windows, facts: WasmFacts): (type: number, index: number) => number {
  const symbols = linkingSymbols(facts)?.length ?? 0;
  const types = facts.types().length;
  return (type, index) => {
    const isType = type === wasm.R_WASM_TYPE_INDEX_LEB;
    if (index === DROPPED && !isType) return 0;
    if (index >= (isType ? types : symbols)) {
      const what = isType ? 'type' : 'symbol';
      file.malformed(`a relocation refers to a ${what} that is not there`, { actual: `${index}` }, 0);
    }
    return symbolRow(isType ? symbols + index : index);
  };
}

function sortRelocations(file: Windows, facts: WasmFacts, pieces: Pieces, section: number): Sorted | null {
  const found = facts.relocations().get(section);
  if (found === undefined) return null;
  const rows = inOrder(found);
  const begin = pieces.first[section] as number;
  const parts = (pieces.first[section + 1] as number) - begin;
  const first = new Uint32Array(parts + 1);
  let row = 0;
  for (let part = 0; part < parts; part++) {
    const start = pieces.start[begin + part] as number;
    const end = start + (pieces.size[begin + part] as number);
    for (; row < rows.count && (rows.offset[row] as number) < end; row++) {
      const offset = rows.offset[row] as number;
      if (offset < start || offset + fieldSize(rows.type[row] as number) > end) outside(file, facts, section, offset);
    }
    first[part + 1] = row;
  }
  if (row < rows.count) outside(file, facts, section, rows.offset[row] as number);
  return { rows, first };
}

function outside(file: Windows, facts: WasmFacts, section: number, offset: number): never {
  const at = facts.files[section] as WasmFacts['files'][number];
  return file.malformed(
    'a relocation lies in no function or data segment as a whole',
    { actual: `offset ${offset} of ${at.name}` },
    at.offset + Math.min(offset, at.size),
  );
}

/** One set of rows, by rising offset. Compilers write them so. */
function inOrder(sections: readonly RelocationSection[]): RelocationSection {
  const [only] = sections;
  if (only !== undefined && sections.length === 1 && isRising(only.offset)) return only;
  const all = sections.flatMap((rows) => Array.from({ length: rows.count }, (_, row) => ({ rows, row })));
  const offsetOf = ({ rows, row }: (typeof all)[number]): number => rows.offset[row] as number;
  all.sort((a, b) => offsetOf(a) - offsetOf(b));
  return {
    target: only?.target ?? 0,
    count: all.length,
    type: Uint8Array.from(all, ({ rows, row }) => rows.type[row] as number),
    offset: Uint32Array.from(all, offsetOf),
    index: Uint32Array.from(all, ({ rows, row }) => rows.index[row] as number),
    addend: Float64Array.from(all, ({ rows, row }) => rows.addend[row] as number),
  };
}

function isRising(offsets: Uint32Array): boolean {
  for (let at = 1; at < offsets.length; at++) {
    if ((offsets[at] as number) < (offsets[at - 1] as number)) return false;
  }
  return true;
}
