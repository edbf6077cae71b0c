// From aligned numbers to items: which new item is which old one, by text once the numbers of the old side stand in it.
// Says of every new item under which identity the program knows it, or that it is a new one, and why.
import { withoutNumbers, HALVES } from './numbered.js';
import type { NumberedSide, Numbering } from './groups.js';
import { isHashed, type SpelledItem } from './spelling.js';
import { contentsOf } from './content.js';

/** What became of one item of the new side. */
export type Pairing =
  /** It is the old one with this identity. */
  | { readonly kind: 'same'; readonly item: SpelledItem; readonly old: SpelledItem }
  /** Nothing that it is made of changed its number: it is called as it was, wherever it is defined. */
  | { readonly kind: 'unmoved'; readonly item: SpelledItem }
  /** It is new, or became another one. */
  | { readonly kind: 'new'; readonly item: SpelledItem; readonly why: NewBecause };

export type NewBecause =
  /** A number that is new, in its name. */
  | 'number'
  /** Its parameters or result have other types than those of `old`. */
  | 'signature'
  | 'static type'
  /** Its number moved, and nothing old is found where it came from. */
  | 'not found'
  /** One of several that share a readable name, and which one cannot be told. */
  | 'unclear';

/** Pairs all items of the new side. */
export function pairItems(before: NumberedSide, after: NumberedSide, numbering: Numbering): readonly Pairing[] {
  const old = byText(before.items.values(), ({ text }) => text);
  const now = byText(after.items.values(), ({ text }) => numbering.rewrite(text).text);
  const result: Pairing[] = [];
  for (const [text, items] of now) {
    const others = old.get(text) ?? [];
    const [item] = items;
    const [other] = others;
    if (item !== undefined && items.length === 1 && others.length <= 1) result.push(pairOne(item, other, numbering));
    else result.push(...pairFamily(items, others, before, after, numbering));
  }
  return result;
}

function byText(items: Iterable<SpelledItem>, textOf: (item: SpelledItem) => string): Map<string, SpelledItem[]> {
  const result = new Map<string, SpelledItem[]>();
  for (const item of items) {
    const text = textOf(item);
    const list = result.get(text);
    if (list === undefined) result.set(text, [item]);
    else list.push(item);
  }
  return result;
}

function pairOne(item: SpelledItem, old: SpelledItem | undefined, numbering: Numbering): Pairing {
  const { text, fresh } = numbering.rewrite(item.text);
  if (fresh) return { kind: 'new', item, why: 'number' };
  if (old === undefined)
    return text === item.text ? { kind: 'unmoved', item } : { kind: 'new', item, why: 'not found' };
  const changed = becameAnother(item, old, numbering);
  return changed === null ? { kind: 'same', item, old } : { kind: 'new', item, why: changed };
}

/** Why two items of one text are two nevertheless; null when they are one. */
function becameAnother(item: SpelledItem, old: SpelledItem, numbering: Numbering): NewBecause | null {
  const why = item.storage === 'code' ? 'signature' : 'static type';
  if (item.type !== null && old.type !== null) {
    return numbering.rewrite(item.type).text === old.type ? null : why;
  }
  // The hash stands for types, too. What a trait declares has the types that the trait says.
  const told = item.raw === old.raw || !isHashed(item.raw) || item.text.startsWith('<') || item.text.includes('#');
  return told || item.text.includes(HALVES) ? null : why;
}

/** Several items of one text: instances of something generic whose arguments only a hash tells apart. */
function pairFamily(
  items: readonly SpelledItem[],
  others: readonly SpelledItem[],
  before: NumberedSide,
  after: NumberedSide,
  numbering: Numbering,
): readonly Pairing[] {
  const byRaw = new Map(others.map((other) => [other.raw, other]));
  if (!numbering.moved) {
    return items.map((item) => {
      const old = byRaw.get(item.raw);
      if (numbering.rewrite(item.text).fresh) return { kind: 'new', item, why: 'number' };
      return old === undefined ? { kind: 'unmoved', item } : pairOne(item, old, numbering);
    });
  }
  // What they refer to tells which closure they are for.
  const oldContent = contentsOf((name) => nameText(before, name, null));
  const newContent = contentsOf((name) => nameText(after, name, numbering));
  const free = byText(others, ({ copies: [copy] }) => (copy === undefined ? '' : oldContent.of(copy).key));
  const now = byText(items, ({ copies: [copy] }) => (copy === undefined ? '' : newContent.of(copy).key));
  return [...now].flatMap(([key, members]): Pairing[] => {
    const candidates = free.get(key) ?? [];
    return members.map((item): Pairing => {
      if (candidates.length === 0 && !byRaw.has(item.raw)) return { kind: 'unmoved', item };
      const own = candidates.find(({ raw }) => raw === item.raw);
      const old = own ?? (candidates.length === 1 && members.length === 1 ? candidates[0] : undefined);
      return old === undefined ? { kind: 'new', item, why: 'unclear' } : { kind: 'same', item, old };
    });
  });
}

function nameText(side: NumberedSide, name: string, numbering: Numbering | null): string {
  const item = side.items.get(name) ?? side.byIdentity.get(name);
  if (item === undefined) return withoutNumbers(name);
  return numbering === null ? item.text : numbering.rewrite(item.text).text;
}
