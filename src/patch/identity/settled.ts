// What an edit left alone: groups of closures, `impl` blocks or statics whose every item is as it was, under its number.
// Aligning them would give every number itself, at the cost of looking at the content of all of them; most are such.
import type { ObjectDiff } from '../diff/diff.js';
import type { NumberedSide } from './groups.js';
import type { NameMap } from './name-map.js';
import { countsClosures } from './numbered.js';
import type { SpelledItem } from './spelling.js';

/** The groups in which no item changed, came or went, nor what closures hold. */
export function settledGroups(
  before: NumberedSide,
  after: NumberedSide,
  diff: ObjectDiff,
  names: NameMap,
): ReadonlySet<string> {
  const changed = new Set(diff.items.map(({ name }) => name));
  const stands = (item: SpelledItem): boolean => {
    const old = before.items.get(item.raw);
    return (
      old !== undefined &&
      old.identity === (names.get(item.raw) ?? item.raw) &&
      !changed.has(old.identity) &&
      old.text === item.text &&
      old.type === item.type &&
      old.storage === item.storage
    );
  };
  const settled = new Set<string>();
  for (const [group, numbers] of after.groups) {
    const old = before.groups.get(group);
    if (old?.size !== numbers.size) continue;
    const same = [...numbers].every(([number, items]) => {
      const others = old.get(number);
      // Equal texts stand under equal numbers: as many, and each with its own, are all.
      return (
        others?.length === items.length &&
        items.every(stands) &&
        (!countsClosures(group) || holdTheSame(before, after, group, number))
      );
    });
    if (same) settled.add(group);
  }
  return settled;
}

function holdTheSame(before: NumberedSide, after: NumberedSide, group: string, number: number): boolean {
  const layouts = ({ environments, groups }: NumberedSide): ReadonlySet<string> =>
    new Set(
      environments
        .layoutsOf(groups.get(group)?.get(number) ?? [], group, number)
        .map(({ path, text }) => `${path} ${text}`),
    );
  const [old, now] = [layouts(before), layouts(after)];
  return old.size === now.size && [...now].every((one) => old.has(one));
}
