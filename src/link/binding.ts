// What a reference is bound to, and the questions the passes ask the outside to find out. The linker does not run where
// the code runs: what is already in memory is known by the caller (patch/program/program.ts), as in JITLink.
import type { IndexSpace } from '../reloc/fixup.js';
import type { Atom, LinkObject, Target } from './graph.js';

/** The answer for one target. Addresses are of module 0's space unless a module is named. */
export type Binding =
  /** An item of this link: `offset` bytes into the atom. */
  | { readonly kind: 'atom'; readonly atom: Atom; readonly offset: number }
  /** Something in memory already, in the running program (module 0, where earlier patches lie too) or a library. */
  | { readonly kind: 'place'; readonly module: number; readonly address: number }
  /** A thread-local of the running program: `offset` from the thread pointer, the same in every process. */
  | { readonly kind: 'tls'; readonly offset: number }
  /** A thread-local of an earlier patch: `offset` in the room that the agent reserves. */
  | { readonly kind: 'tls-room'; readonly offset: number }
  /**
   * A symbol that only the process itself can resolve; `resolver`: the place of its function that does, in module 0;
   * `addend`: bytes behind it, where that is given.
   */
  | {
      readonly kind: 'import';
      readonly name: string;
      readonly weak: boolean;
      readonly data: boolean;
      readonly resolver: number | null;
      readonly addend?: number;
    }
  /** What lies in no memory and has no address: known by name in a space of its own. */
  | { readonly kind: 'index'; readonly space: IndexSpace; readonly name: string }
  /** A plain number; 0 for a weak symbol that nobody defines. */
  | { readonly kind: 'absolute'; readonly value: number };

/** What the link asks of its surroundings. */
export interface Surroundings {
  /**
   * The canonical place of a name in the running program, or null. `from` tells equal local names apart; `local` when the
   * name is only known inside of `from`.
   */
  inProgram(name: string, from: LinkObject, local: boolean): Binding | null;
  /** True when the new copy is meant although the program has one: read-only data whose content changed. */
  isFresh(name: string): boolean;
  /** The object, or archive's member, that defines a global name, spelled as its user has it; null when none does. */
  definition(name: string, spelling: string): { readonly atom: Atom; readonly offset: number } | null;
  /** What a patch brought into another module that is patched, or brings with this one; null for all else. */
  elsewhere(name: string): Binding | null;
  /** Whether the program has this in a space of indexes. Without: it has none. */
  has?(space: IndexSpace, name: string): boolean;
  /** A symbol that a shared library exports, or null. */
  imported(name: string): { readonly data: boolean } | null;
}

/**
 * Binds one target, in the order of DESIGN 3: a label or anonymous item means its own copy; a name means the place it
 * was first seen at; only what the program lacks comes from the same object, other objects, archives, libraries, and at
 * last from what no file of a library tells of.
 * Null when nobody defines it.
 */
export function bindTarget(target: Target, from: LinkObject, outside: Surroundings): Binding | null {
  const space = spaceOf(target.kind);
  if (space !== null) return indexOf(space, target, outside);
  if (target.absolute !== null) return { kind: 'absolute', value: target.absolute };
  const own: Binding | null = target.atom === null ? null : { kind: 'atom', atom: target.atom, offset: target.offset };
  const name = target.name;
  if (name === null || target.label) return own;
  if (!outside.isFresh(name)) {
    const place = outside.inProgram(name, from, isLocal(target));
    if (place !== null) return place;
  }
  if (own !== null) return own;
  const elsewhere = outside.definition(name, target.spelling ?? name);
  if (elsewhere !== null) return { kind: 'atom', atom: elsewhere.atom, offset: elsewhere.offset };
  const imported = outside.imported(name);
  if (imported !== null) return { kind: 'import', name, weak: target.weak, data: imported.data, resolver: null };
  return target.weak ? { kind: 'absolute', value: 0 } : outside.elsewhere(name);
}

function spaceOf(kind: Target['kind']): IndexSpace | null {
  switch (kind) {
    case 'global':
    case 'table':
    case 'type':
    case 'tag':
      return kind;
    default:
      return null;
  }
}

/** Types are what they are called; all else is the program's. */
function indexOf(space: IndexSpace, { name }: Target, outside: Surroundings): Binding | null {
  if (name === null) return null;
  return space === 'type' || outside.has?.(space, name) === true ? { kind: 'index', space, name } : null;
}

/** True when other objects cannot mean this item by its name. */
export function isLocal(target: Target): boolean {
  return target.atom?.symbols.find((symbol) => symbol.name === target.name)?.local === true;
}

/** A text that is equal for equal bindings, to share slots and stubs. `idOf` numbers atoms. */
export function bindingKey(binding: Binding, idOf: (atom: Atom) => number): string {
  switch (binding.kind) {
    case 'atom':
      return `a${idOf(binding.atom)}+${binding.offset}`;
    case 'place':
      return `p${binding.module}:${binding.address}`;
    case 'tls':
      return `t${binding.offset}`;
    case 'tls-room':
      return `r${binding.offset}`;
    case 'import':
      return `i${binding.weak ? 'w' : ''}${binding.name}+${binding.addend ?? 0}`;
    case 'index':
      return `${binding.space} ${binding.name}`;
    case 'absolute':
      return `=${binding.value}`;
  }
}
