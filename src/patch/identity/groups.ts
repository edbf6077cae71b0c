// Aligns what is numbered by position, group by group: the closures of one function, the `impl` blocks of one module, the
// statics of one name in one function. Says for every new number which old one it is. Names no item.
import { align } from './align.js';
import { demangle } from '../../formats/symbols/demangle.js';
import { stateSize } from '../diff/items.js';
import { contentsOf, likeness, type Content, type Contents } from './content.js';
import { looksAlike, type EnvironmentLook, type Environments } from './environments.js';
import {
  countsClosures,
  countsImpls,
  HALVES,
  partsOf,
  renumber,
  rewriter,
  withoutNumbers,
  type Renumber,
  type Rewrite,
} from './numbered.js';
import { mentionsAround, votesOf, type Votes } from './mentions.js';
import type { SpelledItem, SpelledSide } from './spelling.js';

/** One side with all that aligning asks of it. */
export interface NumberedSide {
  readonly items: SpelledSide;
  readonly byIdentity: ReadonlyMap<string, SpelledItem>;
  readonly contents: Contents;
  readonly environments: Environments;
  /** Group → number → the items that are it or lie inside of it. */
  readonly groups: ReadonlyMap<string, ReadonlyMap<number, readonly SpelledItem[]>>;
}

/** Gathers what is numbered among the items of a side. */
export function numberedSide(items: SpelledSide, environments: Environments): NumberedSide {
  const byIdentity = new Map([...items.values()].map((item) => [item.identity, item]));
  const contents = contentsOf((name) => withoutNumbers(byIdentity.get(name)?.text ?? demangle(name)));
  const groups = new Map<string, Map<number, SpelledItem[]>>();
  for (const item of items.values()) {
    for (const { group, number, own } of partsOf(item.text)) {
      const members = groups.get(group) ?? new Map<number, SpelledItem[]>();
      groups.set(group, members);
      const list = members.get(number) ?? [];
      members.set(number, list);
      if (own) list.push(item);
    }
  }
  return { items, byIdentity, contents, environments, groups };
}

/** A pair of numbers that turned out to be two things although they look like one. */
export interface Unlike {
  readonly group: string;
  readonly before: number;
  readonly after: number;
}

/** Which new number is which old one. */
export interface Numbering {
  readonly renumber: Renumber;
  /** The same for a whole name. */
  readonly rewrite: Rewrite;
  /** Does any number mean something else than before, or something new in place of something old? */
  readonly moved: boolean;
  /** New numbers per group; null for what is new. */
  readonly byGroup: ReadonlyMap<string, ReadonlyMap<number, number | null>>;
  /** Closures, statics and so on that may be one of several. */
  readonly ambiguous: readonly string[];
}

/**
 * Aligns all groups of the new side with those of the old one, outer before inner ones.
 * @param settled groups in which every number stays what it was, unless what they lie in moved
 */
export function alignGroups(
  before: NumberedSide,
  after: NumberedSide,
  unlike: readonly Unlike[],
  settled: ReadonlySet<string>,
): Numbering {
  const byGroup = new Map<string, Map<number, number | null>>();
  const ambiguous: string[] = [];
  let moved = false;
  const of: Renumber = (group, number) => {
    const known = byGroup.get(group)?.get(number);
    return known === undefined ? number : known;
  };
  const outerFirst = [...after.groups].sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  for (const [group, members] of outerFirst) {
    const outer = renumber(group, of);
    const others = outer.fresh ? undefined : before.groups.get(outer.text);
    const numbers = [...members.keys()].sort((a, b) => a - b);
    const result = new Map<number, number | null>();
    byGroup.set(group, result);
    if (outer.fresh) {
      for (const number of numbers) result.set(number, null);
      continue;
    }
    const old = [...(others?.keys() ?? [])].sort((a, b) => a - b);
    const apart = unlike.filter((one) => one.group === group);
    if (outer.text !== group) moved = true;
    else if (apart.length === 0 && settled.has(group)) {
      for (const number of numbers) result.set(number, number);
      continue;
    }
    const found = align(old.length, numbers.length, {
      ...likenessOf(group, { side: before, group: outer.text, numbers: old }, { side: after, group, numbers }, apart),
    });
    const inPlace = found.pairs.every((pair, place) => pair === null || old[pair] === numbers[place]);
    found.pairs.forEach((pair, place) => {
      const number = numbers[place] as number;
      // A block of which nothing was compiled before was there nevertheless, as far as the others can tell.
      const unseen = countsImpls(group) && inPlace && others?.has(number) !== true ? number : null;
      const value = pair === null ? unseen : (old[pair] as number);
      result.set(number, value);
      if (value !== number && (value !== null || others?.has(number) === true)) moved = true;
    });
    for (const one of found.ambiguous) ambiguous.push(`${group}#${numbers[one.after] ?? 0}`);
  }
  return { renumber: of, rewrite: rewriter(of), moved, byGroup, ambiguous };
}

interface Sequence {
  readonly side: NumberedSide;
  readonly group: string;
  readonly numbers: readonly number[];
}

