// Functions that a loader or linker would run at the start, in formats where objects only name them: nothing of a patch
// runs them, so code that counts on them is refused.
import { demangle } from '../../formats/symbols/demangle.js';
import type { LinkObject } from '../../link/graph.js';
import { stableName } from '../../link/names.js';
import type { RefusedItem } from '../engine.js';
import { findItems, type Program } from '../program/program.js';

/** Those that the program has not run, as refusals (IPBP3024). */
export function refuseConstructors(program: Program, objects: Iterable<LinkObject>): RefusedItem[] {
  const refused = new Map<string, RefusedItem>();
  for (const { file } of objects) {
    for (const name of file.initialisers ?? []) {
      if (findItems(program, stableName(name)).length > 0) continue;
      const message = 'is to run at the start, which has been';
      refused.set(name, { code: 'IPBP3024', name: demangle(name), message, because: [`${file.name} holds it`] });
    }
  }
  return [...refused.values()];
}
