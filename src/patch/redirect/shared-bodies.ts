// Functions whose old entry must not lead to their new body: those that share one body in the program (the compiler or
// the linker merged them, as their code was equal) and of which an edit changes only some, as the others would change
// with it; and those at whose entry no jump may stand, or which take or give something else than before. The one that changes gets a place of its own, and every function
// that calls it is put in the patch, as relocations name whom each caller means. Where the address may have been kept
// (tables of methods, function pointers), who holds it cannot be told from the others' holders: that is refused.
import { demangle } from '../../formats/symbols/demangle.js';
import type { Atom, AtomSymbol, Edge, LinkObject } from '../../link/graph.js';
import { isUniqueName, stableName } from '../../link/names.js';
import { edgesIn, isItem, itemAt, openSide, rangeOf, storageOf, type AtomRef, type Range } from '../diff/items.js';
import { compareSides, type Comparison } from '../diff/same.js';
import type { RefusedItem } from '../engine.js';
import { ownersOf } from '../program/owners.js';
import { findItems, type Program } from '../program/program.js';
import { changedFunction, type ChangedFunction, type Roots } from '../roots.js';

/** All objects of the program's own crates, and what is known of those they were before. */
export interface OwnObjects {
  /** Those that changed, as they were and as they are. */
  readonly before: readonly LinkObject[];
  readonly after: readonly LinkObject[];
  /** Those that did not; opened when first asked for. */
  others(): readonly LinkObject[];
  /** Names whose address code took that is live no more: pointers live longer. Without: none. */
  readonly taken?: ReadonlySet<string>;
}

/**
 * Gives every changed function whose body goes on serving others, or whose entry must not lead to it, a place of its own,
 * with all its callers as further roots; those may share bodies in turn. `refused` is not empty where that cannot be
 * closed (IPBP3012, IPBP3001, IPBP3018).
 * @param noJump what is to be said of those whose entry must not lead to them where it cannot be closed, by mangled name
 */
export function partSharedBodies(
  program: Program,
  roots: Roots,
  objects: OwnObjects,
  noJump: ReadonlyMap<string, RefusedItem>,
): { readonly roots: Roots; readonly refused: readonly RefusedItem[] } {
  const functions = new Map(roots.functions.map((changed) => [changed.name, changed]));
  const fresh = new Set(roots.fresh);
  const refused: RefusedItem[] = [];
  const waiting = [...functions.keys()];
  let comparison: Comparison | null = null;
  const becomesSame = (other: ChangedFunction | undefined, { body }: ChangedFunction): boolean => {
    if (other === undefined) return false;
    if (comparison === null) {
      const now = openSide(objects.after);
      comparison = compareSides(now, now);
    }
    return comparison.sameItem(other.body, body);
  };
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const changed = functions.get(name);
    if (changed === undefined) continue;
    const owners = findItems(program, name).flatMap((copy) => ownersOf(program, copy.address));
    const sharers = owners.filter((owner) => owner !== name && !becomesSame(functions.get(owner), changed));
    const entry = noJump.get(name);
    if (sharers.length === 0 && entry === undefined) continue;
    const retyped = entry?.code === 'IPBP3018';
    const apart = { ...changed, apartFrom: [...new Set(sharers)].sort(), noJump: entry?.message ?? null, retyped };
    const obstacle = whyNotApart(name, objects);
    if (obstacle !== null && entry !== undefined) {
      const because = [...entry.because, ...changed.because, `its callers cannot be linked anew: ${obstacle}`];
      refused.push({ ...entry, because });
      continue;
    }
    if (obstacle !== null) {
      refused.push({
        code: 'IPBP3012',
        name: apart.demangled,
        message: `its body also serves ${spoken(apart.apartFrom)}`,
        because: [obstacle],
      });
      continue;
    }
    functions.set(name, apart);
    fresh.add(name);
    for (const caller of callersOf(name, [...objects.after, ...objects.others()])) {
      const called = caller.symbol.name;
      if (functions.has(called) || findItems(program, called).length === 0) continue;
      const because = [
        apart.apartFrom.length > 0
          ? `calls ${apart.demangled}, which no longer shares its body with ${spoken(apart.apartFrom)}`
          : `calls ${apart.demangled}, ${retyped ? 'which takes or gives something else now' : 'whose entry takes no jump'}`,
      ];
      functions.set(called, changedFunction(called, caller, because));
      waiting.push(called);
    }
  }
  const sorted = [...functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { roots: { ...roots, functions: sorted, fresh }, refused };
}