function likenessOf(
  group: string,
  before: Sequence,
  after: Sequence,
  unlike: readonly Unlike[],
): Parameters<typeof align>[2] {
  const apart = new Set(unlike.map((one) => `${one.before} ${one.after}`));
  const isApart = (old: number, now: number): boolean =>
    apart.has(`${before.numbers[old] ?? 0} ${after.numbers[now] ?? 0}`);
  const membersAt = ({ side, group: of, numbers }: Sequence, index: number): readonly SpelledItem[] =>
    side.groups.get(of)?.get(numbers[index] as number) ?? [];
  if (countsImpls(group)) {
    const standing = standingNumbers(before, after);
    // Of what is generic, several blocks may have one head: which of them was compiled depends on who uses it.
    const headOf = (sequence: Sequence, index: number): string => {
      const number = sequence.numbers[index] ?? 0;
      return (
        (standing.has(number) ? undefined : membersAt(sequence, index).map(implHead).sort()[0]) ?? `number ${number}`
      );
    };
    return {
      fits: (old, now) => headOf(before, old) === headOf(after, now),
      before: (index) => headOf(before, index),
      after: (index) => headOf(after, index),
      alike: () => 1,
    };
  }
  const old = before.numbers.map((_, index) => lookOf(before, membersAt(before, index), index));
  const now = after.numbers.map((_, index) => lookOf(after, membersAt(after, index), index));
  const votes = votesBetween(before, after, [old, now]);
  return {
    fits(a, b) {
      const [one, other] = [old[a] as Look, now[b] as Look];
      const sameType = (one.type ?? other.type) === (other.type ?? one.type) && looksAlike(one.holds, other.holds);
      const sameKind = (one.kind ?? other.kind) === (other.kind ?? one.kind);
      return !isApart(a, b) && sameKind && sameType;
    },
    before: (index) => old[index]?.key ?? null,
    after: (index) => now[index]?.key ?? null,
    alike(a, b) {
      const [one, other] = [old[a] as Look, now[b] as Look];
      const content = one.content === other.content ? 1 : likeness(one.parts, other.parts);
      return one.state ? content / 4 + (shareOf(votes, one, other) * 3) / 4 : content;
    },
  };
}

/** Numbers under which both sides have an item of one symbol name, text and type: the number is a part of that name. */
function standingNumbers(before: Sequence, after: Sequence): ReadonlySet<number> {
  return new Set(
    after.numbers.filter((number) => {
      const old = new Map(
        before.side.groups
          .get(before.group)
          ?.get(number)
          ?.map((item) => [item.raw, item]),
      );
      return after.side.groups
        .get(after.group)
        ?.get(number)
        ?.some(({ raw, text, type }) => {
          const other = old.get(raw);
          return other?.text === text && other.type === type;
        });
    }),
  );
}

/** What two contents must have in common for the one to pass for what became of the other. */
const BECAME = 0.5;

/**
 * Is a new closure or coroutine, that is paired with nothing, what became of an old one, or just new? A function that is
 * async has one coroutine, whatever it looks like.
 */
export function becameOf(
  old: { readonly side: NumberedSide; readonly group: string; readonly number: number },
  now: { readonly side: NumberedSide; readonly group: string; readonly number: number },
): boolean {
  const looks = [old, now].map(({ side, group, number }) => {
    const members = side.groups.get(group)?.get(number) ?? [];
    const layouts = side.environments.layoutsOf(members, group, number);
    const isFunction = layouts.some(({ path }) => path.includes('{async_fn_env#'));
    return { ...lookOf({ side, group, numbers: [number] }, members, 0), isFunction };
  });
  const [one, other] = looks as [(typeof looks)[0], (typeof looks)[0]];
  return (one.isFunction && other.isFunction) || likeness(one.parts, other.parts) >= BECAME;
}

/** `<app::A as app::Speak>` of `<app::A as app::Speak>::speak`; else the path up to the last part. */
function implHead({ text }: SpelledItem): string {
  const plain = text.slice(0, Math.max(0, text.indexOf(HALVES)));
  if (!plain.startsWith('<')) return plain.slice(0, Math.max(0, plain.lastIndexOf('::')));
  let open = 0;
  for (let at = 0; at < plain.length; at++) {
    if (plain[at] === '<') open++;
    else if (plain[at] === '>' && plain[at - 1] !== '-' && --open === 0) return plain.slice(0, at + 1);
  }
  return plain;
}

/** What one number stands for, as it looks. */
interface Look {
  readonly members: readonly SpelledItem[];
  /** What values of two must have in common to be the same: sort of storage and size. Null for what only holds items. */
  readonly kind: string | null;
  /** A static's type, without numbers; null where nothing is said. */
  readonly type: string | null;
  /** Layouts of the captures. */
  readonly holds: EnvironmentLook;
  /** Its content tells it from others; not so the initial value of what can change. */
  readonly key: string | null;
  readonly content: string;
  readonly parts: ReadonlyMap<string, number>;
  readonly state: boolean;
}

const NOTHING: ReadonlyMap<string, number> = new Map();

