// Where functions are called through a table, each call names what it takes and gives, and a function of another type in its
// slot is a trap. Finds changed functions that keep their name over another type: optimising compilers drop parameters
// that no caller needs, and give them back. Such a one must not be put into the slot of the one before.
import type { RefusedItem } from '../engine.js';
import { findItems, type Program } from '../program/program.js';
import type { TabledFacts } from '../program/tabled-facts.js';
import type { ChangedFunction } from '../roots.js';

/** By slot. A program has tens of thousands of functions, a patch few. */
const signatures = new WeakMap<TabledFacts, ReadonlyMap<number, string>>();

function signaturesOf(facts: TabledFacts): ReadonlyMap<number, string> {
  const known = signatures.get(facts) ?? new Map(facts.functions.map(({ slot, signature }) => [slot, signature]));
  signatures.set(facts, known);
  return known;
}

/**
 * What is of another type than a copy of it in the program, by mangled name; with what is to be said (IPBP3018) where its
 * callers cannot all be linked anew.
 */
export function otherSignatures(
  program: Program,
  functions: readonly ChangedFunction[],
): ReadonlyMap<string, RefusedItem> {
  const { tabled } = program.base;
  if (tabled === undefined) return new Map();
  const brought = new Map<number, string>();
  for (const { image } of program.mapped) {
    for (const { slot, type } of image.code?.functions ?? []) brought.set(slot, image.code?.types[type] ?? '');
  }
  const linked = signaturesOf(tabled);
  const found = new Map<string, RefusedItem>();
  for (const { name, demangled, body, because } of functions) {
    const after = body.symbol.signature;
    const before = findItems(program, name).map(({ address }) => brought.get(address) ?? linked.get(address));
    const other = before.find((signature) => signature !== undefined && signature !== after);
    if (other === undefined || after == null) continue;
    found.set(name, { code: 'IPBP3018', name: demangled, message: `it was ${other} and is ${after}`, because });
  }
  return found;
}
