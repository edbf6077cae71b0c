// From a diff to what a patch must contain: functions whose callers are to be redirected, read-only data whose new copy
// counts, and what is only reported. Decides nothing about addresses.
import { demangle } from '../formats/symbols/demangle.js';
import type { LinkObject } from '../link/graph.js';
import type { ObjectDiff } from './diff/diff.js';
import type { DiffItem } from './diff/items.js';
import type { AtomRef } from './diff/items.js';
import { findItems, type Program } from './program/program.js';
import { findReferrers } from './diff/referrers.js';

/** A function of the running program that gets a new body. */
export interface ChangedFunction {
  readonly name: string;
  readonly demangled: string;
  readonly body: AtomRef;
  readonly because: readonly string[];
  /**
   * Functions whose code was equal to its own, so that they have one body, and that do not change as it does. That body
   * stays as it is: this function gets a place of its own, and all that call it are in the patch. Mangled.
   */
  readonly apartFrom: readonly string[];
  /** Why nothing may lead from its entry to it, in words: it gets a place of its own, too. Null where something may. */
  readonly noJump: string | null;
  /** It takes or gives something else: also what would lead to it without a jump stays as it is. */
  readonly retyped: boolean;
}

/** Has it a place of its own in the patch, to which nothing but what is linked there leads? */
export function isApart({ apartFrom, noJump }: ChangedFunction): boolean {
  return apartFrom.length > 0 || noJump !== null;
}

export interface Roots {
  /** By name. */
  readonly functions: readonly ChangedFunction[];
  /** Names of read-only items whose new copy is meant. */
  readonly fresh: ReadonlySet<string>;
  /** Static data that exists and whose initial value changed. */
  readonly initialisers: readonly DiffItem[];
  /** Static data that exists and no longer fits its place. */
  readonly resized: readonly DiffItem[];
  /** Changed functions that the running program has no copy of: they were inlined into their callers or never linked. */
  readonly absent: readonly DiffItem[];
}

/** A function that the program has, with its new body. */
export function changedFunction(name: string, body: AtomRef, because: readonly string[]): ChangedFunction {
  return { name, demangled: demangle(name), body, because, apartFrom: [], noJump: null, retyped: false };
}

/**
 * Sorts the items of a diff by what has to happen. `others` are opened only when read-only data changed, when names in
 * them mean other items than before (`moved`), or when an object newly holds what the program has already: optimising
 * compilers give several objects a copy of one item. One that an unchanged object holds cannot have changed, or that
 * object would have.
 */
export function chooseRoots(
  program: Program,
  diff: ObjectDiff,
  others: () => readonly LinkObject[],
  moved: ReadonlySet<string>,
): Roots {
  const functions = new Map<string, ChangedFunction>();
  const fresh = new Set<string>();
  const initialisers: DiffItem[] = [];
  const resized: DiffItem[] = [];
  const absent: DiffItem[] = [];
  const heldElsewhere = (name: string): boolean => others().some((object) => object.definition(name) !== null);
  for (const item of diff.items) {
    const body = item.after[0];
    if (body === undefined) continue;
    const known = findItems(program, item.name).length > 0;
    switch (item.storage) {
      case 'code':
        if (known) {
          if (!(item.change === 'added' && heldElsewhere(item.name)))
            functions.set(item.name, changedFunction(item.name, body, item.because));
        } else if (item.change === 'body') absent.push(item);
        break;
      case 'readonly':
        if (known && !(item.change === 'added' && heldElsewhere(item.name))) fresh.add(item.name);
        break;
      case 'mutable':
      case 'tls':
        if (!known) break;
        if (item.rebind) resized.push(item);
        else if (item.change === 'initialiser') initialisers.push(item);
        break;
    }
  }
  // Functions of unchanged objects that read what is fresh need a new copy, too: theirs holds the old address.
  if (fresh.size > 0 || moved.size > 0) {
    for (const { item, via } of findReferrers(others(), [...fresh, ...moved])) {
      const { name } = item.symbol;
      if (functions.has(name) || findItems(program, name).length === 0) continue;
      if (item.atom.kind !== 'code') fresh.add(name);
      else {
        const because = [
          `refers to ${demangle(via)}, ${moved.has(via) ? 'which is another one now' : 'whose content changed'}`,
        ];
        functions.set(name, changedFunction(name, item, because));
      }
    }
  }
  return {
    functions: [...functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    fresh,
    initialisers,
    resized,
    absent,
  };
}
