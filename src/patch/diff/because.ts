// Says in words why an item counts as changed. Only for people: what counts is decided by same.ts.
import type { Atom, Edge } from '../../link/graph.js';
import { isStableName } from '../../link/names.js';
import type { AtomRef, Range } from './items.js';
import { edgesIn, isItem, rangeOf, storageOf } from './items.js';
import type { Storage } from './items.js';
import { placeAt, placeInCode, bytesBehind, isDivided } from './place.js';
import { quote, quoteChange, readLiteral } from './text.js';
import type { Comparison } from './same.js';

/** Most reasons of one kind that are spelled out. */
const SPELLED = 3;
/** Bytes of a constant that are looked at, and nesting of constants. */
const LOOKED_AT = 65_536;
const DEPTH = 6;

/** What an item uses: the ends of its edges, through anonymous data. */
type Use =
  | { readonly kind: 'function'; readonly key: string; readonly name: string }
  | { readonly kind: 'data'; readonly key: string; readonly name: string }
  | { readonly kind: 'text'; readonly key: string; readonly text: string }
  | { readonly kind: 'location'; readonly key: string; readonly line: number; readonly column: number }
  | { readonly kind: 'constant'; readonly key: string };

/** Why the `after` of an item differs from its `before`. `spoken` makes a name readable. Never empty. */
export function reasonsFor(
  comparison: Comparison,
  before: AtomRef,
  after: AtomRef,
  spoken: (name: string) => string,
): readonly string[] {
  const reasons: string[] = [];
  const from = rangeOf(before);
  const to = rangeOf(after);
  const storageBefore = storageOf(before.atom);
  const storageAfter = storageOf(after.atom);
  if (storageBefore !== storageAfter) reasons.push(`it moved from ${place(storageBefore)} to ${place(storageAfter)}`);
  const sizes = [from.end - from.start, to.end - to.start] as const;
  const bytesEqual = comparison.sameBytes(from, to);
  if (storageAfter === 'code') {
    if (!bytesEqual)
      reasons.push(sizes[0] === sizes[1] ? 'its code differs' : `its code differs (${sizes[0]} → ${sizes[1]} bytes)`);
  } else if (sizes[0] !== sizes[1]) reasons.push(`its size changed: ${sizes[0]} → ${sizes[1]} bytes`);
  else if (!bytesEqual) reasons.push(storageAfter === 'readonly' ? 'its content differs' : 'its initial value differs');
  reasons.push(...useReasons(usesOf(from), usesOf(to), spoken));
  reasons.push(...movedReasons(comparison, to, spoken));
  if (bytesEqual && storageAfter === 'code' && !comparison.sameUnwind(before, after))
    reasons.push('its unwind table changed');
  if (reasons.length === 0) reasons.push(...namesakeReasons(usesOf(from), usesOf(to), spoken));
  if (reasons.length === 0) reasons.push(storageAfter === 'code' ? 'what it refers to changed' : 'its content differs');
  return reasons;
}

function place(storage: Storage | null): string {
  switch (storage) {
    case 'code':
      return 'code';
    case 'readonly':
      return 'read-only data';
    case 'mutable':
      return 'mutable data';
    case 'tls':
      return 'thread-local data';
    case null:
      return 'other data';
  }
}

/** Named data that the item refers to, and that must be bound anew. */
function movedReasons(comparison: Comparison, range: Range, spoken: (name: string) => string): string[] {
  const names = new Set<string>();
  for (const use of usesOf(range)) if ('name' in use && !comparison.sameMeaning(use.name)) names.add(use.name);
  return [...names].map((name) => usesChanged(spoken(name)));
}

/** The reason of an item that must bind to the new copy of something. */
export function usesChanged(name: string): string {
  return `uses ${name}, which changed`;
}

function usesOf(range: Range): readonly Use[] {
  const uses: Use[] = [];
  collect(range, uses, new Set(), 0);
  return uses;
}

