// The items of a set of objects: every named function and static, found by name over all objects. Says what range of
// an atom an item covers and where its state lives. Compares nothing.
import type { Atom, AtomSymbol, CompactFrame, Edge, Frame, LinkObject, Target } from '../../link/graph.js';
import { EXPRESSIONS } from '../../reloc/fixup.js';

/** One copy of an item: a symbol in an atom. The same object for the same symbol, so that it can be a key. */
export interface AtomRef {
  readonly atom: Atom;
  readonly symbol: AtomSymbol;
}

/** Where an item lives while the program runs: what is `readonly` binds to its new copy, `mutable` and `tls` stay. */
export type Storage = 'code' | 'readonly' | 'mutable' | 'tls';

/** A part of an atom that is compared as one thing: bytes [start, end) of `atom`. */
export interface Range {
  readonly atom: Atom;
  readonly start: number;
  readonly end: number;
}

/** One side of a comparison: the objects and what they define. */
export interface Side {
  readonly objects: readonly LinkObject[];
  /** All copies of every item, by name. */
  readonly items: ReadonlyMap<string, readonly AtomRef[]>;
  /** Where one of the objects defines a compiler-made name that others can see; null if none does. */
  anonymous(name: string): AtomRef | null;
}

/** Storage of an atom's content; null for what is no item: lists of constructors, notes. */
export function storageOf(atom: Atom): Storage | null {
  switch (atom.kind) {
    case 'code':
      return 'code';
    case 'readonly':
    case 'relro':
      return 'readonly';
    case 'data':
    case 'zero':
    case 'tls-descriptors':
      return 'mutable';
    case 'tls-data':
    case 'tls-zero':
      return 'tls';
    case 'init':
    case 'fini':
    case 'unwind':
    case 'unwind-table':
    case 'lsda':
    case 'debug':
    case 'note':
    case 'other':
      return null;
  }
}

/** The compiler's own plumbing: one word that holds the address of a personality function. No item of the user. */
function isPlumbing(symbol: AtomSymbol): boolean {
  return symbol.name.startsWith('DW.ref.');
}

/** One item (function, static, thread-local) that differs. */
export interface DiffItem {
  /** Mangled, without what LLVM appends to promoted locals. */
  readonly name: string;
  readonly demangled: string;
  readonly kind: 'function' | 'data';
  /** Where it lives now; for what was removed, where it lived. */
  readonly storage: Storage;
  readonly change: 'added' | 'removed' | 'body' | 'initialiser';
  /**
   * References to it must bind to its new copy although an old one exists: its read-only content changed, or its
   * storage or size did, so that the old copy cannot serve. Whoever refers to it counts as changed; see referrers.ts for
   * those in other objects. Always false for functions, whose old entry leads to the new body.
   */
  readonly rebind: boolean;
  /** All copies in the objects given; empty for what was added (before) or removed (after). */
  readonly before: readonly AtomRef[];
  readonly after: readonly AtomRef[];
  /** Names of the objects that hold it, each once, in order. */
  readonly objects: readonly string[];
  /** In words. Never empty. */
  readonly because: readonly string[];
}

/** Indexes a set of objects. Costs about a microsecond per symbol. */
export function openSide(objects: readonly LinkObject[]): Side {
  const items = new Map<string, AtomRef[]>();
  // Found here once: asking all objects at every edge took a sixth of pairing 256 objects.
  const anonymous = new Map<string, AtomRef>();
  for (const object of objects) {
    for (const atom of object.atoms()) {
      const isStorage = storageOf(atom) !== null;
      for (const symbol of atom.symbols) {
        if (!symbol.stable) {
          if (!symbol.local && !anonymous.has(symbol.name)) anonymous.set(symbol.name, { atom, symbol });
          continue;
        }
        if (!isStorage || isPlumbing(symbol)) continue;
        const copies = items.get(symbol.name);
        if (copies === undefined) items.set(symbol.name, [{ atom, symbol }]);
        else copies.push({ atom, symbol });
      }
    }
  }
  return { objects, items, anonymous: (name) => anonymous.get(name) ?? null };
}

/**
 * What an item covers. A symbol alone in its atom covers all of it (its size may be missing, and what stands behind it
 * belongs to it); among several it covers its size, or all up to the next one.
 */
