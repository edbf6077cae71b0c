// Answers the link's questions (link/binding.ts) for a running program: what it holds, what the new objects, the other
// objects of its crates and the rlibs define, and what its libraries export. Files are opened when a name is not found
// before them, in the linker's order.
import { IpbpError } from '../../codes/error.js';
import type { Binding, Surroundings } from '../../link/binding.js';
import type { Atom, LinkObject } from '../../link/graph.js';
import { isUniqueName } from '../../link/names.js';
import type { ModuleIdentity } from '../image/image.js';
import { findItems, type LiveItem, type Program } from './program.js';

/**
 * Where definitions are looked up, in this order, one after the other. `spelling` is the name as its user has it: what
 * LLVM appends to it is the same within the crate that both come from.
 */
export type DefinitionSource = (
  name: string,
  spelling: string,
) => { readonly atom: Atom; readonly offset: number } | null;

/** Looks a name up in open objects. */
export function objectsSource(objects: readonly LinkObject[]): DefinitionSource {
  return (name) => {
    for (const object of objects) {
      const found = object.definition(name);
      if (found !== null && !found.symbol.local) return { atom: found.atom, offset: found.symbol.offset };
    }
    return null;
  };
}

function isInBase(program: Program, { name, address }: LiveItem): boolean {
  return program.base.items.get(name)?.some((item) => item.address === address) === true;
}

function bindItem(program: Program, item: LiveItem): Binding {
  if (item.kind === 'tls') {
    if (item.room) return { kind: 'tls-room', offset: item.address };
    const { tlsStart, file } = program.base;
    if (tlsStart === null || program.base.isPreempted(item.name))
      throw new IpbpError('IPBP3003', `${item.name} is a thread-local of a shared library`, { where: file.name });
    return { kind: 'tls', offset: tlsStart + item.address };
  }
  if (item.resolver === true) {
    return { kind: 'import', name: item.name, weak: false, data: false, resolver: item.address };
  }
  // As the loader has bound it: an executable may hold a copy of a library's data, or export a function of its own.
  if (program.base.isPreempted(item.name) && isInBase(program, item))
    return { kind: 'import', name: item.name, weak: false, data: item.kind !== 'function', resolver: null };
  return { kind: 'place', module: 0, address: item.address };
}

/**
 * Which of several copies `from` means. Copies of a mangled name are alike, so any serves, its own first. A plain name
 * that is local to `from` means the one from the same source file or none, in which case `from` brings its own; where the
 * program does not say what file any is from, the only one there is.
 * @throws IpbpError IPBP2006 when two mutable ones come from files of one name: the state would be a guess.
 */
function chooseCopy(
  { base }: Program,
  items: readonly LiveItem[],
  name: string,
  from: LinkObject,
  local: boolean,
): LiveItem | null {
  const same = base.namesSources
    ? items.filter((item) => item.source !== null && item.source === from.sourceName)
    : items;
  if (!local || isUniqueName(name)) return same[0] ?? items[0] ?? null;
  if (same.length > 1 && same.some((item) => item.kind === 'data' || item.kind === 'tls')) {
    throw new IpbpError('IPBP2006', `${name} may be any of ${same.length} statics of the running program`, {
      expected: 'one of this name from a source file of this name',
      actual: `${same.length} from ${from.sourceName ?? 'an unnamed file'}`,
      where: from.name,
    });
  }
  return same.length === 1 ? (same[0] ?? null) : null;
}

/** The files that a definition may come from. */
export interface DefinitionSources {
  /** The changed objects and the rlibs: asked before shared libraries. */
  readonly near: readonly DefinitionSource[];
  /** Unchanged objects: costly to open and seldom needed, so asked last. */
  readonly far: readonly DefinitionSource[];
}

function firstOf(sources: readonly DefinitionSource[], name: string, spelling: string): ReturnType<DefinitionSource> {
  for (const source of sources) {
    const found = source(name, spelling);
    if (found !== null) return found;
  }
  return null;
}

/** An item of another module; `address` in that module's space. */
export interface ForeignItem {
  readonly module: ModuleIdentity;
  readonly address: number;
}

/**
 * The surroundings of a link against `program`. `fresh` are the read-only items whose new copy is meant.
 * @param elsewhere what no file says of the other modules; `numberOf` gives their numbers in the image
 */
export function surroundingsOf(
  program: Program,
  fresh: ReadonlySet<string>,
  sources: DefinitionSources,
  elsewhere: (name: string) => ForeignItem | null,
  numberOf: (module: ModuleIdentity) => number,
): Surroundings {
  const definitions = new Map<string, { readonly atom: Atom; readonly offset: number } | null>();
  return {
    inProgram(name, from, local) {
      const item = chooseCopy(program, findItems(program, name), name, from, local);
      return item === null ? null : bindItem(program, item);
    },
    isFresh: (name) => fresh.has(name),
    definition(name, spelling) {
      const known = definitions.get(spelling);
      if (known !== undefined) return known;
      if (program.base.imports(name)) return null;
      const near = firstOf(sources.near, name, spelling);
      const found = near !== null || program.base.exported(name) !== null ? near : firstOf(sources.far, name, spelling);
      definitions.set(spelling, found);
      return found;
    },
    elsewhere(name) {
      const item = elsewhere(name);
      return item === null ? null : { kind: 'place', module: numberOf(item.module), address: item.address };
    },
    has(space, name) {
      const { tabled } = program.base;
      if (space === 'table') return tabled !== undefined;
      return space === 'global' && tabled?.globals.some((one) => one.name === name) === true;
    },
    imported(name) {
      const { base } = program;
      return base.exported(name) ?? (base.imports(name) || base.mayExport(name) ? { data: false } : null);
    },
  };
}
