// Which functions are in a module's first table when it begins.
import { constantOf } from './const-expr.js';
import type { ElementSegment } from './module.js';

/** Slots that functions have already, by function; the first table only. Those whose place is not a number are left out. */
export function knownSlots(segments: readonly ElementSegment[]): Map<number, number[]> {
  const slots = new Map<number, number[]>();
  for (const { place, items } of segments) {
    const start = place === null || place.index !== 0 ? null : constantOf(place.offset);
    if (start === null || items.kind !== 'functions') continue;
    items.functions.forEach((index, position) => {
      const list = slots.get(index);
      if (list === undefined) slots.set(index, [start + position]);
      else list.push(start + position);
    });
  }
  return slots;
}
