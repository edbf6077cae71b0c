// What an item consists of, in a form that does not depend on numbers that compilers give by position: equal keys, equal
// contents; and how much two contents have in common. Lines and columns do not count: they shift with every edit above.
import { decodeText } from '../../bytes/text.js';
import type { Atom, Edge } from '../../link/graph.js';
import { contentEnd, edgesIn, isItem, rangeOf, type AtomRef, type Range } from '../diff/items.js';
import { placeAt, placeInCode } from '../diff/place.js';

export interface Content {
  /** Equal for equal contents. */
  readonly key: string;
  /** What is in it → how often. */
  readonly parts: ReadonlyMap<string, number>;
}

/** Constants that refer to constants are followed so far. */
const DEPTH = 4;
/** Bytes of code that are looked at for likeness. */
const LOOKED_AT = 4096;

/** Asks for contents; remembers them. `spell` names an item without numbers that are given by position. */
export interface Contents {
  of(item: AtomRef): Content;
  /** Is the one the other but for places in sources, those that are numbers beside the text that says them, too? */
  sameButPlaces(old: AtomRef, now: AtomRef): boolean;
  /** What one reference in a function means: the name of an item, or what is in a constant. */
  meaning(edge: Edge, within: Range): string;
}

/** Contents under names as `spell` gives them: what it gives for two items must not differ only by position. */
export function contentsOf(spell: (name: string) => string): Contents {
  const known = new Map<AtomRef['symbol'], Content>();
  const of = (item: AtomRef): Content => {
    const found = known.get(item.symbol);
    if (found !== undefined) return found;
    const made = contentOf(item, spell);
    known.set(item.symbol, made);
    return made;
  };
  return {
    of,
    sameButPlaces: (old, now) => of(old).key === of(now).key || differInPlaces(rangeOf(old), rangeOf(now), spell),
    meaning: (edge, within) => targetContent(edge, within, spell),
  };
}

function contentOf(item: AtomRef, spell: (name: string) => string): Content {
  const whole = rangeOf(item);
  const range = { ...whole, end: contentEnd(whole) };
  const edges = edgesIn(range);
  const bytes = unfielded(range, edges);
  const targets = edges.map((edge) => `${edge.offset - range.start}:${targetText(edge, range, spell, 0)}`);
  const parts = new Map<string, number>();
  const code = range.atom.kind === 'code';
  for (const edge of edges) count(parts, targetText(edge, range, spell, 0));
  for (let at = 0; at + 4 <= Math.min(bytes.length, LOOKED_AT); at += code ? 1 : 4)
    count(parts, bytes.slice(at, at + 4));
  return { key: `${range.atom.kind} ${bytes.length} ${bytes} ${targets.join()}`, parts };
}

/** Data with text like `event src/main.rs:12` and the 12 as a number: what an event of a log says of itself. */
function differInPlaces(old: Range, now: Range, spell: (name: string) => string): boolean {
  if (old.atom.kind === 'code' || old.atom.kind !== now.atom.kind) return false;
  const [was, is] = [old, now].map((range) => {
    const edges = edgesIn(range);
    const targets = edges.map((edge) => `${edge.offset - range.start}:${targetText(edge, range, spell, 0)}`);
    return { bytes: unfielded(range, edges), targets: targets.join(), lines: linesIn(range, edges) };
  }) as [DataWithPlaces, DataWithPlaces];
  if (was.bytes.length !== is.bytes.length || was.targets !== is.targets) return false;
  const wordAt = (text: string, at: number): number =>
    [3, 2, 1, 0].reduce((word, byte) => word * 256 + text.charCodeAt(at + byte), 0);
  for (let at = 0; at < was.bytes.length; at += 4) {
    if (was.bytes.slice(at, at + 4) === is.bytes.slice(at, at + 4)) continue;
    if (!was.lines.has(wordAt(was.bytes, at)) || !is.lines.has(wordAt(is.bytes, at))) return false;
  }
  return true;
}

interface DataWithPlaces {
  readonly bytes: string;
  readonly targets: string;
  readonly lines: ReadonlySet<number>;
}

/** The numbers behind colons in the texts that a range refers to. */
function linesIn(range: Range, edges: readonly Edge[]): ReadonlySet<number> {
  const lines = new Set<number>();
  for (const edge of edges) {
    const { atom } = edge.target;
    if (atom === null || isItem(edge.target) || atom.edges.length > 0) continue;
    const { start, end } = pieceOf(edge, atom, range);
    const text = decodeText(atom.bytes, start, Math.min(end, atom.bytes.length));
    for (const [, digits] of text.matchAll(/:(\d+)/g)) lines.add(Number(digits));
  }
  return lines;
}

function count(parts: Map<string, number>, part: string): void {
  parts.set(part, (parts.get(part) ?? 0) + 1);
}

/** Bytes as characters, zeros where references are filled in. */
function unfielded({ atom, start, end }: Range, edges: readonly Edge[]): string {
  const bytes = new Uint8Array(atom.bytes.subarray(start, end));
  for (const edge of edges) {
    const at = edge.offset - start;
    bytes.fill(0, Math.min(at, bytes.length), Math.min(at + edge.row.field.size, bytes.length));
  }
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

function targetText(edge: Edge, around: Range, spell: (name: string) => string, depth: number): string {
  const { target } = edge;
  if (target.label || target.absolute !== null) return 'label';
  if (isItem(target) || target.atom === null) return `${spell(target.name ?? '')}+${edge.addend}`;
  return pieceText(pieceOf(edge, target.atom, around), spell, depth);
}

function pieceOf(edge: Edge, atom: Atom, around: Range): Range {
  const { range } =
    around.atom.kind === 'code'
      ? placeInCode(edge, atom, edge.target.offset, 0)
      : placeAt(atom, edge.target.offset + edge.addend);
  return range;
}

function pieceText(range: Range, spell: (name: string) => string, depth: number): string {
  if (depth >= DEPTH) return '…';
  const edges = edgesIn(range);
  if (edges.length === 0) {
    // Places in sources come as text, too: `src/main.rs:12`.
    const text = decodeText(range.atom.bytes, range.start, Math.min(range.end, range.atom.bytes.length));
    return `"${text.replaceAll(/:\d+/g, ':')}"`;
  }
  const targets = edges.map((edge) => targetText(edge, range, spell, depth + 1));
  return isLocation(range, edges) ? `at ${targets.join()}` : `[${unfielded(range, edges)} ${targets.join()}]`;
}

/** A place in a source: pointer and length of the file's name, line, column (core::panic::Location), by its shape. */
function isLocation({ atom, start, end }: Range, edges: readonly Edge[]): boolean {
  return end - start === 2 * atom.object.machine.pointerSize + 8 && edges.length === 1 && edges[0]?.offset === start;
}

/** As {@link targetText}, but a constant that has a name is what is in it. */
function targetContent(edge: Edge, around: Range, spell: (name: string) => string): string {
  const { atom } = edge.target;
  if (atom === null || !isItem(edge.target) || (atom.kind !== 'readonly' && atom.kind !== 'relro')) {
    return targetText(edge, around, spell, 0);
  }
  return pieceText(placeAt(atom, edge.target.offset).range, spell, 0);
}

/** How much of what is in either is in both: 0 to 1. */
export function likeness(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let both = 0;
  let all = 0;
  for (const [part, times] of a) {
    both += 2 * Math.min(times, b.get(part) ?? 0);
    all += times;
  }
  for (const times of b.values()) all += times;
  return all === 0 ? 1 : both / all;
}
