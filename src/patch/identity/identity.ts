// Identity before names: says which items of the changed objects are which items of the running program, whatever the
// compiler calls them now, and opens the new objects under the names by which the program knows them. Nothing downstream
// sees another name. What is no known item any more gets a name, and so an address, of its own.
//
// Names are kept where they can: only an edit that touches what is numbered by position, or a signature, is looked at more
// closely. Everything is decided from the objects given; files are opened elsewhere.
import { IpbpError } from '../../codes/error.js';
import { demangle } from '../../formats/symbols/demangle.js';
import type { ObjectFile } from '../../formats/object-file.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { stableName } from '../../link/names.js';
import { NONE_DEPARTED, type Departed } from '../diff/departed.js';
import { diffObjects, type ObjectDiff } from '../diff/diff.js';
import type { RefusedItem } from '../engine.js';
import { typesOf } from '../guard/described.js';
import { AS_IT_IS, type PathOf } from '../guard/type-names.js';
import type { PatchImage } from '../image/image.js';
import { readEnvironments, sameEnvironment } from './environments.js';
import { freshName, NO_NAMES, renamer, type NameMap } from './name-map.js';
import {
  alignGroups,
  becameOf,
  numberedSide,
  withPaths,
  type NumberedSide,
  type Numbering,
  type Unlike,
} from './groups.js';
import { openForks } from './holders.js';
import { countsClosures, partsOf } from './numbered.js';
import { pairItems, type NewBecause, type Pairing } from './pair-items.js';
import { settledGroups } from './settled.js';
import { numberHashed, spellSide, type SpelledItem } from './spelling.js';
import { needsIdentity } from './suspects.js';

type Warning = PatchImage['warnings'][number];

export interface IdentityRequest {
  /** The changed objects as they were, opened under the names of then. */
  readonly before: readonly LinkObject[];
  /** The changed objects as they are. */
  readonly after: readonly ObjectFile[];
  /** The names of then. */
  readonly names: NameMap;
  /** Does the running program know an item by this name, or did it ever? */
  readonly isTaken: (identity: string) => boolean;
  /** The objects that did not change, as {@link diffObjects} asks for them. */
  readonly unchanged?: (names: NameMap) => readonly LinkObject[];
  /** What the program has and the objects of before do not. Without: nothing. */
  readonly departed?: Departed;
}

export interface Identified {
  /** The new objects under the names that are right for them. */
  readonly after: readonly LinkObject[];
  readonly diff: ObjectDiff;
  /** For everything that is compiled from the same sources as `after`. */
  readonly names: NameMap;
  /** Names that mean another item in unchanged objects, too: whoever refers to one of them must be linked again. */
  readonly moved: ReadonlySet<string>;
  /** New identities of what was forked, each with the reason. */
  readonly forked: ReadonlyMap<string, string>;
  /** How types are called now → how the side before calls them; see numbered.ts. */
  readonly pathOf: PathOf;
  readonly warnings: readonly Warning[];
  /** Forks that cannot be closed. */
  readonly refused: readonly RefusedItem[];
}

const NO_MOVES: ReadonlySet<string> = new Set();
const NO_FORKS: ReadonlyMap<string, string> = new Map();
/** Rounds of pulling pairs apart; each round is for what holds what was pulled apart in the last. */
const MOST_ROUNDS = 32;

/** @throws IpbpError IPBP1001, IPBP1002 or IPBP2001 where an object is broken, IPBP1003 where they are of two machines */
export function identify(request: IdentityRequest): Identified {
  const { before, names, departed = NONE_DEPARTED } = request;
  requireOneMachine([...before.map(({ file }) => file), ...request.after]);
  const after = request.after.map((file) => openLinkObject(file, renamer(names)));
  const diff = diffObjects(before, after, () => request.unchanged?.(names) ?? [], departed);
  const asBefore: Identified = {
    after,
    diff,
    names,
    moved: NO_MOVES,
    forked: NO_FORKS,
    pathOf: AS_IT_IS,
    warnings: [],
    refused: [],
  };
  if (!needsIdentity(diff, before, after)) return asBefore;
  const raw = reopen(after, names, NO_NAMES);
  const spelled = spellSide(before);
  const [oldItems, newItems] = numberHashed(spelled, spellSide(raw, spelled));
  const from = numberedSide(oldItems, readEnvironments(before));
  const to = numberedSide(newItems, readEnvironments(raw));
  const numbering = alignUntilStable(from, to, settledGroups(from, to, diff, names));
  const pairings = pairItems(from, to, numbering);
  const named = nameItems(pairings, numbering, { from, to, back: diff.back }, request);
  const pathOf: PathOf = (path) => numbering.rewrite(path).text;
  const refused = openForks(from, to, numbering, named.forkedNumbers);
  if (named.moved.size === 0) return { ...asBefore, pathOf, warnings: named.warnings, refused };
  const renamed = reopen(after, names, named.names);
  return {
    ...named,
    after: renamed,
    diff: diffObjects(before, renamed, () => request.unchanged?.(named.names) ?? [], departed),
    pathOf,
    refused,
  };
}

