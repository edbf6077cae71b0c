// The piece that a place is in, whatever was looked up before.
import * as fc from 'fast-check';
import { test } from 'uvu';
import { pieceAt, type Pieces } from './subsections.js';
import { foldedRow, joined, sortedRows } from './folded-relocations.js';

/** Pieces of sections, by their sizes. */
function piecesOf(sizes: readonly (readonly number[])[]): Pieces {
  const all = sizes.flat();
  const starts = sizes.flatMap((own) => own.map((_, at) => own.slice(0, at).reduce((sum, size) => sum + size, 0)));
  const first = Uint32Array.from([0, ...sizes.map((_, at) => sizes.slice(0, at + 1).flat().length)]);
  return {
    count: all.length,
    section: Uint32Array.from(sizes.flatMap((own, at) => own.map(() => at))),
    start: Float64Array.from(starts),
    size: Float64Array.from(all),
    first,
    retain: new Uint8Array(all.length),
    recent: first.slice(0, -1),
  };
}

const size = fc.integer({ min: 1, max: 9 });
const sections = fc.array(fc.array(size, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 });
const looks = fc.array(fc.tuple(fc.nat(), fc.integer({ min: -3, max: 120 })), { maxLength: 40 });

test('the piece is the last that starts there or before', () => {
  fc.assert(
    fc.property(sections, looks, (sizes, list) => {
      const pieces = piecesOf(sizes);
      for (const [number, offset] of list) {
        const section = number % sizes.length;
        const [begin, end] = [pieces.first[section] ?? 0, pieces.first[section + 1] ?? 0];
        let wanted = begin;
        for (let piece = begin; piece < end; piece++) if ((pieces.start[piece] ?? 0) <= offset) wanted = piece;
        if (pieceAt(pieces, section, offset) !== wanted) return false;
      }
      return true;
    }),
  );
});

test('rows that are made come before those of the file at one place, and all rise', () => {
  const offsets = fc.array(fc.nat(12), { maxLength: 20 });
  fc.assert(
    fc.property(offsets, offsets, (made, known) => {
      const rows = (list: readonly number[], type: number): number[] =>
        list.flatMap((offset, at) => foldedRow(offset, type, at, 0));
      const folded = sortedRows(Float64Array.from(rows(known, 2)), known.length);
      const both = joined(rows(made, 1), folded);
      const wanted = [...made.map((offset, at) => [offset, 1, at]), ...known.map((offset, at) => [offset, 2, at])];
      wanted.sort(([a = 0], [b = 0]) => a - b);
      const found = wanted.map((_, row) => [...both.rows.subarray(row * 5, row * 5 + 3)]);
      return both.count === wanted.length && JSON.stringify(found) === JSON.stringify(wanted);
    }),
  );
});

test.run();
