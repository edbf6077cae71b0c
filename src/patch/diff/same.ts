// Decides whether two pieces of two sets of objects mean the same: code, data and what they refer to. Exact: contents
// are compared directly, there is no hash that could collide. Says only yes or no; because.ts says why not.
//
// Two pieces are the same when their bytes are equal outside the fields of their edges, and their edges are equal one by
// one: same place, same kind of value, same meaning of the target. A target means
// - a named function, mutable static or thread-local: its name, as the program keeps the one it has;
// - a named read-only static: its name and its content, as references bind to the new copy;
// - anonymous data: its content, recursively. Cycles hold as equal until a difference is found (as for automata).
import { firstNotBefore } from '../../bytes/search.js';
import type { Atom, CompactFrame, Edge, Frame, Target } from '../../link/graph.js';
import type { FixupRow } from '../../reloc/fixup.js';
import type { AtomRef, Range, Side } from './items.js';
import {
  compactFramesIn,
  contentEnd,
  edgesIn,
  framesIn,
  isItem,
  itemAt,
  MOST_PADDING,
  rangeOf,
  sameStateSize,
  storageOf,
} from './items.js';
import { bytesBehind, isDivided, placeAt, placeInCode } from './place.js';
import type { Place } from './place.js';

/** Compares pieces of `before` with pieces of `after`; remembers what it found out. */
export interface Comparison {
  /** Storage, bytes, edges, and for code its unwind records. */
  sameItem(before: AtomRef, after: AtomRef): boolean;
  /** Bytes outside edges' fields only. */
  sameBytes(before: Range, after: Range): boolean;
  sameUnwind(before: AtomRef, after: AtomRef): boolean;
  /** True when references to this named item mean the same on both sides, wherever they stand. */
  sameMeaning(name: string): boolean;
}

/** The state of one comparison. */
interface State {
  readonly before: Side;
  readonly after: Side;
  /** Verdicts on pairs of data pieces and on names, by key. */
  readonly known: Map<string, boolean>;
  /** Keys taken as equal while the running question is open. */
  assumed: string[];
  readonly numbers: Map<Atom, number>;
}

/** Starts a comparison of two sides. */
export function compareSides(before: Side, after: Side): Comparison {
  const state: State = { before, after, known: new Map(), assumed: [], numbers: new Map() };
  const ask = (question: () => boolean): boolean => {
    state.assumed = [];
    const answer = question();
    // What was taken as equal on the way to a "no" may rest on what turned out to differ.
    if (!answer) for (const key of state.assumed) if (state.known.get(key) === true) state.known.delete(key);
    return answer;
  };
  return {
    sameItem: (a, b) => storageOf(a.atom) === storageOf(b.atom) && ask(() => sameWhole(state, a, b)),
    sameBytes: (a, b) => sameContent(a, edgesIn(a), b, edgesIn(b)),
    sameUnwind: (a, b) => ask(() => sameFrames(state, a, b)),
    sameMeaning: (name) => ask(() => sameName(state, name)),
  };
}

function sameWhole(state: State, a: AtomRef, b: AtomRef): boolean {
  if (!sameRange(state, rangeOf(a), rangeOf(b))) return false;
  return a.atom.kind === 'code' ? sameFrames(state, a, b) : sameStateSize(a, b);
}

function sameRange(state: State, rangeA: Range, rangeB: Range): boolean {
  const same = withoutPadding(rangeA, rangeB);
  if (same === null) return false;
  const [a, b] = same;
  const edgesA = edgesIn(a);
  const edgesB = edgesIn(b);
  if (edgesA.length !== edgesB.length || !sameContent(a, edgesA, b, edgesB)) return false;
  return edgesA.every((edge, index) => {
    const other = edgesB[index] as Edge;
    return edge.offset - a.start === other.offset - b.start && sameEdge(state, edge, a, other);
  });
}

/** Both ranges in one length, where what one is longer than the other may be padding; null where it is not. */
function withoutPadding(a: Range, b: Range): readonly [Range, Range] | null {
  const [sizeA, sizeB] = [a.end - a.start, b.end - b.start];
  if (sizeA === sizeB) return [a, b];
  const size = Math.min(sizeA, sizeB);
  const isLeft = (range: Range): boolean => range.atom.padded && contentEnd(range) - range.start <= size;
  if (Math.abs(sizeA - sizeB) >= MOST_PADDING || !isLeft(a) || !isLeft(b)) return null;
  return [
    { ...a, end: a.start + size },
    { ...b, end: b.start + size },
  ];
}

