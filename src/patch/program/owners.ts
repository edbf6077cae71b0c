// Who owns an address of code: compilers and linkers give several functions one body when their code is equal. Says
// which names lead there now; what that means for a patch is for redirect/shared-bodies.ts.
import { firstNotBefore } from '../../bytes/search.js';
import type { ImageSymbol } from '../image/image.js';
import type { BaseProgram } from './base-program.js';
import { findItems, type Program } from './program.js';

/** The functions of the base that start at this address. */
function inBase(base: BaseProgram, address: number): readonly string[] {
  const all = base.functionsByAddress();
  const names: string[] = [];
  for (let i = firstNotBefore(all, (item) => item.address < address); all[i]?.address === address; i++)
    names.push(all[i]?.name ?? '');
  return names;
}

function inPatches(program: Program, address: number): readonly string[] {
  const starts = ({ kind, address: at }: ImageSymbol): boolean => kind === 'function' && at === address;
  return program.mapped.flatMap(({ image }) => image.symbols.filter(starts).map(({ name }) => name));
}

/** Patches lie below the base in memory, and behind it in a table. */
function isOfBase({ base }: Program, address: number): boolean {
  return base.tabled === undefined ? address >= base.start : address < base.tabled.tableSize;
}

/** The functions whose canonical place this is, each once: not those that a patch has given a place of their own. */
export function ownersOf(program: Program, address: number): readonly string[] {
  const names = isOfBase(program, address) ? inBase(program.base, address) : inPatches(program, address);
  return [...new Set(names)].filter((name) => findItems(program, name).some((item) => item.address === address));
}
