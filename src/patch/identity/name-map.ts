// Under which name the running program knows what a compiler calls by some name now. Only those that differ are in it.
import type { Rename } from '../../link/atoms.js';

/** Current name → identity: the name under which the item was first seen. */
export type NameMap = ReadonlyMap<string, string>;

/** All names are what they were when the program was built. */
export const NO_NAMES: NameMap = new Map();

/** Applies a map; what is not in it is called as it was. */
export function renamer(names: NameMap): Rename {
  return (name) => names.get(name) ?? name;
}

/** A name of its own for a new item whose name means something else in the program: the first that is free. */
export function freshName(raw: string, isTaken: (name: string) => boolean): string {
  for (let number = 1; ; number++) {
    const name = `${raw}.ipbp.${number}`;
    if (!isTaken(name)) return name;
  }
}
