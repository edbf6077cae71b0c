// Variables that code refers to by no name of theirs. Optimising compilers merge several into one and then know each by its
// place in that; which of them the program has, and where, cannot be told any more, so that a patch would start them anew.
import { demangle } from '../../formats/symbols/demangle.js';
import type { Atom } from '../../link/graph.js';
import { storageOf } from '../diff/items.js';
import type { RefusedItem } from '../engine.js';

function isUnnamedState(atom: Atom | null): boolean {
  return atom !== null && storageOf(atom) === 'mutable' && !atom.symbols.some(({ stable }) => stable);
}

/** What to say of each function among the atoms of a patch that uses such variables. */
export function refuseUnnamedState(atoms: readonly Atom[]): readonly RefusedItem[] {
  return atoms.flatMap((atom): RefusedItem[] => {
    const uses = atom.kind === 'code' && atom.edges.some(({ target }) => isUnnamedState(target.atom));
    if (!uses) return [];
    const message = 'it uses statics that the compiler merged, so that their values cannot be found in the program';
    return [{ code: 'IPBP3017', name: demangle(atom.name), message, because: [`compiled in ${atom.object.name}`] }];
  });
}
