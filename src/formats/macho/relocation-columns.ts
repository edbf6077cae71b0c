// The relocations of the model's sections, which are pieces of the file's: each section of the file is folded once, when
// one of its pieces is first asked for, and kept, as all its pieces are looked for in it.
import { createRelocationRoom, growRoom } from '../columns.js';
import type { FileRelocations, RelocationColumns, RelocationRoom } from '../columns.js';
import type { Relocation } from '../object-file.js';
import { describedLengths } from './described-lengths.js';
import type { MachoSection } from './header.js';
import { foldRelocations, type FoldedRelocations, type RelocationFile } from './relocations.js';
import { MINUS_SYMBOL, widthOf } from './relocation-types.js';
import { sectionKind } from './section-kinds.js';
import { withUnwindFields } from './unwind-fields.js';

const NONE: readonly Relocation[] = [];

export interface Relocations {
  /** As `ObjectFile.relocations`. */
  of(section: number): readonly Relocation[];
  columnsOf(section: number, room: RelocationRoom | null): RelocationColumns;
  all(wanted: (section: number) => boolean): FileRelocations;
  /** Address in the file → bytes of code, of all that unwind records describe. */
  describedLengths(): ReadonlyMap<number, number>;
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
  const { headers, pieces } = parts;
  const kept = new Map<number, FoldedRelocations>();
  let lengths: ReadonlyMap<number, number> | null = null;

  const foldedOf = (section: MachoSection): FoldedRelocations => {
    let folded = kept.get(section.index);
    if (folded === undefined) {
      folded = foldRelocations(parts, section);
      if (sectionKind(section) === 'unwind') folded = withUnwindFields(parts, section, folded);
      kept.set(section.index, folded);
    }
    return folded;
  };

  const rowsOf = (piece: number): Rows | null => {
    const section = headers.sections[pieces.section[piece] ?? -1];
    if (section === undefined || (section.relocationCount === 0 && sectionKind(section) !== 'unwind')) return null;
    const folded = foldedOf(section);
    const start = pieces.start[piece] as number;
    const end = start + (pieces.size[piece] as number);
    const rows = { folded, start, from: firstFrom(folded, start), to: firstFrom(folded, end) };
    const last = rows.to - 1;
    if (last >= rows.from && (folded.offset[last] as number) + widthOf(folded.type[last] as number) > end) {
      const facts = { expected: 'one piece of the section' };
      parts.file.malformed(
        'a relocation lies across a symbol',
        facts,
        section.offset + (folded.offset[last] as number),
      );
    }
    return rows;
  };

  const fill = (list: readonly (Rows | null)[], count: number, room: RelocationRoom | null): RelocationColumns => {
    const columns = room === null ? createRelocationRoom(count) : growRoom(room, count);
    let minus: Uint32Array | null = null;
    let row = 0;
    for (const rows of list) {
      if (rows === null) continue;
      const { folded, from, to, start } = rows;
      for (let at = from; at < to; at++, row++) {
        columns.offset[row] = (folded.offset[at] as number) - start;
        columns.type[row] = folded.type[at] as number;
        columns.symbol[row] = folded.symbol[at] as number;
        columns.addend[row] = folded.addend[at] as number;
        if (!takesOff(folded.type[at] as number)) continue;
        minus ??= new Uint32Array(count);
        minus[row] = folded.minus[at] as number;
      }
    }
    const { offset, type, symbol, addend } = columns;
    const rows = { count, offset, type, symbol, addend, implicit: false };
    return minus === null ? rows : { ...rows, minus };
  };

  return {
    of(section) {
      const rows = rowsOf(section);
      if (rows === null || rows.from === rows.to) return NONE;
      const { folded, from, to, start } = rows;
      return Array.from({ length: to - from }, (_, index): Relocation => {
        const at = from + index;
        const type = folded.type[at] as number;
        const one = {
          offset: (folded.offset[at] as number) - start,
          type,
          symbol: folded.symbol[at] as number,
          addend: folded.addend[at] as number,
        };
        return takesOff(type) ? { ...one, minus: folded.minus[at] as number } : one;
      });
    },
    columnsOf(section, room) {
      const rows = rowsOf(section);
      return fill([rows], rows === null ? 0 : rows.to - rows.from, room);
    },
    all(wanted) {
      const first = new Uint32Array(pieces.count + 1);
      const list: (Rows | null)[] = [];
      for (let piece = 0; piece < pieces.count; piece++) {
        const rows = wanted(piece) ? rowsOf(piece) : null;
        list.push(rows);
        first[piece + 1] = (first[piece] as number) + (rows === null ? 0 : rows.to - rows.from);
      }
      return { rows: fill(list, first[pieces.count] as number, null), first };
    },
    describedLengths: () => (lengths ??= describedLengths(parts, foldedOf)),
  };
}

function takesOff(type: number): boolean {
  return type >= MINUS_SYMBOL && type < 2 * MINUS_SYMBOL;
}

/** The first row at or behind an offset. */
function firstFrom({ count, offset }: FoldedRelocations, from: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((offset[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
