// Can a fork be closed? A closure or coroutine that holds other things now is another type, and so is everything whose type
// mentions it. What holds one by value without mentioning it in its own name stays one type over two layouts: then values
// made before and after could not be told apart, and the edit is refused.
import { demangle } from '../../formats/symbols/demangle.js';
import type { RefusedItem } from '../engine.js';
import { storageOf } from '../diff/items.js';
import type { NumberedSide, Numbering } from './groups.js';
import { partsOf } from './numbered.js';

/** What keeps the forks from being closed, in words. */
export function openForks(
  before: NumberedSide,
  after: NumberedSide,
  numbering: Numbering,
  forked: ReadonlySet<string>,
): readonly RefusedItem[] {
  if (forked.size === 0) return [];
  // Symbols' names and debug information may spell a group differently: the numbering knows both.
  const mentions = (text: string): boolean =>
    partsOf(text).some(
      ({ group, number, inFunctionType }) =>
        !inFunctionType && (forked.has(`${group}${number}`) || numbering.renumber(group, number) === null),
    );
  const refuse = (name: string, held: string): RefusedItem => ({
    code: 'IPBP3032',
    name,
    message: `holds \`${held}\` by value, which holds other things now`,
    because: ['values made before and after the edit could not be told apart'],
  });
  const known = new Set(before.environments.all().map(({ path }) => path));
  const types = after.environments.all().flatMap(({ path, parts }) => {
    if (numbering.rewrite(path).fresh || !known.has(numbering.rewrite(path).text)) return [];
    const { fields, cases } = parts();
    const held = [...fields, ...cases.flatMap((one) => one.fields)].find(
      ({ holds }) => holds !== null && mentions(holds),
    );
    return held?.holds == null ? [] : [refuse(path, held.holds)];
  });
  const statics = [...after.items.values()].flatMap((item) => {
    const [copy] = item.copies;
    const storage = copy === undefined ? null : storageOf(copy.atom);
    if (item.type === null || (storage !== 'mutable' && storage !== 'tls') || !mentions(item.type)) return [];
    return before.items.has(item.raw) ? [refuse(demangle(item.raw), item.type)] : [];
  });
  return [...types, ...statics];
}
