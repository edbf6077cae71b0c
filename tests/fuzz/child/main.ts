// The process that runs cases, one job after the other as they come from the parent: a process of its own, since it has a
// heap limit and is ended from outside when a case hangs. Not meant to be started by hand.
import { writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { IpbpError } from '../../../src/codes/error.js';
import { changes, type Change, type Seed } from '../mutations.js';
import type { Answer, Job } from '../pool.js';
import { readSeeds } from '../seeds.js';
import { TARGETS, type Target } from '../targets.js';
import { attempt, bytesOf, noTally } from '../trial.js';

const root = process.argv[2] ?? '';
const known = new Map<string, readonly Seed[]>();

function seedsOf(target: Target): readonly Seed[] {
  let seeds = known.get(target.name);
  if (seeds === undefined) {
    seeds = readSeeds(root, target.shelf).map((seed) => ({ ...seed, ...target.aims(seed.bytes) }));
    known.set(target.name, seeds);
  }
  return seeds;
}

/** What a failing case throws, with a stack this time. */
function again(target: Target, seed: Seed, list: readonly Change[]): unknown {
  try {
    target.read(bytesOf(target, seed, list), seed);
    return null;
  } catch (error) {
    return error instanceof IpbpError ? null : error;
  }
}

function run({ target: name, seed, runs, path, trace }: Job): Answer {
  const target = TARGETS.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  const seeds = seedsOf(target);
  const tally = noTally();
  const which = fc.nat(seeds.length - 1);
  const details = fc.check(
    fc.property(which, changes, (index, list) => {
      const one = seeds[index] as Seed;
      if (trace !== null) writeFileSync(trace, JSON.stringify({ file: one.name, changes: list }));
      attempt(target, one, list, tally);
    }),
    { seed, numRuns: runs, ...(path === null ? {} : { path }) },
  );
  if (!details.failed) return { tally, failure: null };
  const [index, list] = details.counterexample ?? [0, []];
  const error = again(target, seeds[index] as Seed, list) ?? details.errorInstance;
  const failure = {
    ...{ target: name, seed, path: details.counterexamplePath ?? '', file: seeds[index]?.name ?? '', changes: list },
    what: error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error),
  };
  return { tally, failure };
}

process.on('message', (job: Job | 'end') => {
  // A normal end, so that coverage is written.
  if (job === 'end') process.exit(0);
  process.send?.(run(job));
});
