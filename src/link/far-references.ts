// Pass: references from an image that may lie anywhere. What the image itself brings is at a known distance; all else,
// the program and earlier patches too, is reached through words that the process fills: branches through stubs, other
// code by instructions that take the address from a word (which ones is the machine's to know).
import { IpbpError, hex } from '../codes/error.js';
import type { FarCode, FarReference, Machine } from '../reloc/machine.js';
import type { Binding } from './binding.js';
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

function isByDistance({ edge: { row } }: BoundEdge): boolean {
  return row.expression === 'S+A-P' || row.expression === 'L+A-P';
}

/** Code without a name that stands behind a function. */
function asideOf({ object, section, kind, sectionName, name }: Atom, bytes: Uint8Array): Atom {
  const nothing = {
    symbols: [],
    edges: [],
    frames: [],
    compactFrames: [],
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
    align: 1,
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

/** What is known of references through words; throws where that is nothing. */
function farOf({ far }: Machine, { atom }: LinkedAtom): NonNullable<Machine['far']> {
  if (far !== null) return far;
  throw new IpbpError('IPBP1003', 'code of this machine cannot be made to reach what may lie anywhere yet', {
    where: `${atom.object.name}: ${atom.name}`,
  });
}

/** How each reference that leaves the image is made; throws for one that cannot be. */
function lookAt(linked: LinkedAtom, machine: Machine): readonly Leaving[] {
  const { atom, bytes } = linked;
  const bounds = linked.edges.filter((bound) => isByDistance(bound) && isOutside(bound.binding));
  const references = farOf(machine, linked).references(
    bytes,
    bounds.map(({ edge }) => edge.offset),
  );
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
function reachFrom(linked: LinkedAtom, machine: Machine): readonly LinkedAtom[] {
  const { atom } = linked;
  const leaving = lookAt(linked, machine);
  if (leaving.length === 0) return [linked];
  const far = farOf(machine, linked);
  const asides = leaving.map(({ reference }) => (reference.kind === 'access' ? reference.aside : null));
  const asideBytes = Uint8Array.from(asides.flatMap((code) => [...(code?.bytes ?? [])]));
  const aside = asideOf(atom, asideBytes);
  const bytes = linked.bytes.slice();
  const gone = new Set(leaving.map(({ bound }) => bound));
  const edges = linked.edges.filter((bound) => !gone.has(bound));
  const asideEdges: BoundEdge[] = [];
  for (const { bound, reference, asideAt } of leaving) {
    const { edge, binding } = bound;
    if (reference.kind === 'branch') {
      const target = behind(binding, edge.addend - far.addend);
      edges.push({ edge: { ...edge, row: far.branch, addend: far.addend }, binding: target });
      continue;
    }
    const { start, end } = reference;
    const word = behind(binding, edge.addend + end - edge.offset);
    const fieldsOf = ({ fields }: FarCode, at: number): BoundEdge[] =>
      fields.map(({ offset, to }) => {
        const field = { offset: at + offset, addend: far.addend };
        if (to === 'word') return { edge: { ...field, row: far.word, target: edge.target }, binding: word };
        const [into, place] = to === 'aside' ? [aside, asideAt] : [atom, end];
        const target = targetIn(into, place);
        return { edge: { ...field, row: far.code, target }, binding: { kind: 'atom', atom: into, offset: place } };
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
 * The same atoms, their code without a distance to what is not among them.
 * @throws IpbpError IPBP2004 where an instruction cannot be changed
 */
export function reachAnywhere(atoms: readonly LinkedAtom[], machine: Machine): readonly LinkedAtom[] {
  return atoms.flatMap((linked) => (linked.atom.kind === 'code' ? reachFrom(linked, machine) : [linked]));
}