/** Equal bytes outside the fields of the edges of either side. Zero-filled atoms have no bytes: they read as zeros. */
function sameContent(a: Range, edgesA: readonly Edge[], b: Range, edgesB: readonly Edge[]): boolean {
  const length = a.end - a.start;
  if (length !== b.end - b.start) return false;
  const bytesA = a.atom.bytes;
  const bytesB = b.atom.bytes;
  if (bytesA.length === 0 && bytesB.length === 0) return true;
  const differs = (at: number): boolean => (bytesA[a.start + at] ?? 0) !== (bytesB[b.start + at] ?? 0);
  for (let at = 0; at < length; at++) {
    if (!differs(at)) continue;
    const past = Math.max(fieldEnd(edgesA, a.start + at) - a.start, fieldEnd(edgesB, b.start + at) - b.start);
    if (past <= at) return false;
    at = past - 1;
  }
  return true;
}

/** End of the field that covers an offset of the atom; -1 when none does. */
function fieldEnd(edges: readonly Edge[], offset: number): number {
  const edge = edges[firstNotBefore(edges, (one) => one.offset <= offset) - 1];
  return edge !== undefined && offset < edge.offset + edge.row.field.size ? edge.offset + edge.row.field.size : -1;
}

/**
 * A call through a stub and a direct one are the same: which of the two the compiler writes depends on where the callee
 * was compiled. A GOT slot is not: the same instruction reads another thing through it.
 */
function sameRow(a: FixupRow, b: FixupRow): boolean {
  if (a === b) return true;
  const direct = (row: FixupRow): string => (row.expression === 'L+A-P' ? 'S+A-P' : row.expression);
  return direct(a) === direct(b) && a.field.name === b.field.name;
}

/** `within` is the code or data around `a`; null in an unwind record. */
function sameEdge(state: State, a: Edge, within: Range | null, b: Edge): boolean {
  if (!sameRow(a.row, b.row) || !sameEnd(state, a, within, b)) return false;
  if (a.minus === undefined || b.minus === undefined) return a.minus === b.minus;
  // What stands behind a field counts for what is added, once.
  return sameEnd(state, { ...a, target: a.minus, addend: 0 }, null, { ...b, target: b.minus, addend: 0 });
}

function sameEnd(state: State, a: Edge, within: Range | null, b: Edge): boolean {
  if (a.target.label || b.target.label) return sameLabel(a, b);
  if (a.target.absolute !== null || b.target.absolute !== null) {
    return a.target.absolute === b.target.absolute && a.addend === b.addend;
  }
  const pieceA = anonymousPiece(state.before, a.target);
  const pieceB = anonymousPiece(state.after, b.target);
  if (pieceA !== null && pieceB !== null) return sameReference(state, a, within, pieceA, b, pieceB);
  if (pieceA !== null || pieceB !== null) return false;
  const name = a.target.name;
  return name === b.target.name && a.addend === b.addend && (name === null || sameName(state, name));
}

/** A place inside a function's own body: the same place of the same function, wherever that lies in its atom. */
function sameLabel(a: Edge, b: Edge): boolean {
  if (a.target.label !== b.target.label || a.target.atom === null || b.target.atom === null) return false;
  const atA = a.target.offset + a.addend;
  const atB = b.target.offset + b.addend;
  const ownerA = itemAt(a.target.atom, atA);
  const ownerB = itemAt(b.target.atom, atB);
  if (ownerA === null || ownerB === null) return ownerA === ownerB && atA === atB;
  return ownerA.name === ownerB.name && atA - ownerA.offset === atB - ownerB.offset;
}

/** The atom and offset of a target that has no name of its own, in this object or, promoted, in another one. */
function anonymousPiece(side: Side, target: Target): { readonly atom: Atom; readonly offset: number } | null {
  if (target.atom !== null) return isItem(target) ? null : { atom: target.atom, offset: target.offset };
  if (target.name === null) return null;
  const found = side.items.has(target.name) ? null : side.anonymous(target.name);
  return found === null ? null : { atom: found.atom, offset: found.symbol.offset };
}

type Piece = NonNullable<ReturnType<typeof anonymousPiece>>;

function sameReference(state: State, a: Edge, within: Range | null, pieceA: Piece, b: Edge, pieceB: Piece): boolean {
  if (within?.atom.kind !== 'code') {
    return samePlace(
      state,
      placeAt(pieceA.atom, pieceA.offset + a.addend),
      placeAt(pieceB.atom, pieceB.offset + b.addend),
    );
  }
  // The bytes of the two instructions are equal, so is what stands behind their fields: one side tells.
  const divided = isDivided(pieceA.atom) || isDivided(pieceB.atom);
  const behind = divided ? bytesBehind(a, within) : [0];
  return behind.every((count) =>
    samePlace(
      state,
      placeInCode(a, pieceA.atom, pieceA.offset, count),
      placeInCode(b, pieceB.atom, pieceB.offset, count),
    ),
  );
}

