// A base that another tool changed after the rewrite, as wasm-bindgen does: functions have other indexes, new ones stand
// around them, and what the tool exports or calls by itself may lead past the slots. Leads that through the slots again;
// slots are where they were, as pointers are.
import { encodeModule } from './encode-sections.js';
import { factsOf, type WasmFacts } from './facts.js';
import type { Body, ModuleSection } from './module.js';
import { redirectCalls } from './redirect-calls.js';
import { sameWidth } from './rewrite-base.js';
import { entryBody } from './short-bodies.js';
import { knownSlots } from './table-slots.js';
import type { FunctionType } from './value-types.js';

/** New functions that jump through slots, each made when it is first asked for. */
class Entries {
  readonly bodies: Body[] = [];
  readonly types: number[] = [];
  private readonly known = new Map<number, number>();
  private readonly facts: WasmFacts;
  /** By function. */
  readonly slots: ReadonlyMap<number, number>;

  constructor(facts: WasmFacts, isPatchable: (slot: number) => boolean) {
    this.facts = facts;
    const all = [...knownSlots(facts.elementSegments())];
    this.slots = new Map(
      all.flatMap(([index, slots]) => {
        const slot = slots.find(isPatchable);
        return slot === undefined ? [] : [[index, slot] as const];
      }),
    );
  }

  target(index: number): { readonly slot: number; readonly type: number } | null {
    const slot = this.slots.get(index);
    return slot === undefined ? null : { slot, type: this.facts.functionTypes()[index] as number };
  }

  entryOf(index: number): number {
    const known = this.known.get(index);
    if (known !== undefined) return known;
    const { slot, type } = this.target(index) as { readonly slot: number; readonly type: number };
    const entry = this.facts.functionTypes().length + this.bodies.length;
    const bytes = entryBody(this.facts.types()[type] as FunctionType, type, slot);
    this.bodies.push({ bytes, start: 0, lengthWidth: 0 });
    this.types.push(type);
    this.known.set(index, entry);
    return entry;
  }
}

/** The module with all ways to functions in these slots leading through them; the same bytes where they do. */
export function finishBase(bytes: Uint8Array, name: string, isPatchable: (slot: number) => boolean): Uint8Array {
  const facts = factsOf(bytes, name);
  const entries = new Entries(facts, isPatchable);
  let changes = 0;
  const outside = (index: number): number => {
    if (!entries.slots.has(index)) return index;
    changes++;
    return entries.entryOf(index);
  };
  const bodies = facts.bodies().map((body) => {
    const changed = redirectCalls(
      body.bytes,
      (callee) => entries.target(callee),
      (callee) => entries.entryOf(callee),
    );
    if (changed === null || changed.bytes === body.bytes) return body;
    changes++;
    return { ...body, bytes: changed.bytes };
  });
  const sections = facts.sections().map((section): ModuleSection => {
    if (section.id === 'export') {
      const exports = section.exports.map((one) =>
        one.kind === 'function' ? { ...one, index: outside(one.index) } : one,
      );
      return { ...section, exports };
    }
    return section.id === 'start' ? { ...section, function: outside(section.function) } : section;
  });
  if (changes === 0) return bytes;
  const moved =
    bodies.some((body, at) => body.bytes.length !== facts.bodies()[at]?.bytes.length) ||
    !sameWidth(bodies.length, bodies.length + entries.bodies.length);
  return encodeModule(
    sections.flatMap((section): ModuleSection[] => {
      if (section.id === 'function') return [{ ...section, types: [...section.types, ...entries.types] }];
      if (section.id === 'code') return [{ ...section, bodies: [...bodies, ...entries.bodies] }];
      // Where code lies elsewhere now, addresses in debug information would be wrong ones.
      return moved && section.id === 'custom' && section.name.startsWith('.debug_') ? [] : [section];
    }),
  );
}
