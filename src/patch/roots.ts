// From a diff to what a patch must contain: functions whose callers are to be redirected, read-only data whose new copy
// counts, and what is only reported. Decides nothing about addresses.
import { demangle } from '../formats/symbols/demangle.js';
import type { LinkObject } from '../link/graph.js';
import type { DiffItem, ObjectDiff } from './diff/diff.js';
import type { AtomRef } from './diff/items.js';
import { findItems, type Program } from './program/program.js';
import { findReferrers } from './diff/referrers.js';

/** A function of the running program that gets a new body. */
export interface ChangedFunction {
  readonly name: string;
  readonly demangled: string;
  readonly body: AtomRef;
  readonly because: readonly string[];
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

/** Sorts the items of a diff by what has to happen. `others` are opened only when read-only data changed. */
export function chooseRoots(program: Program, diff: ObjectDiff, others: () => readonly LinkObject[]): Roots {
  const functions = new Map<string, ChangedFunction>();
  const fresh = new Set<string>();
  const initialisers: DiffItem[] = [];
  const resized: DiffItem[] = [];
  const absent: DiffItem[] = [];
  for (const item of diff.items) {
    const body = item.after[0];
    if (body === undefined) continue;
    const known = findItems(program, item.name).length > 0;
    switch (item.storage) {
      case 'code':
        if (known)
          functions.set(item.name, { name: item.name, demangled: item.demangled, body, because: item.because });
        else if (item.change === 'body') absent.push(item);
        break;
      case 'readonly':
        if (known) fresh.add(item.name);
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
  if (fresh.size > 0) {
    for (const { item, via } of findReferrers(others(), fresh)) {
      const { name } = item.symbol;
      if (functions.has(name) || findItems(program, name).length === 0) continue;
      if (item.atom.kind !== 'code') fresh.add(name);
      else {
        const because = [`refers to ${demangle(via)}, whose content changed`];
        functions.set(name, { name, demangled: demangle(name), body: item, because });
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
