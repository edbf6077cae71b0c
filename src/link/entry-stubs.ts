// Pass: functions of an image whose code nobody can change once it is loaded. Each gets a stub, which jumps through a word
// in data, and what names the function means the stub from now on: a later patch changes the word. Its frame records, jump
// tables and landing pads go on to mean the body.
import { EXPRESSIONS } from '../reloc/fixup.js';
import { biasOf, type Machine } from '../reloc/machine.js';
import type { BoundEdge, LinkedAtom } from './close.js';
import type { Atom, Edge, Target } from './graph.js';

/** What stands before a function: the stub, and the word that it jumps through. */
export interface FunctionEntry {
  readonly stub: Atom;
  readonly word: Atom;
}

/** By atom, and where in it the function begins. */
export type FunctionEntries = ReadonlyMap<Atom, ReadonlyMap<number, FunctionEntry>>;

export const NO_ENTRIES: FunctionEntries = new Map();

/**
 * The same atoms with such entries for their functions, which lie behind them.
 * @param replacing new bodies of functions that are entered elsewhere: what of them nothing here names needs no entry
 */
export function throughStubs(
  atoms: readonly LinkedAtom[],
  replacing: ReadonlySet<Atom>,
  machine: Machine,
): { readonly atoms: readonly LinkedAtom[]; readonly entries: FunctionEntries } {
  const entries = new Map<Atom, Map<number, FunctionEntry>>();
  const made: LinkedAtom[] = [];
  const named = new Set(
    atoms.flatMap(({ atom, edges }) => edges.flatMap((bound) => namedBy(atom, bound, machine) ?? [])),
  );
  for (const { atom } of atoms) {
    if (atom.kind !== 'code' || (replacing.has(atom) && !named.has(atom))) continue;
    const own = new Map<number, FunctionEntry>();
    for (const { stable, offset } of atom.symbols) {
      if (!stable || own.has(offset)) continue;
      const { word, stub } = entryOf(atom, offset, machine);
      own.set(offset, { word: word.atom, stub: stub.atom });
      made.push(stub, word);
    }
    entries.set(atom, own);
  }
  const redirect = (from: Atom, bound: BoundEdge): BoundEdge => {
    const { binding } = bound;
    if (binding.kind !== 'atom' || namedBy(from, bound, machine) === null) return bound;
    const entry = entries.get(binding.atom)?.get(binding.offset);
    return entry === undefined ? bound : { ...bound, binding: { kind: 'atom', atom: entry.stub, offset: 0 } };
  };
  const redirected = atoms.map((linked): LinkedAtom => {
    const edges = linked.edges.map((bound) => redirect(linked.atom, bound));
    return edges.some((bound, i) => bound !== linked.edges[i]) ? { ...linked, edges } : linked;
  });
  return { atoms: [...redirected, ...made], entries };
}

function entryOf(
  body: Atom,
  offset: number,
  machine: Machine,
): { readonly word: LinkedAtom; readonly stub: LinkedAtom } {
  const { pointerSize, addressRow, entryStubs } = machine;
  const address: Edge = { offset: 0, row: addressRow, target: placeIn(body, offset), addend: 0 };
  const nothing = { frames: [], compactFrames: [], neededBy: body };
  const word = made(body, 'data', 'its slot', new Uint8Array(pointerSize), pointerSize);
  const { bytes, fields } = entryStubs.build(body.bytes.subarray(offset));
  const stub = made(body, 'code', 'its stub', bytes, entryStubs.align);
  const toWord = fields.map(({ offset: at, row, addend }): BoundEdge => ({
    edge: { offset: at, row, target: placeIn(word, 0), addend },
    binding: { kind: 'atom', atom: word, offset: 0 },
  }));
  return {
    word: {
      atom: word,
      bytes: word.bytes,
      edges: [{ edge: address, binding: { kind: 'atom', atom: body, offset } }],
      ...nothing,
    },
    stub: { atom: stub, bytes, edges: toWord, ...nothing },
  };
}

/** Without a name: only the entry's function is known by one. */
function made(of: Atom, kind: 'code' | 'data', what: string, bytes: Uint8Array, align: number): Atom {
  const { object, section, sectionName } = of;
  const nothing = { symbols: [], edges: [], frames: [], compactFrames: [] };
  const plain = { padded: false, mergeable: false, strings: false, entrySize: 0, ...nothing };
  const name = `${of.name} (${what})`;
  return { object, section, sectionName, kind, name, size: bytes.length, align, bytes, ...plain };
}

function placeIn(atom: Atom, offset: number): Target {
  const nothing = { name: null, spelling: null, weak: false, absolute: null };
  return { ...nothing, atom, offset, label: true, kind: 'none' };
}

/** The atom whose place a reference by name means; null for other references. */
function namedBy(from: Atom, { binding, edge }: BoundEdge, machine: Machine): Atom | null {
  const { name, label } = edge.target;
  return binding.kind === 'atom' && name !== null && !label && meansAddress(edge, from, machine) ? binding.atom : null;
}

/** Whether the field holds the symbol's address, or leads there: no place behind it, and no number about it. */
function meansAddress({ row, addend }: Edge, from: Atom, machine: Machine): boolean {
  const { term, base } = EXPRESSIONS[row.expression];
  if (term === 'G') return true;
  if ((term !== 'S' && term !== 'L') || base === 'T') return false;
  return addend + (from.kind === 'code' ? biasOf(machine, row) : 0) === 0;
}
