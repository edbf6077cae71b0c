// Where functions are called through a table, each call names what it takes and gives, and a function of another type in its
// slot is a trap. Refuses changed functions that keep their name, and with it their slot, over another type.
import type { RefusedItem } from '../engine.js';
import type { Program } from '../program/program.js';
import { stableName } from '../../link/names.js';
import type { ChangedFunction } from '../roots.js';

/** What keeps its slot and is of another type than the program's, as refusals (IPBP3018). */
export function refuseOtherSignatures({ base, mapped }: Program, functions: readonly ChangedFunction[]): RefusedItem[] {
  const { tabled } = base;
  if (tabled === undefined) return [];
  const known = new Map<string, string>();
  for (const { image } of mapped) {
    for (const { name, type } of image.code?.functions ?? []) known.set(name, image.code?.types[type] ?? '');
  }
  const changed = new Map(functions.map((one) => [one.name, one]));
  for (const { name, signature } of tabled.functions)
    if (changed.has(stableName(name))) known.set(stableName(name), signature);
  return [...changed.values()].flatMap(({ name, demangled, body, because }): RefusedItem[] => {
    const [before, after] = [known.get(name), body.symbol.signature];
    if (before === undefined || after == null || before === after) return [];
    const message = `it was ${before} and is ${after}`;
    return [{ code: 'IPBP3018', name: demangled, message, because }];
  });
}
