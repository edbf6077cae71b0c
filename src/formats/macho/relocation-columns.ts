// The relocations of the model's sections, which are pieces of the file's: each section of the file is folded once, when
// one of its pieces is first asked for, and kept, as all its pieces are looked for in it.
import type { Windows } from '../../bytes/source.js';
import { createRelocationRoom, growRoom } from '../columns.js';
import type { FileRelocations, RelocationColumns, RelocationRoom } from '../columns.js';
import { splitEhFrame, type EhFrame } from '../dwarf/eh-frame.js';
import type { Relocation } from '../object-file.js';
import { openLengths, type LengthAt } from './described-lengths.js';
import type { MachoSection } from './header.js';
import {
  ADDEND,
  FOLDED_ROW,
  MINUS,
  NO_RELOCATIONS,
  OFFSET,
  SYMBOL,
  TYPE,
  type FoldedRelocations,
} from './folded-relocations.js';
import { foldRelocations, type RelocationFile } from './relocations.js';
import { holdsIndirectPointers, withIndirectPointers } from './indirect-pointers.js';
import { MINUS_SYMBOL, widthOf } from './relocation-types.js';
import { sectionKind } from './section-kinds.js';
import { withUnwindFields } from './unwind-fields.js';

const NONE: readonly Relocation[] = [];
const NO_ROWS: Rows = { folded: NO_RELOCATIONS, from: 0, to: 0, start: 0 };

export interface Relocations {
  /** As `ObjectFile.relocations`. */
  of(section: number): readonly Relocation[];
  columnsOf(section: number, room: RelocationRoom | null): RelocationColumns;
  all(wanted: (section: number) => boolean): FileRelocations;
  readonly lengthAt: LengthAt;
}

/** Rows [from, to) of a section of the file. */
interface Rows {
  readonly folded: FoldedRelocations;
  readonly from: number;
  readonly to: number;
  /** Where the piece starts in the section. */
  readonly start: number;
}

/** Opens the relocations of a relocatable file. */
export function openRelocations(parts: RelocationFile): Relocations {
  const { headers, pieces, file } = parts;
  const kept = new Map<number, FoldedRelocations>();
  const frames = new Map<number, EhFrame>();

  const framesOf = (section: MachoSection): EhFrame => {
    let split = frames.get(section.index);
    if (split === undefined) {
      const { bytes } = file.window(section.offset, section.size);
      split = splitEhFrame(bytes, [], `${file.name}: ${section.segment},${section.name}`);
      frames.set(section.index, split);
    }
    return split;
  };

  const relocationsOf = (section: MachoSection): FoldedRelocations => {
    let folded = kept.get(section.index);
    if (folded === undefined) {
      folded = foldRelocations(parts, section);
      if (holdsIndirectPointers(section)) folded = withIndirectPointers(parts, section, folded);
      if (sectionKind(section) === 'unwind') folded = withUnwindFields(parts, section, framesOf(section), folded);
      kept.set(section.index, folded);
    }
    return folded;
  };

  const rowsOf = (piece: number): Rows => {
    const section = headers.sections[pieces.section[piece] ?? -1];
    if (section === undefined) return NO_ROWS;
    const folded = relocationsOf(section);
    if (folded.count === 0) return NO_ROWS;
    const start = pieces.start[piece] as number;
    const end = start + (pieces.size[piece] as number);
    const rows = { folded, start, from: firstFrom(folded, start), to: firstFrom(folded, end) };
    checkLast(file, section, rows, end);
    return rows;
  };

  return {
    of(section) {
      const { folded, from, to, start } = rowsOf(section);
      if (from === to) return NONE;
      const { rows } = folded;
      const found: Relocation[] = [];
      for (let at = from * FOLDED_ROW; at < to * FOLDED_ROW; at += FOLDED_ROW) {
        const type = rows[at + TYPE] as number;
        const one = {
          offset: (rows[at + OFFSET] as number) - start,
          type,
          symbol: rows[at + SYMBOL] as number,
          addend: rows[at + ADDEND] as number,
        };
        found.push(takesOff(type) ? { ...one, minus: rows[at + MINUS] as number } : one);
      }
      return found;
    },
    columnsOf(section, room) {
      const rows = rowsOf(section);
      const into = createColumns(rows.to - rows.from, room);
      into.add(rows);
      return into.finish();
    },
    all(wanted) {
      const first = new Uint32Array(pieces.count + 1);
      const sections = headers.sections.map(relocationsOf);
      const into = createColumns(
        sections.reduce((sum, { count }) => sum + count, 0),
        null,
      );
      for (const section of headers.sections) {
        const folded = sections[section.index] as FoldedRelocations;
        const { rows, count } = folded;
        let from = 0;
        for (
          let piece = pieces.first[section.index] as number;
          piece < (pieces.first[section.index + 1] as number);
          piece++
        ) {
          const start = pieces.start[piece] as number;
          const end = start + (pieces.size[piece] as number);
          let to = from;
          while (to < count && (rows[to * FOLDED_ROW + OFFSET] as number) < end) to++;
          if (to > from && wanted(piece)) {
            const own = { folded, from, to, start };
            checkLast(file, section, own, end);
            into.add(own);
          }
          from = to;
          first[piece + 1] = into.length();
        }
      }
      return { rows: into.finish(), first };
    },
    lengthAt: openLengths({ parts, relocationsOf, framesOf }),
  };
}

/** The last of a piece's relocations lies in it as a whole. */
function checkLast(file: Windows, section: MachoSection, { folded, from, to }: Rows, end: number): void {
  if (from === to) return;
  const row = (to - 1) * FOLDED_ROW;
  const offset = folded.rows[row + OFFSET] as number;
  if (offset + widthOf(folded.rows[row + TYPE] as number) <= end) return;
  const facts = { expected: 'one piece of the section' };
  file.malformed('a relocation lies across a symbol', facts, section.offset + offset);
}

/** Columns for so many rows at most. */
function createColumns(
  most: number,
  room: RelocationRoom | null,
): { add(rows: Rows): void; length(): number; finish(): RelocationColumns } {
  const { offset, type, symbol, addend } = room === null ? createRelocationRoom(most) : growRoom(room, most);
  let minus: Uint32Array | null = null;
  let count = 0;
  return {
    add({ folded: { rows }, from, to, start }) {
      for (let at = from * FOLDED_ROW; at < to * FOLDED_ROW; at += FOLDED_ROW, count++) {
        const number = rows[at + TYPE] as number;
        offset[count] = (rows[at + OFFSET] as number) - start;
        type[count] = number;
        symbol[count] = rows[at + SYMBOL] as number;
        addend[count] = rows[at + ADDEND] as number;
        if (takesOff(number)) (minus ??= new Uint32Array(most))[count] = rows[at + MINUS] as number;
      }
    },
    length: () => count,
    finish: () => ({ count, offset, type, symbol, addend, implicit: false, ...(minus === null ? {} : { minus }) }),
  };
}

function takesOff(type: number): boolean {
  return type >= MINUS_SYMBOL && type < 2 * MINUS_SYMBOL;
}

/** The first row at or behind an offset. */
function firstFrom({ count, rows }: FoldedRelocations, from: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((rows[middle * FOLDED_ROW + OFFSET] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
