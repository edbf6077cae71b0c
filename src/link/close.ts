// Pass: the closure. From the changed items on, every reference is bound; what the program lacks is pulled in and its
// references are bound in turn. All that cannot be found is collected before the pass gives up.
import { EXPRESSIONS } from '../reloc/fixup.js';
import type { Atom, CompactFrame, Edge, Frame, LinkObject, Target } from './graph.js';
import { bindTarget, isLocal, type Binding, type Surroundings } from './binding.js';
import { rewriteThreadLocals } from './thread-locals.js';

/** A reference whose target is known. */
export interface BoundEdge {
  readonly edge: Edge;
  readonly binding: Binding;
  /** What `edge.minus` is bound to, where there is one. */
  readonly minus?: Binding;
}

/** A frame record with its references bound. */
export interface BoundFrame {
  readonly frame: Frame;
  readonly common: readonly BoundEdge[];
  readonly edges: readonly BoundEdge[];
}

/** A row of a compact table with its references bound. */
export interface BoundCompactFrame {
  readonly frame: CompactFrame;
  readonly personality: BoundEdge | null;
  readonly lsda: BoundEdge | null;
}

/** An atom that will be part of the image. */
export interface LinkedAtom {
  readonly atom: Atom;
  readonly bytes: Uint8Array;
  readonly edges: readonly BoundEdge[];
  readonly frames: readonly BoundFrame[];
  readonly compactFrames: readonly BoundCompactFrame[];
  /** The atom that needed it first; null for roots. */
  readonly neededBy: Atom | null;
}

/** A reference that nobody defines. */
export interface Unresolved {
  readonly name: string;
  /** The atoms that lead to it, innermost first. */
  readonly chain: readonly string[];
}

export interface Closure {
  /** Roots first, then what they pulled in, in the order of discovery. */
  readonly atoms: readonly LinkedAtom[];
  /** Functions to run once when the image is live: what lists of constructors name and the program lacks. */
  readonly constructors: readonly { readonly atom: Atom; readonly offset: number }[];
  readonly unresolved: readonly Unresolved[];
}

/** The slot is the image's own, whatever it leads to. */
function isThroughSlot({ row }: Edge): boolean {
  return EXPRESSIONS[row.expression].term === 'G';
}

/**
 * How far the image may lie from the program: `near`, where every distance between them fits its field, or anywhere;
 * `fixed` where program and image have the same addresses in every process.
 */
export type Reach = 'near' | 'anywhere' | 'fixed';

/**
 * Collects all that `roots` need and the program does not have. Constructors of `objects`, and of every object that
 * something is pulled from, count as roots as far as the program lacks them: a linker would have kept them.
 */
export function closeOver(
  roots: readonly Atom[],
  objects: readonly LinkObject[],
  outside: Surroundings,
  reach: Reach,
): Closure {
  const linked: LinkedAtom[] = [];
  const seen = new Set<Atom>();
  const parents = new Map<Atom, Atom | null>();
  const byName = new Map<string, Atom>();
  const unresolved = new Map<string, Unresolved>();
  const queue: Atom[] = [];
  const opened = new Set<LinkObject>();
  const constructors: { readonly atom: Atom; readonly offset: number }[] = [];

  const push = (atom: Atom, parent: Atom | null): void => {
    if (seen.has(atom)) return;
    seen.add(atom);
    parents.set(atom, parent);
    queue.push(atom);
    open(atom.object);
    for (const symbol of atom.symbols) {
      if (symbol.stable && !symbol.local && !byName.has(symbol.name)) byName.set(symbol.name, atom);
    }
  };

  const open = (object: LinkObject): void => {
    if (opened.has(object)) return;
    opened.add(object);
    for (const section of object.file.sections) {
      const list = section.kind === 'init' ? object.atom(section.index) : null;
      for (const { target } of list?.edges ?? []) {
        const binding = bindTarget(target, object, outside);
        if (binding?.kind !== 'atom' || constructors.some((known) => known.atom === binding.atom)) continue;
        constructors.push({ atom: binding.atom, offset: binding.offset });
        push(binding.atom, list);
      }
    }
  };

  const chainOf = (atom: Atom): string[] => {
    const chain: string[] = [];
    for (let at: Atom | null | undefined = atom; at != null && chain.length < 32; at = parents.get(at))
      chain.push(at.name);
    return chain;
  };

  const bindTo = (atom: Atom, edge: Edge, target: Target, ownCopy: boolean): Binding | null => {
    let binding: Binding | null =
      ownCopy && target.atom !== null
        ? { kind: 'atom', atom: target.atom, offset: target.offset }
        : bindTarget(target, atom.object, outside);
    if (binding === null) {
      const name = target.name ?? `${atom.name}+0x${edge.offset.toString(16)}`;
      if (!unresolved.has(name)) unresolved.set(name, { name, chain: chainOf(atom) });
      return null;
    }
    if (binding.kind === 'atom') {
      // The same global item may come from several objects (inline functions, COMDAT): the first one stands for all.
      const twin = target.name === null || target.label || ownCopy ? undefined : byName.get(target.name);
      if (twin !== undefined && !isLocal(target) && twin !== binding.atom) {
        const symbol = twin.symbols.find((candidate) => candidate.name === target.name);
        binding = { kind: 'atom', atom: twin, offset: symbol?.offset ?? 0 };
      }
      push(binding.atom, atom);
    }
    return binding;
  };

  const bind = (atom: Atom, edge: Edge, ownCopy: boolean): BoundEdge | null => {
    const binding = bindTo(atom, edge, edge.target, ownCopy);
    if (binding === null || edge.minus === undefined) return binding === null ? null : { edge, binding };
    const minus = bindTo(atom, edge, edge.minus, ownCopy);
    return minus === null ? null : { edge, binding, minus };
  };

  const bindAll = (atom: Atom, edges: readonly Edge[], ownCopy: (edge: Edge) => boolean): BoundEdge[] => {
    const bound: BoundEdge[] = [];
    for (const edge of edges) {
      const result = bind(atom, edge, ownCopy(edge));
      if (result !== null) bound.push(result);
    }
    return bound;
  };

  // Unwind tables count distances, to words that hold addresses: an image that lies anywhere has such words of its own.
  const bringsWord = reach === 'anywhere';
  for (const root of roots) push(root, null);
  objects.forEach(open);
  for (let next = 0; next < queue.length; next++) {
    const atom = queue[next] as Atom;
    const { bytes, edges } = rewriteThreadLocals(atom);
    linked.push({
      atom,
      bytes,
      edges: bindAll(
        atom,
        edges,
        (edge) => edge.row.expression !== 'none' && (edge.target.label || (atom.kind === 'lsda' && bringsWord)),
      ),
      // A frame describes this copy of the code and no other, whatever the name is bound to elsewhere.
      frames: atom.frames.map((frame) => ({
        frame,
        common: bindAll(atom, frame.common.edges, (edge) => bringsWord && !isThroughSlot(edge)),
        edges: bindAll(atom, frame.edges, () => true),
      })),
      compactFrames: atom.compactFrames.map((frame) => ({
        frame,
        personality: frame.personality === null ? null : bind(atom, frame.personality, false),
        lsda: frame.lsda === null ? null : bind(atom, frame.lsda, true),
      })),
      neededBy: parents.get(atom) ?? null,
    });
  }
  return { atoms: linked, constructors, unresolved: [...unresolved.values()] };
}