function collect(range: Range, uses: Use[], seen: Set<Atom>, depth: number): void {
  for (const edge of edgesIn(range)) {
    const { target } = edge;
    if (target.label) continue;
    // A constant that another object holds, under a name that optimisation made up: nothing to tell anyone.
    if (target.atom === null && target.name !== null && !isStableName(target.name)) continue;
    if (isItem(target)) uses.push(named(edge));
    else if (target.atom !== null) collectAnonymous(edge, target.atom, range, uses, seen, depth);
  }
}

/**
 * A named end. Whether what another object defines is code is only known of calls by a stub; of the rest "uses" is
 * true.
 */
function named(edge: Edge): Use {
  const name = edge.target.name ?? '';
  const called = edge.target.atom === null ? edge.row.expression === 'L+A-P' : edge.target.atom.kind === 'code';
  return { kind: called ? 'function' : 'data', key: `name ${name}`, name };
}

function collectAnonymous(edge: Edge, atom: Atom, around: Range, uses: Use[], seen: Set<Atom>, depth: number): void {
  const behind = around.atom.kind === 'code' && isDivided(atom) ? (bytesBehind(edge, around)[0] ?? 0) : 0;
  const { range } =
    around.atom.kind === 'code'
      ? placeInCode(edge, atom, edge.target.offset, behind)
      : placeAt(atom, edge.target.offset + edge.addend);
  const location = readLocation(range);
  if (location !== null) {
    uses.push(location);
    return;
  }
  const bytes = atom.bytes.subarray(range.start, Math.min(range.end, range.start + LOOKED_AT));
  if (edgesIn(range).length > 0) {
    if (seen.has(atom) || depth >= DEPTH) return;
    seen.add(atom);
    uses.push({ kind: 'constant', key: `constant ${unfielded(range)}` });
    collect(range, uses, seen, depth + 1);
    return;
  }
  const text = readLiteral(bytes);
  uses.push(
    text === null ? { kind: 'constant', key: `constant ${bytes.join()}` } : { kind: 'text', key: `text ${text}`, text },
  );
}

/** Bytes of a constant with its edges' fields left out, and what the named ones refer to. */
function unfielded(range: Range): string {
  const bytes = range.atom.bytes.slice(range.start, Math.min(range.end, range.start + LOOKED_AT));
  for (const edge of edgesIn(range)) {
    const at = edge.offset - range.start;
    bytes.fill(0, Math.min(at, bytes.length), Math.min(at + edge.row.field.size, bytes.length));
  }
  return bytes.join();
}

/**
 * A panic location: pointer and length of the file's name, line, column (core::panic::Location). Recognised by its
 * shape: just those words, one edge at the front.
 */
function readLocation(range: Range): Extract<Use, { kind: 'location' }> | null {
  const { pointerSize } = range.atom.object.machine;
  const size = 2 * pointerSize + 8;
  if (range.end - range.start !== size || range.atom.bytes.length < range.end) return null;
  const edges = edgesIn(range);
  const edge = edges[0];
  if (edges.length !== 1 || edge === undefined || edge.offset !== range.start || isItem(edge.target)) return null;
  const view = new DataView(range.atom.bytes.buffer, range.atom.bytes.byteOffset + range.start, size);
  const line = view.getUint32(2 * pointerSize, true);
  const column = view.getUint32(2 * pointerSize + 4, true);
  // A vtable of this size has an alignment there, and zero above it; a location's line and column start at 1.
  if (line === 0 || column === 0) return null;
  return { kind: 'location', key: `location ${line}:${column}`, line, column };
}

function useReasons(before: readonly Use[], after: readonly Use[], spoken: (name: string) => string): string[] {
  const gone = without(before, after);
  const come = without(after, before);
  return [
    ...nameReasons(gone, come, spoken),
    ...textReasons(gone, come),
    ...locationReasons(before, after),
    ...(ofKind(gone, 'constant').length + ofKind(come, 'constant').length > 0 && onlyConstants(gone, come)
      ? ['constant data changed']
      : []),
  ];
}

/** A changed string changes its length in the slice that points to it: that alone says nothing more. */
function onlyConstants(gone: readonly Use[], come: readonly Use[]): boolean {
  return [...gone, ...come].every((use) => use.kind === 'constant' || use.kind === 'location');
}