export function rangeOf(item: AtomRef): Range {
  const range = wholeRangeOf(item);
  const { atom, symbol } = item;
  const end = symbol.offset + symbol.size;
  // Fills depend on what stands behind. What is none is part of the function: tables of its jumps.
  const filled = atom.padded && atom.kind === 'code' && symbol.size > 0 && end < range.end;
  return filled && atom.object.machine.entry.isPadding(atom.bytes.subarray(end, range.end)) ? { ...range, end } : range;
}

function wholeRangeOf({ atom, symbol }: AtomRef): Range {
  if (atom.symbols.length === 1 && symbol.offset === 0) return { atom, start: 0, end: atom.size };
  const others = atom.symbols.filter((other) => other.stable && other.offset !== symbol.offset);
  if (others.length === 0 && symbol.offset === 0) return { atom, start: 0, end: atom.size };
  if (symbol.size > 0) return { atom, start: symbol.offset, end: Math.min(symbol.offset + symbol.size, atom.size) };
  const next = others.reduce(
    (end, other) => (other.offset > symbol.offset ? Math.min(end, other.offset) : end),
    atom.size,
  );
  return { atom, start: symbol.offset, end: next };
}

/** Most bytes that are put behind data so that what follows is aligned: a line of the processor's cache. */
export const MOST_PADDING = 128;

/** Where the content of a range ends for certain: what follows, if anything, are zeros that may be padding. */
export function contentEnd(range: Range): number {
  const { atom, start, end } = range;
  if (!atom.padded || atom.kind === 'code' || end < atom.size) return end;
  const field = edgesIn(range).at(-1);
  let last = Math.max(start, field === undefined ? 0 : field.offset + field.row.field.size);
  for (let at = last; at < Math.min(end, atom.bytes.length); at++) if (atom.bytes[at] !== 0) last = at + 1;
  return last;
}

/** Bytes of state that an item is; 0 where that is not known to the byte. */
export function stateSize({ atom, symbol }: AtomRef): number {
  return atom.padded ? 0 : symbol.size;
}

/** May two items be state of one size? Where padding hides it, what a debugger is told of them decides (identity/). */
export function sameStateSize(a: AtomRef, b: AtomRef): boolean {
  return withinPadding(a.atom, a.symbol.size, b.atom, b.symbol.size) && sameTemplateSize(a.atom, b.atom);
}

/** Of thread-locals that are reached by a descriptor: what the descriptors lead to is the state. */
function sameTemplateSize(a: Atom, b: Atom): boolean {
  const [valueA, valueB] = [a, b].map(({ kind, edges }) =>
    kind === 'tls-descriptors'
      ? edges.find(({ row }) => EXPRESSIONS[row.expression].term === 'DTP')?.target.atom
      : null,
  );
  if (valueA == null || valueB == null) return valueA === valueB;
  return withinPadding(valueA, valueA.size, valueB, valueB.size);
}

function withinPadding(a: Atom, sizeA: number, b: Atom, sizeB: number): boolean {
  return sizeA === sizeB || (a.padded && b.padded && Math.abs(sizeA - sizeB) < MOST_PADDING);
}

/** Edges whose field starts in [start, end). */
export function edgesIn({ atom, start, end }: Range): readonly Edge[] {
  const edges = atom.edges;
  if (start === 0 && end === atom.size) return edges;
  return edges.filter((edge) => edge.offset >= start && edge.offset < end);
}

/** All that edges in a range refer to. */
export function targetsIn(range: Range): readonly Target[] {
  return edgesIn(range).flatMap(({ target, minus }) => (minus === undefined ? [target] : [target, minus]));
}

/** Unwind records of the code in a range. */
export function framesIn({ atom, start, end }: Range): readonly Frame[] {
  const frames = atom.frames;
  if (start === 0 && end === atom.size) return frames;
  return frames.filter((frame) => {
    const begin = frame.edges.find((edge) => edge.target.atom === atom);
    if (begin === undefined) return false;
    const at = begin.target.offset + begin.addend;
    return at >= start && at < end;
  });
}

/** Rows of compact unwind tables of the code in a range. */
export function compactFramesIn({ atom, start, end }: Range): readonly CompactFrame[] {
  return atom.compactFrames.filter(({ offset }) => offset >= start && offset < end);
}

/** The named item at an offset of an atom, or null. */
export function itemAt(atom: Atom, offset: number): AtomSymbol | null {
  let found: AtomSymbol | null = null;
  for (const symbol of atom.symbols) {
    if (symbol.offset > offset) break;
    if (symbol.stable) found = symbol;
  }
  return found;
}

/** True when the target is an item, known by name wherever it is defined. */
export function isItem(target: Target): boolean {
  return target.name !== null && !target.label;
}