/** What cannot run in one program cannot be compared either: whoever opened it, a session or a command. */
function requireOneMachine(files: readonly ObjectFile[]): void {
  const [first] = files;
  for (const file of files) {
    if (first === undefined || (file.format === first.format && file.machine === first.machine)) continue;
    throw new IpbpError('IPBP1003', 'these objects are of different machines', {
      expected: `${first.format} ${first.machine}, as ${first.name}`,
      actual: `${file.format} ${file.machine}`,
      where: file.name,
    });
  }
}

/** The same files under other names. What speaks of nothing that is called otherwise is left open, with all read of it. */
function reopen(objects: readonly LinkObject[], before: NameMap, names: NameMap): readonly LinkObject[] {
  const rename = renamer(names);
  const moved = new Set<string>();
  for (const name of [...before.keys(), ...names.keys()]) if (before.get(name) !== names.get(name)) moved.add(name);
  if (moved.size === 0) return objects;
  return objects.map((object) => (speaksOf(object, moved) ? openLinkObject(object.file, rename) : object));
}

function speaksOf({ file }: LinkObject, names: ReadonlySet<string>): boolean {
  if (file.symbols.some(({ name }) => names.has(stableName(name)))) return true;
  const described = typesOf(file);
  if (described === null) return false;
  const { all, functions, statics } = described;
  return [all, functions, statics].some((list) => list.some(({ linkageName }) => names.has(stableName(linkageName))));
}

/** Aligns; pulls apart what holds other things now; again for what holds those. */
function alignUntilStable(before: NumberedSide, after: NumberedSide, settled: ReadonlySet<string>): Numbering {
  const unlike: Unlike[] = [];
  for (let round = 0; ; round++) {
    const numbering = withPaths(alignGroups(before, after, unlike, settled), before, after);
    const found = round < MOST_ROUNDS ? unlikePairs(before, after, numbering) : [];
    if (found.length === 0) return numbering;
    unlike.push(...found);
  }
}

function unlikePairs(before: NumberedSide, after: NumberedSide, numbering: Numbering): readonly Unlike[] {
  return [...numbering.byGroup].flatMap(([group, numbers]) => {
    if (!countsClosures(group)) return [];
    const outer = numbering.rewrite(group).text;
    return [...numbers].flatMap(([now, old]): Unlike[] => {
      if (old === null) return [];
      const oldMembers = before.groups.get(outer)?.get(old) ?? [];
      const newMembers = after.groups.get(group)?.get(now) ?? [];
      const same = sameEnvironment(
        before.environments.layoutsOf(oldMembers, outer, old),
        after.environments.layoutsOf(newMembers, group, now),
        numbering.rewrite,
      );
      return same && !newMembers.some((item) => hidesNew(item, numbering)) ? [] : [{ group, before: old, after: now }];
    });
  });
}

/**
 * Does only the debug information say that something has to do with what is new? A newer symbol name tells an `impl` block
 * by its type and trait, not by all of its parameters: those of an async function's handler include its coroutine.
 */
function hidesNew({ text, path }: SpelledItem, { rewrite }: Numbering): boolean {
  return path !== null && rewrite(path).fresh && !rewrite(text).fresh;
}

interface Named extends Pick<Identified, 'names' | 'moved' | 'forked' | 'warnings'> {
  /** Groups and numbers of the new side, written together, of what took the place of something old. */
  readonly forkedNumbers: ReadonlySet<string>;
}

