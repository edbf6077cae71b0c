// Cuts the sections of a relocatable file into the pieces that the model calls sections: at their symbols where the file
// says that they may be cut there (MH_SUBSECTIONS_VIA_SYMBOLS), literals into themselves. Owns the way from a place in
// the file's sections to the piece it is in. Apple's <mach-o/loader.h>; what "Mach-O Programming Topics" calls atoms.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import * as macho from './constants.js';
import { isZeroFill, type MachoHeaders, type MachoSection } from './header.js';
import { cutOf } from './section-kinds.js';
import { brokenEntry, isTemporary, whereOf, type NlistTable } from './symbol-table.js';

/** The pieces of all sections, in the order of the file; a row is the index of a section of the model. */
export interface Pieces {
  readonly count: number;
  /** Index of the file's section it is a piece of. */
  readonly section: Uint32Array;
  /** From the start of that section, rising. */
  readonly start: Float64Array;
  readonly size: Float64Array;
  /** Those of section s are [first[s], first[s + 1]): one at least. */
  readonly first: Uint32Array;
  /** 1 where a symbol says that the piece stays although nothing refers to it. */
  readonly retain: Uint8Array;
  /** Of each section the piece that was looked up last: tables refer to places that rise or fall, and are near. */
  readonly recent: Uint32Array;
}

const ZERO = Float64Array.of(0);

/** One piece for each section: linked files are not cut. */
export function wholePieces(sections: readonly MachoSection[]): Pieces {
  return collect(
    sections,
    sections.map(() => ZERO),
  );
}

/** Cuts the sections of a relocatable file. IPBP1002 for symbols outside their section or more pieces than allowed. */
export function cutSections(file: Windows, headers: MachoHeaders, table: NlistTable): Pieces {
  const viaSymbols = (headers.flags & macho.MH_SUBSECTIONS_VIA_SYMBOLS) !== 0;
  const bySymbols = symbolStarts(headers.sections, table);
  let count = 0;
  const starts = headers.sections.map((section) => {
    const cut = cutOf(section, viaSymbols);
    const found =
      cut === 'whole' || section.size === 0
        ? ZERO
        : cut === 'symbols'
          ? (bySymbols[section.index] ?? ZERO)
          : isZeroFill(section.type)
            ? ZERO
            : cut === 'strings'
              ? stringStarts(file.window(section.offset, section.size))
              : entryStarts(file, section, cut);
    count += found.length;
    checkCount(file, count, section.offset);
    return found;
  });
  const pieces = collect(headers.sections, starts);
  for (let at = 0; at < table.rows.length; at++) {
    const row = table.rows[at] as number;
    if (whereOf(table, row) !== macho.N_SECT) continue;
    if (((table.description[row] as number) & macho.N_NO_DEAD_STRIP) === 0) continue;
    const section = (table.section[row] as number) - 1;
    const offset = (table.value[row] as number) - (headers.sections[section] as MachoSection).address;
    pieces.retain[pieceAt(pieces, section, offset)] = 1;
  }
  return pieces;
}

function collect(sections: readonly MachoSection[], starts: readonly Float64Array[]): Pieces {
  const count = starts.reduce((sum, { length }) => sum + length, 0);
  const section = new Uint32Array(count);
  const start = new Float64Array(count);
  const size = new Float64Array(count);
  const first = new Uint32Array(sections.length + 1);
  let row = 0;
  sections.forEach((whole, index) => {
    const own = starts[index] as Float64Array;
    for (let at = 0; at < own.length; at++, row++) {
      section[row] = index;
      start[row] = own[at] as number;
      size[row] = (at + 1 < own.length ? (own[at + 1] as number) : whole.size) - (own[at] as number);
    }
    first[index + 1] = row;
  });
  return { count, section, start, size, first, retain: new Uint8Array(count), recent: first.slice(0, -1) };
}

/** Where symbols begin that cut, by section, rising, each once; 0 first. */
function symbolStarts(sections: readonly MachoSection[], table: NlistTable): Float64Array[] {
  const { rows, section, value, description } = table;
  const counts = new Uint32Array(sections.length);
  const cuts = new Uint8Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    if (whereOf(table, row) !== macho.N_SECT) continue;
    const index = (section[row] as number) - 1;
    const { address, size } = sections[index] as MachoSection;
    const place = value[row] as number;
    if (place < address || place > address + size) brokenEntry(table, row, 'a symbol is outside its section', place);
    if (((description[row] as number) & macho.N_ALT_ENTRY) !== 0 || isTemporary(table, row)) continue;
    cuts[at] = 1;
    counts[index] = (counts[index] as number) + 1;
  }
  // Most sections have no symbols, and making arrays is what is costly here.
  const starts = sections.map((_, index) =>
    counts[index] === 0 ? ZERO : new Float64Array((counts[index] as number) + 1),
  );
  counts.fill(0);
  for (let at = 0; at < rows.length; at++) {
    if (cuts[at] === 0) continue;
    const row = rows[at] as number;
    const index = (section[row] as number) - 1;
    const next = (counts[index] as number) + 1;
    counts[index] = next;
    (starts[index] as Float64Array)[next] = (value[row] as number) - (sections[index] as MachoSection).address;
  }
  return starts.map((own) => (own === ZERO ? own : distinct(own)));
}

/** The same numbers, rising, each once. In place. */
function distinct(numbers: Float64Array): Float64Array {
  let rising = true;
  for (let at = 1; at < numbers.length && rising; at++) rising = (numbers[at - 1] as number) < (numbers[at] as number);
  if (rising) return numbers;
  numbers.sort();
  let kept = 0;
  for (let at = 0; at < numbers.length; at++) {
    if (at === 0 || numbers[at] !== numbers[at - 1]) numbers[kept++] = numbers[at] as number;
  }
  return numbers.subarray(0, kept);
}

function checkCount(file: Pick<Windows, 'malformed'>, count: number, offset: number): void {
  if (count > LIMITS.sections) file.malformed('too many sections', { actual: `${count}` }, offset);
}

function stringStarts(content: ByteReader): Float64Array {
  const { bytes } = content;
  let count = 1;
  for (let at = 0; at + 1 < bytes.length; at++) if (bytes[at] === 0) count++;
  checkCount(content, count, 0);
  const starts = new Float64Array(count);
  let next = 1;
  for (let at = 0; at + 1 < bytes.length; at++) if (bytes[at] === 0) starts[next++] = at + 1;
  return starts;
}

function entryStarts(file: Windows, section: MachoSection, size: number): Float64Array {
  const count = Math.ceil(section.size / size);
  checkCount(file, count, section.offset);
  const starts = new Float64Array(count);
  for (let index = 0; index < starts.length; index++) starts[index] = index * size;
  return starts;
}

/** The piece of a section that an offset in it is in; the last that starts there or before, the first for what is before. */
export function pieceAt({ first, start, recent }: Pieces, section: number, offset: number): number {
  const begin = first[section] as number;
  const end = first[section + 1] as number;
  const near = recent[section] as number;
  for (let piece = Math.max(near - 1, begin); piece <= near + 1 && piece < end; piece++) {
    if ((start[piece] as number) > offset) break;
    if (piece + 1 < end && (start[piece + 1] as number) <= offset) continue;
    recent[section] = piece;
    return piece;
  }
  let low = begin;
  let high = end;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if ((start[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  recent[section] = low;
  return low;
}
