// Compares two layouts: in what they differ, in words. A field, variant or enumerator that only has another name keeps
// its values valid, so that it is no difference; one whose name moved to another place is.
import type { Case, Field, Layout, LayoutParts } from './layouts.js';
import type { Renaming } from './moved-types.js';

/** Fields and variants of a type that is compared part by part: more would cost their square. */
const MOST_PARTS = 5_000;

function countOf({ fields, cases }: LayoutParts): number {
  return cases.reduce((sum, one) => sum + 1 + one.fields.length, fields.length);
}

/**
 * In what a type's values differ, the most telling first. Empty when old values are valid new ones.
 * @param rename how types that go on under another path are called now
 */
export function differencesOf(old: Layout, now: Layout, rename: Renaming): readonly string[] {
  if (old.text === now.text) return [];
  const [was, is] = [old.parts(), now.parts()];
  if (Math.max(countOf(was), countOf(is)) > MOST_PARTS) return ['it differs, and is too large to say where'];
  const differences = [
    ...fieldDifferences(was.fields, is.fields, `\`${now.path}\``, { rename, union: was.union && is.union }),
    ...caseDifferences(was.cases, is.cases, now.path, rename),
  ];
  if (was.union !== is.union) differences.push(`it was ${was.union ? 'a' : 'no'} union`);
  if (was.discriminant !== is.discriminant) {
    const place = (text: string): string => (text === '' ? 'nowhere' : text);
    differences.push(`its discriminant was ${place(was.discriminant)}, is ${place(is.discriminant)}`);
  }
  if (old.size !== now.size) differences.push(`its size was ${bytes(old.size)}, is ${bytes(now.size)}`);
  if (old.align !== now.align) differences.push(`its alignment was ${bytes(old.align)}, is ${bytes(now.align)}`);
  return differences;
}

/**
 * True when both have the same fields of the same types: what differs then follows from another type that they hold by
 * value (places, size, unused values that serve as discriminants).
 */
export function sameFields(old: Layout, now: Layout): boolean {
  const list = ({ fields, cases }: LayoutParts): string =>
    [
      ...fields.map((field) => `${field.name ?? ''}: ${field.type}`),
      ...cases.flatMap((one) => [
        one.name,
        ...one.fields.map((field) => `${one.name}.${field.name ?? ''}: ${field.type}`),
      ]),
    ]
      .sort()
      .join('\n');
  return list(old.parts()) === list(now.parts());
}

function bytes(count: number | null): string {
  return count === null ? 'unknown' : count === 1 ? '1 byte' : `${count} bytes`;
}

function sameType(old: Field, now: Field, rename: Renaming): boolean {
  return old.type === now.type || old.bare === now.bare || rename(old.bare) === now.bare;
}

function samePlace(old: Field, now: Field, rename: Renaming): boolean {
  return old.offset === now.offset && old.bits === now.bits && sameType(old, now, rename);
}

function fieldDifferences(
  before: readonly Field[],
  after: readonly Field[],
  owner: string,
  { rename, union }: { readonly rename: Renaming; readonly union: boolean },
): string[] {
  const now = after.filter(({ unit }) => !unit);
  const old = before.filter(({ unit }) => !unit);
  const left = [...now];
  const take = (fits: (field: Field) => boolean): Field | null => {
    const at = left.findIndex(fits);
    return at < 0 ? null : (left.splice(at, 1)[0] ?? null);
  };
  const unmatched = old.filter(
    (field) => take((other) => other.name === field.name && samePlace(field, other, rename)) === null,
  );
  const oldNames = new Set(old.map(({ name }) => name));
  const newNames = new Set(now.map(({ name }) => name));
  const retyped: string[] = [];
  const gone: string[] = [];
  const moved: string[] = [];
  for (const field of unmatched) {
    const same = newNames.has(field.name) ? take((other) => other.name === field.name) : null;
    if (same !== null) (sameType(field, same, rename) ? moved : retyped).push(whatMoved(field, same, owner));
    else if (
      !newNames.has(field.name) &&
      take((other) => !oldNames.has(other.name) && samePlace(field, other, rename)) !== null
    ) {
      continue; // Renamed.
    } else gone.push(`${fieldName(field, owner)} (${typeAndPlace(field)}) is gone`);
  }
  // What lies in a union besides the others changes none of them, unless all of it grows.
  const added = (union ? [] : left).map((field) => `${fieldName(field, owner)} (${typeAndPlace(field)}) is new`);
  return [...retyped, ...added, ...gone, ...moved];
}

function fieldName({ name }: Field, owner: string): string {
  return `${name === null ? 'a field' : `field \`${name}\``} of ${owner}`;
}

function at({ offset, bits }: Field): string {
  return `at offset ${offset ?? 'unknown'}${bits === '' ? '' : ` (bits ${bits})`}`;
}

function typeAndPlace(field: Field): string {
  return `${field.type} ${at(field)}`;
}

function whatMoved(old: Field, now: Field, owner: string): string {
  const name = fieldName(old, owner);
  if (old.type === now.type) {
    if (old.bits !== now.bits) return `${name} was ${at(old)}, is ${at(now)}`;
    return `${name} moved from offset ${old.offset ?? 'unknown'} to ${now.offset ?? 'unknown'}`;
  }
  return `${name} was ${typeAndPlace(old)}, is ${now.type}${at(old) === at(now) ? '' : ` ${at(now)}`}`;
}

function caseDifferences(old: readonly Case[], now: readonly Case[], path: string, rename: Renaming): string[] {
  const oldNames = new Set(old.map(({ name }) => name));
  const left = new Map(now.map((one) => [one.name, one]));
  const added: string[] = [];
  const gone: string[] = [];
  const inside: string[] = [];
  const title = (one: Case): string => `variant \`${one.name}\` of \`${path}\``;
  for (const one of old) {
    const renamed = (): Case | undefined =>
      [...left.values()].find(({ name, value }) => value === one.value && !oldNames.has(name));
    const other = left.get(one.name) ?? renamed();
    if (other === undefined) {
      gone.push(`${title(one)} (${valueOf(one)}) is gone`);
      continue;
    }
    left.delete(other.name);
    const owner = `\`${path}::${one.name}\``;
    inside.push(...fieldDifferences(one.fields, other.fields, owner, { rename, union: false }));
    if (one.value !== other.value) inside.push(`${title(one)} was ${valueOf(one)}, is ${valueOf(other)}`);
  }
  for (const one of left.values()) added.push(`${title(one)} (${valueOf(one)}) is new`);
  return [...added, ...gone, ...inside];
}

function valueOf({ value }: Case): string {
  return value === null ? 'any other value' : `value ${value}`;
}
