// Pass: references from an image that may lie anywhere. What the image itself brings is at a known distance; all else,
// the program and earlier patches too, is reached through words that the process fills: branches through stubs, other
// code by instructions that take the address from a word (which ones is the machine's to know).
import { IpbpError, hex } from '../codes/error.js';
import { EXPRESSIONS, isWithinPage } from '../reloc/fixup.js';
import type { FarCode, FarReference, Machine } from '../reloc/machine.js';
import { bindingKey, type Binding } from './binding.js';
import type { BoundEdge, LinkedAtom } from './close.js';
import type { Atom, Target } from './graph.js';

/** True when the target is not part of the image. */
export function isOutside(binding: Binding): boolean {
  return binding.kind === 'import' || binding.kind === 'place' || binding.kind === 'absolute';
}

/** What lies `by` bytes behind the target. */
function behind(binding: Binding, by: number): Binding {
  switch (binding.kind) {
    case 'place':
      return { ...binding, address: binding.address + by };
    case 'index':
      return binding;
    case 'absolute':
      return { ...binding, value: binding.value + by };
    case 'import':
      return by === 0 ? binding : { ...binding, addend: (binding.addend ?? 0) + by };
    case 'atom':
    case 'tls':
    case 'tls-room':
      return { ...binding, offset: binding.offset + by };
  }
}

/** Is what the field holds a distance from the code, or a part of one? */
function isByDistance({ edge: { row } }: BoundEdge): boolean {
  const { term, base } = EXPRESSIONS[row.expression];
  if (term !== 'S' && term !== 'L') return false;
  return base === 'P' || base === 'page of P' || (base === 'nothing' && isWithinPage(row.field));
}

/** Code without a name that stands behind a function. */
function asideOf({ object, section, kind, sectionName, name }: Atom, bytes: Uint8Array, align: number): Atom {
  const nothing = {
    symbols: [],
    edges: [],
    frames: [],
    compactFrames: [],
    padded: false,
    mergeable: false,
    strings: false,
    entrySize: 0,
  };
  return {
    object,
    section,
    kind,
    sectionName,
    name: `${name} (aside)`,
    size: bytes.length,
    align,
    bytes,
    ...nothing,
  };
}

function targetIn(atom: Atom, offset: number): Target {
  return {
    name: null,
    spelling: null,
    atom,
    offset,
    label: true,
    weak: false,
    kind: 'none',
    absolute: null,
  };
}

/** A reference that leaves the image, and where in the code aside of its function its piece begins. */
interface Leaving {
  readonly bound: BoundEdge;
  readonly reference: FarReference;
  readonly asideAt: number;
}

/** How each reference that leaves the image is made; throws for one that cannot be. */
function lookAt(linked: LinkedAtom, machine: Machine, near: boolean): readonly Leaving[] {
  const { atom, bytes } = linked;
  const bounds = linked.edges.filter((bound) => isByDistance(bound) && isOutside(bound.binding));
  const symbols = new Map<string, number>();
  const uses = bounds.map(({ edge: { offset, row, addend }, binding }) => {
    const key = bindingKey(binding, () => -1);
    const symbol = symbols.get(key) ?? symbols.size;
    symbols.set(key, symbol);
    return { offset, row, addend, symbol };
  });
  const references = machine.far.references(bytes, uses, near);
  let size = 0;
  return bounds.map((bound, i) => {
    const { edge } = bound;
    const reference = references[i] ?? null;
    const isAlone = ({ start, end }: Extract<FarReference, { kind: 'access' }>): boolean =>
      !linked.edges.some((other) => other !== bound && other.edge.offset >= start && other.edge.offset < end);
    if (reference === null || (reference.kind === 'access' && !isAlone(reference))) {
      throw new IpbpError('IPBP2004', `${edge.row.name} stands in an instruction that cannot be changed`, {
        expected: 'an instruction that can take its operand from another place',
        actual: `target ${edge.target.name ?? edge.target.atom?.name ?? 'unknown'}`,
        where: `${atom.object.name}: ${atom.name}+${hex(edge.offset)}`,
      });
    }
    const asideAt = size;
    if (reference.kind === 'access') size += reference.aside?.bytes.length ?? 0;
    return { bound, reference, asideAt };
  });
}

/** One function, with what it does aside behind it. */
function reachFrom(linked: LinkedAtom, machine: Machine, near: boolean): readonly LinkedAtom[] {
  const { atom } = linked;
  const leaving = lookAt(linked, machine, near);
  if (leaving.length === 0) return [linked];
  const asides = leaving.map(({ reference }) => (reference.kind === 'access' ? reference.aside : null));
  const asideBytes = Uint8Array.from(asides.flatMap((code) => [...(code?.bytes ?? [])]));
  const aside = asideOf(atom, asideBytes, machine.far.align);
  const bytes = linked.bytes.slice();
  const gone = new Set(leaving.map(({ bound }) => bound));
  const edges = linked.edges.filter((bound) => !gone.has(bound));
  const asideEdges: BoundEdge[] = [];
  for (const { bound, reference, asideAt } of leaving) {
    const { edge, binding } = bound;
    if (reference.kind === 'branch') {
      const { row, addend } = reference;
      edges.push({ edge: { ...edge, row, addend }, binding: behind(binding, reference.behind) });
      continue;
    }
    const { start, end } = reference;
    const word = behind(binding, reference.behind);
    const fieldsOf = ({ fields }: FarCode, at: number): BoundEdge[] =>
      fields.map(({ offset, to, row, addend }) => {
        const field = { offset: at + offset, row, addend };
        if (to === 'word') return { edge: { ...field, target: edge.target }, binding: word };
        const [into, place] = to === 'aside' ? [aside, asideAt] : [atom, end];
        return {
          edge: { ...field, target: targetIn(into, place) },
          binding: { kind: 'atom', atom: into, offset: place },
        };
      });
    bytes.set(reference.inPlace.bytes, start);
    edges.push(...fieldsOf(reference.inPlace, start));
    if (reference.aside !== null) asideEdges.push(...fieldsOf(reference.aside, asideAt));
  }
  const changed: LinkedAtom = { ...linked, bytes, edges };
  if (asideBytes.length === 0) return [changed];
  return [
    changed,
    { atom: aside, bytes: asideBytes, edges: asideEdges, frames: [], compactFrames: [], neededBy: atom },
  ];
}

/**
 * More than code and words take together, whatever will be made of them: each reference may need a stub and a word, each
 * section of memory what fills its last page.
 */
function mostBetween(atoms: readonly LinkedAtom[], machine: Machine): number {
  const perEdge = machine.stub.size + machine.stub.align + machine.pointerSize;
  let most = 2 * machine.pageSize;
  for (const { atom, edges, frames } of atoms) {
    most += perEdge * edges.length;
    if (atom.kind === 'code') most += atom.size + atom.align;
    for (const { frame } of frames) most += frame.bytes.length + frame.common.bytes.length + machine.pointerSize;
  }
  return most;
}

/**
 * The same atoms, their code without a distance to what is not among them.
 * @throws IpbpError IPBP2004 where an instruction cannot be changed
 */
export function reachAnywhere(atoms: readonly LinkedAtom[], machine: Machine): readonly LinkedAtom[] {
  const near = mostBetween(atoms, machine) < machine.far.near;
  return atoms.flatMap((linked) => (linked.atom.kind === 'code' ? reachFrom(linked, machine, near) : [linked]));
}
