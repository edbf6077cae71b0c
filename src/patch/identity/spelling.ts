// How the items of one set of objects are called, in words that can be compared with another set's: with the numbers that
// position gave them, with generic arguments, and with what they take and give. Newer symbol names say most of it
// themselves; of older ones, which end in a hash, the debug information tells the rest. Pairs nothing.
import { firstNotBefore } from '../../bytes/search.js';
import { demangle, spellV0 } from '../../formats/symbols/demangle.js';
import type { LinkObject } from '../../link/graph.js';
import { stableName } from '../../link/names.js';
import { edgesIn, openSide, rangeOf, storageOf, type AtomRef, type Storage } from '../diff/items.js';
import { typesOf } from '../guard/described.js';
import { typeNames } from '../guard/type-names.js';
import { HALVES } from './numbered.js';

/** One item of one side. */
export interface SpelledItem {
  /** As the compiler called it on this side. */
  readonly raw: string;
  /** As the program knows it; on the new side not yet decided, and the same as `raw`. */
  readonly identity: string;
  /** Equal texts, equal items, up to numbers given by position. */
  readonly text: string;
  /** How debug information calls a function; null where it says nothing. */
  readonly path: string | null;
  /** Types of parameters and result, or of a static; null where nothing is said. */
  readonly type: string | null;
  readonly storage: Storage;
  readonly copies: readonly AtomRef[];
}

/** The items of one side by raw name. */
export type SpelledSide = ReadonlyMap<string, SpelledItem>;

/** What debug information says of functions and statics. */
interface Described {
  readonly paths: Map<string, string>;
  readonly types: Map<string, string>;
}

/**
 * @param other the other side, spelled before: most names are on both, and are spelled once
 * @throws IpbpError IPBP1001 or IPBP1002 where debug information is broken
 */
export function spellSide(objects: readonly LinkObject[], other?: SpelledSide): SpelledSide {
  const described = describe(objects);
  const result = new Map<string, SpelledItem>();
  for (const [identity, copies] of openSide(objects).items) {
    for (const copy of copies) {
      const raw = stableName(copy.symbol.rawName);
      const storage = storageOf(copy.atom);
      const known = result.get(raw);
      if (storage === null) continue;
      if (known !== undefined) result.set(raw, { ...known, copies: [...known.copies, copy] });
      else {
        const path = described.paths.get(raw) ?? null;
        const type = described.types.get(raw) ?? null;
        const twin = other?.get(raw);
        const text = twin !== undefined && twin.path === path ? twin.text : textOf(raw, path);
        result.set(raw, { raw, identity, text, path, type, storage, copies: [copy] });
      }
    }
  }
  return result;
}

/** Names that end in a hash hide what two of one readable name differ in. */
export function isHashed(raw: string): boolean {
  return raw.startsWith('_ZN');
}

function textOf(raw: string, path: string | null): string {
  const v0 = spellV0(raw);
  if (v0 !== null) return v0;
  const plain = demangle(raw);
  return isHashed(raw) && path !== null ? `${plain}${HALVES}${path}` : plain;
}

function describe(objects: readonly LinkObject[]): Described {
  const paths = new Map<string, string>();
  const types = new Map<string, string>();
  for (const object of objects) {
    const table = typesOf(object.file);
    if (table === null) continue;
    const { nameOf } = typeNames(table, object.name);
    for (const { linkageName, path, returns, parameters } of table.all) {
      if (paths.has(linkageName)) continue;
      paths.set(linkageName, path);
      // Without descriptions of types functions seem to take and give nothing.
      if (table.types.size === 0) continue;
      types.set(linkageName, `(${parameters.map(nameOf).join(', ')}) -> ${nameOf(returns)}`);
    }
    for (const { linkageName, type } of table.statics) types.set(linkageName, nameOf(type));
  }
  return { paths, types };
}

/**
 * Numbers the items that share a readable name and differ in a hash only, where both sides know them by place: what lies
 * inside of functions. The order is that in which their parent mentions them. What is generic shares its name as well, but
 * has no order: that stays as it is.
 */
export function numberHashed(before: SpelledSide, after: SpelledSide): readonly [SpelledSide, SpelledSide] {
  const shared = new Set([...sharedTexts(before), ...sharedTexts(after)]);
  const counted = (item: SpelledItem): boolean =>
    isHashed(item.raw) &&
    !item.text.includes(HALVES) &&
    (item.storage !== 'code' || item.text.endsWith(HASHED_CLOSURE)) &&
    (shared.has(item.text) || item.text.endsWith(HASHED_CLOSURE));
  const numbered = (side: SpelledSide, other: SpelledSide): SpelledSide => {
    const families = familiesOf(side, counted);
    if (families.size === 0) return side;
    const others = familiesOf(other, counted);
    const result = new Map(side);
    for (const [text, members] of families) {
      const elsewhere = placesOf(other, text, others.get(text) ?? []);
      inOrder(members, placesOf(side, text, members), elsewhere).forEach((item, place) => {
        result.set(item.raw, { ...item, text: `${text}#${place}` });
      });
    }
    return result;
  };
  return [numbered(before, after), numbered(after, before)];
}