function nameItems(
  pairings: readonly Pairing[],
  numbering: Numbering,
  sides: { readonly from: NumberedSide; readonly to: NumberedSide; readonly back: ReadonlySet<string> },
  request: IdentityRequest,
): Named {
  const { from: before, to: after, back } = sides;
  const names = new Map(request.names);
  const forked = new Map<string, string>();
  const warnings: Warning[] = [];
  const given = new Set<string>([...before.items.values()].map(({ identity }) => identity));
  for (const [raw, identity] of request.names) {
    given.add(raw);
    given.add(identity);
  }
  const isTaken = (name: string): boolean => given.has(name) || request.isTaken(name);
  const { forkedNumbers, became } = numbersInPlaceOfOld(numbering, before, after);
  for (const pairing of pairings) {
    const { raw } = pairing.item;
    const known = request.names.get(raw) ?? raw;
    switch (pairing.kind) {
      case 'unmoved':
        break;
      case 'same':
        names.set(raw, pairing.old.identity);
        break;
      case 'new': {
        // The very code that the program has under this name is no other item, wherever it was meanwhile.
        if (back.has(known)) break;
        // What the program never had under this name keeps it.
        const identity = isTaken(known) ? freshName(raw, isTaken) : known;
        given.add(identity);
        names.set(raw, identity);
        const reason = forkReason(pairing.why, pairing.item.text, became);
        if (reason !== null && pairing.item.storage === 'code') forked.set(identity, reason);
        warnings.push(...warningOf(pairing, startsAnew(pairing, numbering, before)));
        break;
      }
    }
  }
  for (const [raw, identity] of names) if (raw === identity) names.delete(raw);
  const moved = new Set<string>();
  for (const { item } of pairings) {
    const identity = names.get(item.raw) ?? item.raw;
    if (identity !== (request.names.get(item.raw) ?? item.raw)) moved.add(identity);
  }
  for (const name of numbering.ambiguous) {
    warnings.push({
      code: 'IPBP3030',
      message: `${name} may be one of several that were there before: it counts as new, and those keep their code`,
    });
  }
  return { names, moved, forked, warnings, forkedNumbers };
}

interface InPlaceOfOld {
  /** New closures and coroutines of a parent that lost some: they may have other captures, or hold other things. */
  readonly forkedNumbers: ReadonlySet<string>;
  /** Those of them that are what became of an old one, by their looks: the others are just new. */
  readonly became: ReadonlySet<string>;
}

function numbersInPlaceOfOld({ byGroup, rewrite }: Numbering, before: NumberedSide, after: NumberedSide): InPlaceOfOld {
  const forkedNumbers = new Set<string>();
  const became = new Set<string>();
  for (const [group, numbers] of byGroup) {
    const outer = rewrite(group).text;
    const old = before.groups.get(outer);
    if (old === undefined || !countsClosures(group)) continue;
    const kept = new Set(numbers.values());
    const lost = [...old.keys()].filter((number) => !kept.has(number));
    if (lost.length === 0) continue;
    for (const [number, other] of numbers) {
      if (other !== null) continue;
      forkedNumbers.add(`${group}${number}`);
      const now = { side: after, group, number };
      if (lost.some((one) => becameOf({ side: before, group: outer, number: one }, now)))
        became.add(`${group}${number}`);
    }
  }
  return { forkedNumbers, became };
}

function forkReason(why: NewBecause, text: string, forkedNumbers: ReadonlySet<string>): string | null {
  switch (why) {
    case 'number':
      return partsOf(text).some(({ group, number }) => forkedNumbers.has(`${group}${number}`))
        ? 'what its closure or coroutine holds lies in other places: values made before keep their code'
        : null;
    case 'signature':
      return 'it takes or gives other types: whoever was compiled before goes on calling the old one';
    case 'static type':
    case 'not found':
    case 'unclear':
      return null;
  }
}

/** Does what is new take the place of a static that is gone, as one does that has another type now? */
function startsAnew({ item, why }: NewPairing, { byGroup, rewrite }: Numbering, before: NumberedSide): boolean {
  if (item.storage !== 'mutable' && item.storage !== 'tls') return false;
  if (why === 'static type') return true;
  const last = partsOf(item.text).findLast(({ own }) => own);
  if (why !== 'number' || last === undefined || countsClosures(last.group)) return false;
  const kept = new Set(byGroup.get(last.group)?.values());
  const old = before.groups.get(rewrite(last.group).text) ?? new Map<number, readonly SpelledItem[]>();
  return [...old.keys()].some((number) => !kept.has(number));
}

type NewPairing = Extract<Pairing, { kind: 'new' }>;

function warningOf({ item, why }: NewPairing, anew: boolean): readonly Warning[] {
  const name = demangle(item.raw);
  if (anew) {
    return [{ code: 'IPBP3031', message: `${name} has another type now: it starts anew, with its initial value` }];
  }
  if (why === 'unclear') {
    return [{ code: 'IPBP3030', message: `${name} may be one of several instances: it counts as new` }];
  }
  return [];
}