function samePlace(state: State, a: Place, b: Place): boolean {
  return a.at === b.at && samePiece(state, a.range, b.range);
}

function samePiece(state: State, a: Range, b: Range): boolean {
  return remembered(state, `${number(state, a.atom)}+${a.start} ${number(state, b.atom)}+${b.start}`, () =>
    sameRange(state, a, b),
  );
}

function number(state: State, atom: Atom): number {
  const known = state.numbers.get(atom);
  if (known !== undefined) return known;
  state.numbers.set(atom, state.numbers.size);
  return state.numbers.size - 1;
}

function remembered(state: State, key: string, question: () => boolean): boolean {
  const known = state.known.get(key);
  if (known !== undefined) return known;
  state.known.set(key, true);
  state.assumed.push(key);
  const answer = question();
  if (!answer) state.known.set(key, false);
  return answer;
}

function sameName(state: State, name: string): boolean {
  const before = state.before.items.get(name);
  const after = state.after.items.get(name);
  // Defined in none of the objects that changed, or only moved: the program has it under this name.
  if (before === undefined || after === undefined) return true;
  return remembered(state, `name ${name}`, () =>
    after.every((copy) => before.some((old) => sameAim(state, old, copy))),
  );
}

/** True when a reference may go on to mean what it meant: functions and state keep their place, constants their content. */
function sameAim(state: State, a: AtomRef, b: AtomRef): boolean {
  const storage = storageOf(a.atom);
  if (storage !== storageOf(b.atom)) return false;
  switch (storage) {
    case 'code':
      return true;
    case 'mutable':
    case 'tls':
      return sameStateSize(a, b);
    case 'readonly':
    case null:
      return samePiece(state, rangeOf(a), rangeOf(b));
  }
}

function sameFrames(state: State, a: AtomRef, b: AtomRef): boolean {
  // A record names the code that it describes, by whatever name.
  const own: OwnCode = (edge, other) =>
    edge.target.atom === a.atom &&
    other.target.atom === b.atom &&
    edge.target.offset + edge.addend - a.symbol.offset === other.target.offset + other.addend - b.symbol.offset;
  const framesA = framesIn(rangeOf(a));
  const framesB = framesIn(rangeOf(b));
  return (
    framesA.length === framesB.length &&
    framesA.every((frame, index) => sameFrame(state, frame, framesB[index] as Frame, own)) &&
    sameCompactFrames(state, a, b)
  );
}

function sameCompactFrames(state: State, a: AtomRef, b: AtomRef): boolean {
  const [rowsA, rowsB] = [compactFramesIn(rangeOf(a)), compactFramesIn(rangeOf(b))];
  const sameTarget = (one: Edge | null, other: Edge | null): boolean =>
    one === null || other === null ? one === other : sameEdge(state, one, null, other);
  const same = (one: CompactFrame, other: CompactFrame): boolean =>
    one.offset - a.symbol.offset === other.offset - b.symbol.offset &&
    one.length === other.length &&
    one.encoding === other.encoding &&
    sameTarget(one.personality, other.personality) &&
    sameTarget(one.lsda, other.lsda);
  return rowsA.length === rowsB.length && rowsA.every((row, index) => same(row, rowsB[index] as CompactFrame));
}

/** A record begins with its length and its distance to the shared record, which only say where it lies. */
const FRAME_HEAD = 8;

/** Whether two edges of unwind records mean the same place of the code that the records describe. */
type OwnCode = (a: Edge, b: Edge) => boolean;

function sameFrame(state: State, a: Frame, b: Frame, own: OwnCode): boolean {
  return (
    sameRecord(state, a.common.bytes, a.common.edges, b.common.bytes, b.common.edges, own) &&
    sameRecord(state, a.bytes, a.edges, b.bytes, b.edges, own)
  );
}

/** Records end in padding, zeros that say nothing; the last of a section has more of it than the others. */
function sameRecord(
  state: State,
  a: Uint8Array,
  edgesA: readonly Edge[],
  b: Uint8Array,
  edgesB: readonly Edge[],
  own: OwnCode,
): boolean {
  if (edgesA.length !== edgesB.length) return false;
  const length = Math.max(a.length, b.length);
  for (let at = FRAME_HEAD; at < length; at++) {
    if ((a[at] ?? 0) !== (b[at] ?? 0) && fieldEnd(edgesA, at) < 0) return false;
  }
  return edgesA.every((edge, index) => {
    const other = edgesB[index] as Edge;
    return edge.offset === other.offset && (own(edge, other) || sameEdge(state, edge, null, other));
  });
}