/** Uses of `a` that `b` has fewer of, in order. */
function without(a: readonly Use[], b: readonly Use[]): readonly Use[] {
  const counts = new Map<string, number>();
  for (const use of b) counts.set(use.key, (counts.get(use.key) ?? 0) + 1);
  return a.filter((use) => {
    const left = counts.get(use.key) ?? 0;
    counts.set(use.key, left - 1);
    return left <= 0;
  });
}

function ofKind<K extends Use['kind']>(uses: readonly Use[], kind: K): readonly Extract<Use, { kind: K }>[] {
  return uses.filter((use): use is Extract<Use, { kind: K }> => use.kind === kind);
}

function nameReasons(gone: readonly Use[], come: readonly Use[], spoken: (name: string) => string): string[] {
  const names = (uses: readonly Use[], kind: 'function' | 'data'): string[] => [
    ...new Set(ofKind(uses, kind).map((use) => spoken(use.name))),
  ];
  const reasons: string[] = [];
  for (const kind of ['function', 'data'] as const) {
    const verb = kind === 'function' ? 'calls' : 'uses';
    const lost = names(gone, kind);
    const found = names(come, kind);
    const first = found[0];
    if (lost.length === 1 && found.length === 1 && lost[0] !== first)
      reasons.push(`${verb} ${first} instead of ${lost[0]}`);
    else {
      const both = new Set(found.filter((name) => lost.includes(name)));
      if (found.length > both.size) reasons.push(`newly ${verb} ${list(found.filter((name) => !both.has(name)))}`);
      if (lost.length > both.size) reasons.push(`no longer ${verb} ${list(lost.filter((name) => !both.has(name)))}`);
    }
  }
  return reasons;
}

/** Items that read the same but are others: the hash in their names differs, as with another signature or type. */
function namesakeReasons(before: readonly Use[], after: readonly Use[], spoken: (name: string) => string): string[] {
  const names = (uses: readonly Use[]): string[] =>
    uses.flatMap((use) => (use.kind === 'function' || use.kind === 'data' ? [spoken(use.name)] : []));
  const lost = new Set(names(without(before, after)));
  const both = [...new Set(names(without(after, before)))].filter((name) => lost.has(name));
  return both.length === 0 ? [] : [`refers to another ${list(both)}, of the same name`];
}

function textReasons(gone: readonly Use[], come: readonly Use[]): string[] {
  const lost = ofKind(gone, 'text');
  const found = ofKind(come, 'text');
  const pairs = Math.min(lost.length, found.length);
  const reasons: string[] = [];
  for (let index = 0; index < pairs; index++) {
    const [a, b] = [lost[index], found[index]];
    if (a !== undefined && b !== undefined) reasons.push(`a string changed: ${quoteChange(a.text, b.text)}`);
  }
  for (const use of found.slice(pairs)) reasons.push(`a new string: ${quote(use.text)}`);
  for (const use of lost.slice(pairs)) reasons.push(`a string less: ${quote(use.text)}`);
  return shortened(reasons, 'strings');
}

/** Locations keep their order. Where their number changed too, only those that have no equal are paired. */
function locationReasons(before: readonly Use[], after: readonly Use[]): string[] {
  const all = ofKind(before, 'location').length === ofKind(after, 'location').length;
  const lost = ofKind(all ? before : without(before, after), 'location');
  const found = ofKind(all ? after : without(after, before), 'location');
  const moved: string[] = [];
  for (let index = 0; index < Math.min(lost.length, found.length); index++) {
    const [a, b] = [lost[index], found[index]];
    if (a === undefined || b === undefined || a.key === b.key) continue;
    moved.push(a.line === b.line ? `column ${a.column} → ${b.column}` : `line ${a.line} → ${b.line}`);
  }
  const spelled = [...new Set(moved)];
  return shortened(
    spelled.map((move) => `a panic location moved: ${move}`),
    'panic locations',
  );
}

function shortened(reasons: readonly string[], what: string): string[] {
  if (reasons.length <= SPELLED) return [...reasons];
  return [...reasons.slice(0, SPELLED), `and ${reasons.length - SPELLED} more ${what}`];
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, SPELLED).join(', ');
  return names.length > SPELLED ? `${shown} and ${names.length - SPELLED} more` : shown;
}