function lookOf({ side, group, numbers }: Sequence, members: readonly SpelledItem[], index: number): Look {
  const contents = members
    .map((item) => ({ item, content: side.contents.of(item.copies[0] as SpelledItem['copies'][0]) }))
    .sort(
      (a, b) =>
        a.item.text.length - b.item.text.length || (withoutNumbers(a.item.text) < withoutNumbers(b.item.text) ? -1 : 1),
    );
  const content = contents.map((one) => `${withoutNumbers(one.item.text)} ${one.content.key}`).join('\n');
  const number = numbers[index] as number;
  // What lies inside says nothing of what it lies in: a module is no static because its first item is one.
  const self = members.find((item) => isItself(item, group, number));
  const storage = self?.storage ?? 'code';
  const state = storage !== 'code';
  return {
    members,
    kind: self === undefined ? null : state ? `${storage} ${sizeOfState(self)}` : storage,
    type: countsClosures(group) ? null : staticType(self),
    holds: countsClosures(group) ? side.environments.lookOf(members, group, number) : new Map(),
    key: members.length === 0 || storage === 'mutable' || storage === 'tls' ? null : content,
    content,
    parts: mergeParts(contents.map((one) => one.content)),
    state,
  };
}

function sizeOfState({ copies: [copy] }: SpelledItem): number {
  return copy === undefined ? 0 : stateSize(copy);
}

/** Is the item this number, and not something inside of it? */
function isItself({ text }: SpelledItem, group: string, number: number): boolean {
  const part = partsOf(text).findLast(({ own }) => own);
  return part?.group === group && part.number === number && /^(?:::<.*>)?$/.test(text.slice(part.past));
}

function staticType(item: SpelledItem | undefined): string | null {
  return item === undefined || item.type === null || item.storage === 'code' ? null : withoutNumbers(item.type);
}

function mergeParts(contents: readonly Content[]): ReadonlyMap<string, number> {
  const [first, ...more] = contents;
  if (first === undefined || more.length === 0) return first?.parts ?? NOTHING;
  const result = new Map(first.parts);
  for (const { parts } of more) for (const [part, times] of parts) result.set(part, (result.get(part) ?? 0) + times);
  return result;
}

/** Statics mostly begin alike: how many of an old one's mentions became mentions of the new one tells more. */
function votesBetween(before: Sequence, after: Sequence, looks: readonly (readonly Look[])[]): Votes {
  if (!looks.flat().some(({ state }) => state)) return new Map();
  const around = ({ side, group }: Sequence): ReturnType<typeof mentionsAround> =>
    mentionsAround(side.items, side.contents, group.slice(0, group.lastIndexOf('#')));
  return votesOf(around(before), around(after));
}

function shareOf(votes: Votes, old: Look, now: Look): number {
  let [hits, all] = [0, 0];
  for (const { identity } of old.members) {
    for (const [name, times] of votes.get(identity) ?? []) {
      all += times;
      if (now.members.some((member) => member.identity === name)) hits += times;
    }
  }
  return all === 0 ? 0 : hits / all;
}

/**
 * The same numbering for the paths by which debug information calls things, where symbols' names do not contain them:
 * there `impl` blocks have numbers, too.
 */
export function withPaths(numbering: Numbering, before: NumberedSide, after: NumberedSide): Numbering {
  const byPath = new Map<string, Map<number, number | null>>();
  const note = (group: string, number: number, other: number | null): void => {
    const known = byPath.get(group) ?? new Map<number, number | null>();
    byPath.set(group, known.set(number, known.get(number) ?? other));
  };
  // A name can stay while what it mentions in its parameters, of which it says nothing, is new: such mentions come last.
  const mentions: { readonly group: string; readonly number: number; readonly other: number }[] = [];
  const old = new Map([...before.items.values()].map((item) => [item.text, item]));
  for (const { text, path } of after.items.values()) {
    if (path === null || text.includes(HALVES)) continue;
    const parts = partsOf(path);
    const mapped = numbering.rewrite(text);
    const others = partsOf(old.get(mapped.text)?.path ?? '');
    if (!mapped.fresh && others.length === parts.length) {
      parts.forEach(({ group, number, own }, at) => {
        const other = others[at]?.number ?? number;
        if (own) note(group, number, other);
        else mentions.push({ group, number, other });
      });
    } else if (mapped.fresh) {
      const closures = partsOf(text).filter(({ own, group }) => own && countsClosures(group));
      const twins = parts.filter(({ own, group }) => own && countsClosures(group));
      closures.forEach(({ group, number }, at) => {
        const twin = twins[at];
        if (twin !== undefined && numbering.renumber(group, number) === null) note(twin.group, twin.number, null);
      });
    }
  }
  for (const { group, number, other } of mentions) {
    if (byPath.get(group)?.has(number) !== true) note(group, number, other);
  }
  const renumberPath: Renumber = (group, number) => {
    const known = byPath.get(group)?.get(number);
    return known === undefined ? numbering.renumber(group, number) : known;
  };
  return { ...numbering, renumber: renumberPath, rewrite: rewriter(renumberPath) };
}
