// Relocation sections (gABI "Relocation") to the model's columns. The same checks as relocations.ts, at some ten
// nanoseconds for each entry and without an object or a view for each section: a link reads tens of thousands of them.
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { hex } from '../../codes/error.js';
import { createRelocationRoom, growRoom } from '../columns.js';
import type { FileRelocations, RelocationColumns, RelocationRoom } from '../columns.js';
import * as elf from './constants.js';
import { sectionHeader, type SectionHeaderColumns } from './header.js';
import { relocationCount } from './relocations.js';
import { sectionReader } from './sections.js';

const TWO_32 = 0x1_0000_0000;

/** Section → the relocation sections that apply to it (sh_info), in chains: 0 is none, and ends one. */
export interface RelocationSections {
  readonly first: Uint32Array;
  /** By the index of a relocation section. */
  readonly next: Uint32Array;
}

/** The relocation sections of a file. */
export interface RelocationParts {
  readonly file: Windows;
  readonly headers: SectionHeaderColumns;
  readonly sections: RelocationSections;
  /** The size of a section that offsets lie in; Infinity in linked files (--emit-relocs), where they are addresses. */
  sizeOf(section: number): number;
  /** How many symbols there are. */
  readonly symbols: number;
  /** Are those of this section asked for? */
  wanted(section: number): boolean;
  /** To read them into, if that is not new columns. */
  readonly room: RelocationRoom | null;
}

/**
 * Reads the relocation sections that apply to the sections [from, to) into one set of columns; `first` counts from `from`.
 * @throws IpbpError as `readRelocationSection`; IPBP1002 too where some have addends and some have not.
 */
export function readRelocationColumns(parts: RelocationParts, from: number, to: number): FileRelocations {
  const { headers, sections } = parts;
  let count = 0;
  let wide = false;
  let start = Infinity;
  let end = 0;
  let firstSource = 0;
  for (let target = from; target < to; target++) {
    if (sections.first[target] === 0 || !parts.wanted(target)) continue;
    for (let source = sections.first[target] as number; source !== 0; source = sections.next[source] as number) {
      const offset = headers.offset[source] as number;
      const size = headers.size[source] as number;
      count += countOf(parts, source);
      wide ||= parts.sizeOf(target) >= TWO_32;
      start = Math.min(start, offset);
      end = Math.max(end, offset + size);
      if (firstSource === 0) firstSource = source;
    }
  }
  const { offset, type, symbol, addend } =
    parts.room === null ? createRelocationRoom(count) : growRoom(parts.room, count);
  const implicit = headers.type[firstSource] === elf.SHT_REL;
  // What stands in the fields is no part of the entries.
  if (implicit) addend.fill(0);
  const rows: RelocationColumns = {
    ...{ count, type, symbol, addend, implicit },
    offset: wide ? new Float64Array(count) : offset,
  };
  const first = new Uint32Array(to - from + 1);
  if (count === 0) return { rows, first };
  const window = parts.file.window(start, end - start);
  const view = new DataView(window.bytes.buffer, window.bytes.byteOffset, window.bytes.byteLength);
  let row = 0;
  for (let target = from; target < to; target++) {
    const begin = row;
    let sorted = true;
    if (sections.first[target] === 0 || !parts.wanted(target)) {
      first[target - from + 1] = row;
      continue;
    }
    for (let source = sections.first[target] as number; source !== 0; source = sections.next[source] as number) {
      if ((headers.type[source] === elf.SHT_REL) !== rows.implicit) {
        const reader = sectionReader(parts.file, sectionHeader(headers, source));
        reader.malformed('some relocations have addends and some have none', { expected: 'one kind' }, 0);
      }
      const next = readRows(parts, window, view, rows, row, source, target);
      sorted &&= isSorted(rows.offset, begin, next);
      row = next;
    }
    if (!sorted) sortRows(rows, begin, row);
    first[target - from + 1] = row;
  }
  return { rows, first };
}

/** How many entries a relocation section has: the usual ones without a reader. */
function countOf({ file, headers }: RelocationParts, source: number): number {
  const size = headers.size[source] as number;
  if (headers.type[source] === elf.SHT_RELA && size % elf.RELA_SIZE === 0) return size / elf.RELA_SIZE;
  return relocationCount(sectionReader(file, sectionHeader(headers, source)), headers.type[source] as number);
}

/** Reads one section into rows from `row` on; the row behind its last. `view` is that of `window`. */
function readRows(
  { headers, sizeOf, symbols }: RelocationParts,
  window: ByteReader,
  view: DataView,
  rows: RelocationColumns,
  row: number,
  source: number,
  target: number,
): number {
  const { offset, type: types, symbol: symbolRows, addend: addends, implicit } = rows;
  const step = implicit ? elf.REL_SIZE : elf.RELA_SIZE;
  const bound = sizeOf(target);
  const from = (headers.offset[source] as number) - window.base;
  const end = from + (headers.size[source] as number);
  for (let at = from; at < end; at += step, row++) {
    const place = view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
    const symbol = view.getUint32(at + 12, true);
    if (place >= bound) {
      const facts = { expected: `below ${hex(bound)}`, actual: hex(place) };
      window.malformed('a relocation lies outside its section', facts, at);
    }
    if (symbol >= symbols && symbol !== 0) {
      window.malformed('a relocation has an unknown symbol', { actual: `${symbol} of ${symbols}` }, at);
    }
    offset[row] = place;
    types[row] = view.getUint32(at + 8, true);
    symbolRows[row] = symbol;
    if (implicit) continue;
    const addend = view.getInt32(at + 20, true) * TWO_32 + view.getUint32(at + 16, true);
    if (!Number.isSafeInteger(addend)) window.malformed('an addend is too large', { expected: 'within ±2^53' }, at);
    addends[row] = addend;
  }
  return row;
}

function isSorted(offset: Uint32Array | Float64Array, start: number, end: number): boolean {
  for (let row = start + 1; row < end; row++) if ((offset[row] as number) < (offset[row - 1] as number)) return false;
  return true;
}

/** Rows [start, end) by rising offset; those of one place keep their order, which some pairs rely on. */
function sortRows(rows: RelocationColumns, start: number, end: number): void {
  const order = new Uint32Array(end - start);
  for (let index = 0; index < order.length; index++) order[index] = index;
  const offset = rows.offset.slice(start, end);
  order.sort((a, b) => (offset[a] as number) - (offset[b] as number) || a - b);
  const type = rows.type.slice(start, end);
  const symbol = rows.symbol.slice(start, end);
  const addend = rows.addend.slice(start, end);
  order.forEach((from, to) => {
    rows.offset[start + to] = offset[from] as number;
    rows.type[start + to] = type[from] as number;
    rows.symbol[start + to] = symbol[from] as number;
    rows.addend[start + to] = addend[from] as number;
  });
}