function familiesOf(side: SpelledSide, counted: (item: SpelledItem) => boolean): Map<string, SpelledItem[]> {
  const families = new Map<string, SpelledItem[]>();
  for (const item of side.values()) {
    if (!counted(item)) continue;
    const members = families.get(item.text);
    if (members === undefined) families.set(item.text, [item]);
    else members.push(item);
  }
  return families;
}

/** How the readable form of a hashed name ends for every closure of a function. */
const HASHED_CLOSURE = '{{closure}}';

function sharedTexts(side: SpelledSide): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { text } of side.values()) {
    if (seen.has(text)) shared.add(text);
    seen.add(text);
  }
  return shared;
}

/** Where the functions around a family mention its members, by raw name: from 0, in order of the first mentions. */
function placesOf(side: SpelledSide, text: string, members: readonly SpelledItem[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  const wanted = new Map(members.map((item) => [item.identity, item]));
  for (const parent of wanted.size === 0 ? [] : parentsOf(side, text)) {
    for (const copy of parent.copies.slice(0, 1)) {
      for (const { target } of edgesIn(rangeOf(copy))) {
        for (const name of target.name !== null ? [target.name] : namesBehind(target.atom)) {
          const raw = wanted.get(name)?.raw;
          if (raw !== undefined && !places.has(raw)) places.set(raw, places.size);
        }
      }
    }
  }
  return places;
}

/**
 * The members of a family as they are mentioned. Of those that nobody mentions on their own side (any more) the other side
 * tells, where it calls them the same: there is nothing that says otherwise. The rest comes last, by name.
 */
function inOrder(
  members: readonly SpelledItem[],
  own: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): readonly SpelledItem[] {
  const knows = (places: ReadonlyMap<string, number>): boolean => members.every(({ raw }) => places.has(raw));
  const first = !knows(own) && knows(other) ? other : own;
  const place = ({ raw }: SpelledItem): number => first.get(raw) ?? other.get(raw) ?? Number.MAX_SAFE_INTEGER;
  return [...members].sort((a, b) => place(a) - place(b) || (a.raw < b.raw ? -1 : 1));
}

/** What an anonymous constant (a vtable) refers to. */
function namesBehind(atom: AtomRef['atom'] | null): readonly string[] {
  return (atom?.edges ?? []).flatMap(({ target }) => (target.name === null ? [] : [target.name]));
}

/** Functions whose path is around `text`, the nearest last. */
export function parentsOf(side: SpelledSide, text: string): readonly SpelledItem[] {
  const end = text.lastIndexOf('::');
  const path = end < 0 ? text : text.slice(0, end);
  const byName = functionsByName(side);
  const inner = `${path}::`;
  // What begins with `path::` stands together; `path` itself stands before it, with others between them.
  const around = [
    ...runFrom(byName, path, (name) => name === path),
    ...runFrom(byName, inner, (name) => name.startsWith(inner)),
  ];
  return around
    .filter(({ name }) => name !== text)
    .sort((a, b) => a.name.length - b.name.length || (a.item.raw < b.item.raw ? -1 : 1))
    .map(({ item }) => item);
}

interface NamedFunction {
  readonly name: string;
  readonly item: SpelledItem;
}

const sorted = new WeakMap<SpelledSide, readonly NamedFunction[]>();

/** The functions of a side by what {@link readable} gives, in its order: families without number ask for them. */
function functionsByName(side: SpelledSide): readonly NamedFunction[] {
  let found = sorted.get(side);
  if (found === undefined) {
    const functions = [...side.values()].filter(({ storage }) => storage === 'code');
    found = functions.map((item) => ({ name: readable(item), item })).sort((a, b) => (a.name < b.name ? -1 : 1));
    sorted.set(side, found);
  }
  return found;
}

/** What stands together from `start` on and is meant. */
function runFrom(
  byName: readonly NamedFunction[],
  start: string,
  isMeant: (name: string) => boolean,
): readonly NamedFunction[] {
  const from = firstNotBefore(byName, ({ name }) => name < start);
  let past = from;
  while (past < byName.length && isMeant((byName[past] as NamedFunction).name)) past++;
  return byName.slice(from, past);
}

function readable({ text }: SpelledItem): string {
  const end = text.indexOf(HALVES);
  return end < 0 ? text : text.slice(0, end);
}
