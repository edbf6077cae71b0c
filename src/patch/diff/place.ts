// Which piece of anonymous data a reference means: the literal in a pool of merged strings or constants, one of several
// compiler-made symbols, or the whole atom. Compares nothing.
import type { Atom, Edge } from '../../link/graph.js';
import { biasOf } from '../../reloc/machine.js';
import type { Range } from './items.js';

/** Where a reference points: `at` is the offset from the start of the piece it means. */
export interface Place {
  readonly range: Range;
  readonly at: number;
}

/** Bytes that can stand behind a PC-relative field in its instruction: an immediate of 0, 1, 2 or 4 bytes. */
const IMMEDIATES = [0, 1, 2, 4] as const;

/**
 * The place that a field in code means, when `behind` bytes of its instruction stand behind the field: the addend of
 * a PC-relative field counts from the end of its instruction.
 */
export function placeInCode(edge: Edge, atom: Atom, offset: number, behind: number): Place {
  const bias = biasOf(atom.object.machine, edge.row);
  return placeAt(atom, offset + edge.addend + (bias === 0 ? 0 : bias + behind));
}

/** True when an atom holds several pieces, so that it matters which one is meant. */
export function isDivided(atom: Atom): boolean {
  return (atom.mergeable && atom.edges.length === 0) || atom.symbols.some((symbol) => symbol.offset > 0);
}

/** The piece at an offset of an atom. Outside of the atom, the atom itself. */
export function placeAt(atom: Atom, offset: number): Place {
  const range = pieceAt(atom, offset);
  return { range, at: offset - range.start };
}

function pieceAt(atom: Atom, offset: number): Range {
  const whole: Range = { atom, start: 0, end: atom.size };
  if (offset < 0 || offset >= atom.size) return whole;
  if (atom.mergeable && atom.edges.length === 0) {
    return atom.strings ? stringAt(atom, offset) : entryAt(atom, offset, whole);
  }
  return symbolAt(atom, offset);
}

/** The NUL-terminated string around an offset; characters are `entrySize` bytes wide. */
function stringAt(atom: Atom, offset: number): Range {
  const width = Math.max(1, atom.entrySize);
  const { bytes } = atom;
  let start = offset - (offset % width);
  while (start > 0 && !isZero(bytes, start - width, width)) start -= width;
  let end = offset - (offset % width);
  while (end < bytes.length && !isZero(bytes, end, width)) end += width;
  return { atom, start, end: Math.min(end + width, atom.size) };
}

function isZero(bytes: Uint8Array, at: number, width: number): boolean {
  for (let index = at; index < at + width; index++) {
    if (bytes[index] !== 0) return false;
  }
  return true;
}

function entryAt(atom: Atom, offset: number, whole: Range): Range {
  if (atom.entrySize < 1) return whole;
  const start = offset - (offset % atom.entrySize);
  return { atom, start, end: Math.min(start + atom.entrySize, atom.size) };
}

/** From the last symbol at or before the offset up to the next one. */
function symbolAt(atom: Atom, offset: number): Range {
  let start = 0;
  let end = atom.size;
  for (const symbol of atom.symbols) {
    if (symbol.offset <= offset) start = Math.max(start, symbol.offset);
    else end = Math.min(end, symbol.offset);
  }
  return { atom, start, end };
}

/**
 * How many bytes of its instruction follow the field of an edge in code, by decoding the function around it. Where that
 * cannot be told, all it can be: what is asked must then hold for each. Costly: ask only when the answer matters.
 */
export function bytesBehind(edge: Edge, { atom, start, end }: Range): readonly number[] {
  if (!edge.row.expression.endsWith('-P')) return [0];
  const fieldEnd = edge.offset + edge.row.field.size;
  let at = start;
  for (const length of atom.object.machine.entry.decode(atom.bytes.subarray(start, end)).lengths) {
    const from = at;
    at += length;
    if (at >= fieldEnd) return from <= edge.offset ? [at - fieldEnd] : IMMEDIATES;
  }
  return IMMEDIATES;
}
