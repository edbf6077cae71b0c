// Takes pairs through everything: compiles the program, judges both edits, applies both patches to the running program,
// and says what is wrong with each.
import { availableParallelism } from 'node:os';
import type { PatchImage } from '../../src/patch/image/image.js';
import { compileBase, compileEdit, type Base } from './compile.js';
import { patchRunning } from './live.js';
import type { Edit, Pair, RefusedEdit } from './pair.js';
import { HERE, type Place } from './place.js';
import { judge } from './verdict.js';

/** What became of one edit. */
export interface EditResult {
  readonly pair: string;
  readonly what: string;
  readonly expected: 'refused' | 'taken';
  readonly verdict: 'refused' | 'taken' | 'other';
  readonly words: string;
  /** What the program said after the patch, forced where it was refused; null when it was not run. */
  readonly said: string | null;
  /** What is wrong; empty when all is right. */
  readonly failures: readonly string[];
}

/** Both edits of a pair. `live`: the patches are applied to running programs, too. */
async function drivePair(pair: Pair, live: boolean, place: Place): Promise<readonly EditResult[]> {
  const base = await compileBase(pair, place);
  const { refuse, accept } = pair;
  const first = 'forks' in refuse ? driveAccepted(base, refuse, live) : driveRefused(base, refuse, live);
  return [await first, await driveAccepted(base, accept, live)];
}

/** All pairs, as many at a time as there are processors; `tell` hears of each edit in the order of their ends. */
export async function drivePairs(
  pairs: readonly Pair[],
  live: (pair: Pair) => boolean,
  tell: (result: EditResult) => void = () => undefined,
  place: Place = HERE,
): Promise<readonly EditResult[]> {
  const left = [...pairs];
  const results: EditResult[] = [];
  const worker = async (): Promise<void> => {
    for (let pair = left.shift(); pair !== undefined; pair = left.shift()) {
      for (const result of await drivePair(pair, live(pair), place)) {
        results.push(result);
        tell(result);
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const order = new Map(pairs.map(({ id }, at) => [id, at]));
  return results.sort((a, b) => (order.get(a.pair) ?? 0) - (order.get(b.pair) ?? 0));
}

async function driveRefused(base: Base, refuse: RefusedEdit, live: boolean): Promise<EditResult> {
  const { kind, words, image } = judge(base, await compileEdit(base, refuse));
  const failures: string[] = [];
  if (kind !== 'refused') failures.push(`must be refused, was ${kind}: ${words}`);
  else if (typeof refuse.names === 'string' ? !words.includes(refuse.names) : !refuse.names.test(words))
    failures.push(`the refusal does not say ${String(refuse.names)}: ${words}`);
  let said: string | null = null;
  if (live) {
    if (image === null) failures.push('there is no patch to force');
    else {
      const ran = await runOf(base, image, failures);
      said = ran.said;
      if (ran.said === refuse.says && ran.end === 0) failures.push(`forced, it says "${ran.said}" as it should`);
      if (ran.said === base.pair.before) failures.push('forced, the patch shows nowhere');
    }
  }
  return resultOf(base, refuse, 'refused', kind, words, said, failures);
}

async function driveAccepted(base: Base, accept: Edit, live: boolean): Promise<EditResult> {
  const { kind, words, image } = judge(base, await compileEdit(base, accept));
  const failures: string[] = [];
  if (kind !== 'taken') failures.push(`must be taken, was ${kind}: ${words}`);
  let said: string | null = null;
  if (live && image !== null) {
    const ran = await runOf(base, image, failures);
    said = ran.said;
    if (ran.said !== accept.says) failures.push(`it says "${ran.said}" instead of "${accept.says}"`);
    if (ran.end !== 0) failures.push(`it ended with ${ran.end}`);
  }
  return resultOf(base, accept, 'taken', kind, words, said, failures);
}

async function runOf(
  base: Base,
  image: PatchImage,
  failures: string[],
): Promise<{ readonly said: string; readonly end: number | string }> {
  const { before, after, end } = await patchRunning(base, image);
  if (before !== base.pair.before) failures.push(`before the patch it says "${before}"`);
  return { said: end === 0 || after.startsWith('ended') ? after : `${after}; ended with ${end}`, end };
}

function resultOf(
  { pair }: Base,
  { what }: Edit,
  expected: EditResult['expected'],
  verdict: EditResult['verdict'],
  words: string,
  said: string | null,
  failures: readonly string[],
): EditResult {
  return { pair: pair.id, what, expected, verdict, words, said, failures };
}
