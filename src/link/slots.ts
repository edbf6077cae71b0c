// Pass: GOT slots and stubs. A slot is a word that holds an address (or a thread-local's offset); a stub is code that
// jumps through a slot, for targets that a branch cannot reach.
import { EXPRESSIONS } from '../reloc/fixup.js';
import type { Machine } from '../reloc/machine.js';
import { bindingKey, type Binding } from './binding.js';
import type { BoundEdge, LinkedAtom } from './close.js';
import type { Atom } from './graph.js';

/** What a slot holds: the address of its binding, or its offset from the thread pointer. */
export interface Slot {
  readonly holds: 'address' | 'thread-offset';
  readonly binding: Binding;
}

export interface Slots {
  readonly slots: readonly Slot[];
  /** Slot index of each stub. */
  readonly stubs: readonly number[];
  /** Index of the slot that an edge, or a compact frame's personality, goes through, if any. */
  slotOf(bound: BoundEdge): number | null;
  /** Index of the stub that an edge goes through, if any. */
  stubOf(bound: BoundEdge): number | null;
}

/** True when code cannot reach the target by a PC-relative field: it lies in another module. */
export function isFar(binding: Binding): boolean {
  return binding.kind === 'import' || (binding.kind === 'place' && binding.module !== 0);
}

function needsStub({ edge, binding }: BoundEdge, isBeyond: (binding: Binding) => boolean): boolean {
  if (!isBeyond(binding)) return false;
  if (EXPRESSIONS[edge.row.expression].term === 'L') return true;
  // Hand-written code calls by a plain PC-relative field; data cannot be reached that way.
  return edge.row.expression === 'S+A-P' && binding.kind === 'import' && !binding.data;
}

/**
 * Collects the slots and stubs that all edges need; equal targets share one.
 * @param isBeyond what no branch reaches
 */
export function makeSlots(
  atoms: readonly LinkedAtom[],
  idOf: (atom: Atom) => number,
  isBeyond: (binding: Binding) => boolean,
): Slots {
  const slots: Slot[] = [];
  const indices = new Map<string, number>();
  const stubs: number[] = [];
  const stubBySlot = new Map<number, number>();
  const slotOf = new Map<BoundEdge, number>();
  const stubOf = new Map<BoundEdge, number>();

  const slotFor = (holds: Slot['holds'], binding: Binding): number => {
    const key = `${holds} ${bindingKey(binding, idOf)}`;
    const known = indices.get(key);
    if (known !== undefined) return known;
    indices.set(key, slots.length);
    slots.push({ holds, binding });
    return slots.length - 1;
  };

  const visit = (bound: BoundEdge): void => {
    const { term } = EXPRESSIONS[bound.edge.row.expression];
    if (term === 'G') slotOf.set(bound, slotFor('address', bound.binding));
    else if (term === 'GTP') slotOf.set(bound, slotFor('thread-offset', bound.binding));
    else if (needsStub(bound, isBeyond)) {
      const slot = slotFor('address', bound.binding);
      let stub = stubBySlot.get(slot);
      if (stub === undefined) {
        stub = stubs.length;
        stubs.push(slot);
        stubBySlot.set(slot, stub);
      }
      stubOf.set(bound, stub);
    }
  };

  for (const linked of atoms) {
    linked.edges.forEach(visit);
    for (const frame of linked.frames) {
      frame.common.forEach(visit);
      frame.edges.forEach(visit);
    }
    // Tables of the system say where the address of a personality stands.
    for (const { personality } of linked.compactFrames) {
      if (personality !== null) slotOf.set(personality, slotFor('address', personality.binding));
    }
  }
  return {
    slots,
    stubs,
    slotOf: (bound) => slotOf.get(bound) ?? null,
    stubOf: (bound) => stubOf.get(bound) ?? null,
  };
}

/** Bytes of all stubs, given where they and the slots lie. */
export function encodeStubs(
  slots: Slots,
  machine: Machine,
  stubsAt: number,
  slotAddress: (slot: number) => number,
): Uint8Array {
  const { size } = machine.stub;
  const bytes = new Uint8Array(slots.stubs.length * size);
  slots.stubs.forEach((slot, i) => bytes.set(machine.stub.encode(stubsAt + i * size, slotAddress(slot)), i * size));
  return bytes;
}