/** Demangled, in one text. */
export function spoken(names: readonly string[]): string {
  return names.map((name) => demangle(name)).join(', ');
}

/** Why not all that leads to a function can be led elsewhere, in words; null when it can. */
function whyNotApart(name: string, { before, after, others, taken }: OwnObjects): string | null {
  if (!isUniqueName(name)) return 'it is known by a plain name: who else uses it cannot be told';
  const holder = others().find((object) => object.definition(name) !== null);
  if (holder !== undefined) return `${holder.name} holds another copy of it`;
  const kept = (objects: readonly LinkObject[], known: string): string | null => {
    for (const { atom, edge } of references(objects, known)) {
      const call = atom.kind === 'code' && atom.object.machine.calls(atom.bytes, edge.offset);
      if (!call) return `its address is kept: ${holderText(atom, edge)}`;
      if (itemAt(atom, edge.offset) === null) return `code without a name in ${atom.object.name} calls it`;
    }
    return null;
  };
  // In the object where a compiler merged them, references to one may say the other.
  const merged = before.flatMap((object) => {
    const aliases = aliasesOf(object, name);
    return aliases.map((alias) => kept([object], alias)).filter((reason) => reason !== null);
  });
  // What takes its address only now would give its new place, which an undo does not take back.
  const now = merged[0] ?? kept([...before, ...others(), ...after], name);
  return now ?? (taken?.has(name) === true ? 'its address was kept by code that is live no more' : null);
}

/** The names whose address these items keep, or read from a table: pointers to them may be anywhere from then on. */
export function addressesTaken(items: Iterable<AtomRef>): ReadonlySet<string> {
  const found = new Set<string>();
  const seen = new Set<Atom>();
  const look = (range: Range): void => {
    const { atom } = range;
    for (const { target, offset } of edgesIn(range)) {
      if (isItem(target) && target.name !== null) {
        if (atom.kind !== 'code' || !atom.object.machine.calls(atom.bytes, offset)) found.add(target.name);
      } else if (target.atom !== null && !target.label && !seen.has(target.atom)) {
        seen.add(target.atom);
        look({ atom: target.atom, start: 0, end: target.atom.size });
      }
    }
  };
  for (const item of items) look(rangeOf(item));
  return found;
}

/** Other names that an object gives the very code of `name`. */
function aliasesOf(object: LinkObject, name: string): readonly string[] {
  const found = object.definition(name);
  if (found === null) return [];
  return functionsAt(found.atom, found.symbol.offset).flatMap((symbol) => (symbol.name === name ? [] : [symbol.name]));
}

function functionsAt(atom: Atom, offset: number): readonly AtomSymbol[] {
  return atom.symbols.filter((symbol) => symbol.stable && symbol.offset === offset);
}

function holderText(atom: Atom, edge: Edge): string {
  const item = itemAt(atom, edge.offset);
  const named = item === null ? `a table in ${atom.object.name}` : demangle(item.name);
  return atom.kind === 'code' ? `${named} takes it` : `${named} holds it`;
}

/** Functions that refer to `name`, itself not among them. One that several objects hold comes once. */
function callersOf(name: string, objects: readonly LinkObject[]): readonly AtomRef[] {
  const callers = new Map<string, AtomRef>();
  for (const { atom, edge } of references(objects, name)) {
    const caller = storageOf(atom) === 'code' ? itemAt(atom, edge.offset) : null;
    // It may be merged itself: then all its names call.
    for (const symbol of caller === null ? [] : functionsAt(atom, caller.offset)) {
      if (symbol.name !== name && !callers.has(symbol.name)) callers.set(symbol.name, { atom, symbol });
    }
  }
  return [...callers.values()].sort((a, b) => (a.symbol.name < b.symbol.name ? -1 : 1));
}

/** Every place that refers to a function by its name. */
function* references(
  objects: readonly LinkObject[],
  name: string,
): Generator<{ readonly atom: Atom; readonly edge: Edge }> {
  for (const object of objects) {
    // Nearly every object does not mention it, at the cost of its symbol table.
    if (!object.file.symbols.some((symbol) => stableName(symbol.name) === name)) continue;
    for (const atom of object.atoms()) {
      for (const edge of atom.edges) if (isItem(edge.target) && edge.target.name === name) yield { atom, edge };
    }
  }
}
