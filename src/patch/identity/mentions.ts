// Where functions mention what lies inside of them, in order, and which old mention is which new one. Statics of one name
// in one function begin alike (a counter at zero, an event that is not registered yet): what is around them in the code
// tells them apart.
import { edgesIn, rangeOf } from '../diff/items.js';
import type { Contents } from './content.js';
import { parentsOf, type SpelledSide } from './spelling.js';

/** One reference of a function: what it means, and which item that is, where it has a name. */
export interface Mention {
  readonly meaning: string;
  readonly name: string | null;
}

/** Sequences beyond this many pairs of mentions are not compared. */
const MOST_PAIRS = 16_000_000;

/** What the functions around an item mention, the outermost first. */
export function mentionsAround(side: SpelledSide, contents: Contents, text: string): readonly Mention[] {
  return parentsOf(side, text).flatMap(({ copies: [copy] }) => {
    if (copy === undefined) return [];
    const range = rangeOf(copy);
    return edgesIn(range).map((edge) => ({ meaning: contents.meaning(edge, range), name: edge.target.name }));
  });
}

/** Old name → new name → how often a mention of the one became a mention of the other. */
export type Votes = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Pairs mentions of equal meaning in their order, as many as can be. */
export function votesOf(before: readonly Mention[], after: readonly Mention[]): Votes {
  const votes = new Map<string, Map<string, number>>();
  const columns = after.length + 1;
  if (before.length * after.length > MOST_PAIRS) return votes;
  const lengths = new Uint32Array((before.length + 1) * columns);
  for (let old = before.length - 1; old >= 0; old--) {
    for (let now = after.length - 1; now >= 0; now--) {
      const here = old * columns + now;
      lengths[here] =
        before[old]?.meaning === after[now]?.meaning
          ? (lengths[here + columns + 1] as number) + 1
          : Math.max(lengths[here + columns] as number, lengths[here + 1] as number);
    }
  }
  for (let old = 0, now = 0; old < before.length && now < after.length;) {
    const here = old * columns + now;
    const [one, other] = [before[old] as Mention, after[now] as Mention];
    if (one.meaning === other.meaning && lengths[here] === (lengths[here + columns + 1] as number) + 1) {
      vote(votes, one, other);
      old++;
      now++;
    } else if ((lengths[here + columns] as number) >= (lengths[here + 1] as number)) old++;
    else now++;
  }
  return votes;
}

function vote(votes: Map<string, Map<string, number>>, old: Mention, now: Mention): void {
  if (old.name === null || now.name === null) return;
  const known = votes.get(old.name) ?? new Map<string, number>();
  votes.set(old.name, known.set(now.name, (known.get(now.name) ?? 0) + 1));
}
