// Variables that an optimising compiler takes apart into their fields, or leaves whole, as it sees all their uses or not:
// `NAME.0` is a part of what was `NAME`. Where a part lies in the whole no object says, so the values cannot be carried over.
import { demangle } from '../../formats/symbols/demangle.js';
import type { Atom } from '../../link/graph.js';
import { storageOf } from '../diff/items.js';
import type { RefusedItem } from '../engine.js';
import { findItems, type Program } from '../program/program.js';

/** Parts are numbered by field, and only those that are used are left. */
const MOST_FIELDS = 16;

/** The variable that the program has in another form: whole instead of in parts, or in parts instead of whole. */
function otherForm(program: Program, name: string): string | null {
  const has = (one: string): boolean => findItems(program, one).some(({ kind }) => kind !== 'function');
  if (has(name)) return null;
  const whole = /^(.+)\.\d+$/.exec(name)?.[1];
  if (whole !== undefined) return has(whole) ? whole : null;
  return Array.from({ length: MOST_FIELDS }, (_, field) => `${name}.${field}`).some(has) ? name : null;
}

/** What of the atoms of a patch would begin anew for that reason, as refusals (IPBP3017). */
export function refuseSplitState(program: Program, atoms: readonly Atom[]): readonly RefusedItem[] {
  const refused = new Map<string, RefusedItem>();
  for (const atom of atoms) {
    const storage = storageOf(atom);
    if (storage !== 'mutable' && storage !== 'tls') continue;
    for (const { name, stable } of atom.symbols) {
      const variable = stable ? otherForm(program, name) : null;
      if (variable === null) continue;
      const message =
        'the compiler keeps its fields apart in one build and together in the other, so that its value cannot be carried over';
      const because = [`${demangle(name)} is in ${atom.object.name}`];
      refused.set(variable, { code: 'IPBP3017', name: demangle(variable), message, because });
    }
  }
  return [...refused.values()];
}
