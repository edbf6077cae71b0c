// Pass: what code says by index where functions lie in no memory. Numbers types and globals in the order of their first use,
// and gives every function that is called a way through its slot, so that a later patch reaches all callers: in the place
// of the call where that fits, else by a stub. What the host gives is
// imported, as nothing changes it. Imports are the first functions, then stubs, then the image's own.
import { IpbpError } from '../codes/error.js';
import { EXPRESSIONS } from '../reloc/fixup.js';
import type { Machine } from '../reloc/machine.js';
import type { Binding } from './binding.js';
import type { BoundEdge, LinkedAtom } from './close.js';
import type { Atom } from './graph.js';
import type { LinkedCode, TableStub } from './linked-image.js';
import type { Layout } from './place.js';

/** How the indexes of an image are counted. */
export interface Indexes extends Omit<LinkedCode, 'functions' | 'slotsEnd'> {
  /** The number that a field holds; null for one that is no index. */
  indexOf(bound: BoundEdge): number | null;
  /** Writes a call through the slot of what is called, where that fits; false where its field is to be filled. */
  callThroughSlot(bound: BoundEdge, bytes: Uint8Array, offset: number): boolean;
  typeOf(atom: Atom): number;
}

/** Where a function is called: its slot, and what it takes and gives. */
interface Called {
  readonly slot: number;
  readonly type: number;
}

/** Numbers all that `atoms` say by index. Throws IPBP2004 for what has none in an image. */
export function numberIndexes(atoms: readonly LinkedAtom[], layout: Layout, machine: Machine): Indexes {
  const types = new Map<string, number>();
  const globals = new Map<string, number>();
  const imports: { readonly name: string; readonly type: number }[] = [];
  const importByName = new Map<string, number>();
  const stubs: TableStub[] = [];
  const stubBySlot = new Map<string, number>();
  const calls = new Map<BoundEdge, Called>();
  const numberIn = (space: Map<string, number>, name: string): number => {
    const known = space.get(name);
    if (known !== undefined) return known;
    space.set(name, space.size);
    return space.size - 1;
  };
  const typeOf = (atom: Atom): number => {
    const signature = atom.symbols.find((symbol) => symbol.signature != null)?.signature;
    if (signature == null) throw unusable(atom, 'a function of no known type');
    return numberIn(types, signature);
  };

  for (const { atom, edges, bytes } of atoms) {
    if (atom.kind !== 'code') continue;
    typeOf(atom);
    for (const bound of edges) {
      const { binding, edge } = bound;
      const { term } = EXPRESSIONS[edge.row.expression];
      if (binding.kind === 'index') {
        if (binding.space === 'type') numberIn(types, binding.name);
        else if (binding.space === 'global') numberIn(globals, binding.name);
        else if (binding.space !== 'table') throw unusable(atom, `${binding.name}, a ${binding.space},`);
      } else if (term === 'function' && binding.kind === 'import' && edge.target.signature != null) {
        if (importByName.has(binding.name)) continue;
        importByName.set(binding.name, imports.length);
        imports.push({ name: binding.name, type: numberIn(types, edge.target.signature) });
      } else if (term === 'function') {
        const slot = slotOf(binding, layout);
        if (slot === null || edge.target.signature == null) throw unusable(atom, edge.target.name ?? 'a call');
        const called = { slot, type: numberIn(types, edge.target.signature) };
        calls.set(bound, called);
        if (
          machine.callThroughTable?.(bytes.slice(edge.offset - 1, edge.offset + 5), 1, called.slot, called.type) ===
          true
        )
          continue;
        const key = `${called.slot} ${called.type}`;
        if (stubBySlot.has(key)) continue;
        stubBySlot.set(key, stubs.length);
        stubs.push({ name: edge.target.name ?? '', ...called });
      }
    }
  }
  return {
    types: [...types.keys()],
    globals: [...globals.keys()],
    imports,
    stubs,
    typeOf,
    callThroughSlot(bound, bytes, offset) {
      const called = calls.get(bound);
      return called !== undefined && machine.callThroughTable?.(bytes, offset, called.slot, called.type) === true;
    },
    indexOf(bound) {
      const called = calls.get(bound);
      if (called !== undefined) {
        const stub = stubBySlot.get(`${called.slot} ${called.type}`);
        return stub === undefined ? null : imports.length + stub;
      }
      const { binding } = bound;
      if (binding.kind === 'import') return importByName.get(binding.name) ?? null;
      if (binding.kind !== 'index') return null;
      if (binding.space === 'table') return 0;
      return (binding.space === 'type' ? types : globals).get(binding.name) ?? null;
    },
  };
}

/** Nothing is in the slot 0: calling what nobody defines traps, as calling a null pointer does. */
function slotOf(binding: Binding, layout: Layout): number | null {
  if (binding.kind === 'atom') return binding.offset === 0 ? layout.addressOf(binding.atom) : null;
  if (binding.kind === 'place') return binding.module === 0 ? binding.address : null;
  return binding.kind === 'absolute' && binding.value === 0 ? 0 : null;
}

function unusable(atom: Atom, what: string): IpbpError {
  return new IpbpError('IPBP2004', `${what} cannot be used in a patch`, { where: `${atom.object.name}: ${atom.name}` });
}
