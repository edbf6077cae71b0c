// A run: shares the cases out over the targets, sees them through the pool, and says what came of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runJobs, type Answer, type Failure, type Job } from './pool.js';
import { makeSeeds } from './seeds.js';
import { TARGETS } from './targets.js';
import { addTally, noTally, type Tally } from './trial.js';

/** What to run. */
export interface RunOptions {
  /** Cases of all targets together. */
  readonly runs: number;
  readonly seed: number;
  /** Names of targets; all where there are none. */
  readonly only: readonly string[];
  readonly children: number;
  /** Folder for V8's coverage of the first cases, or null. */
  readonly coverage: string | null;
  readonly coverageCases: number;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface RunResult {
  readonly targets: Readonly<Record<string, Tally>>;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

/** Cases of a job: seconds of work at most. */
const JOB = 500;
/** A job may take this long, in ms: a hundred times what one takes, since others may want the machine. */
const JOB_TIME = 120_000;
/** Failures of one target that are told; behind them it gets no more jobs. */
const ENOUGH = 5;
/** A long run says how far it is, every so many cases. */
const PROGRESS = 50_000;

/** The targets' jobs in turn, so that every part of a run has some of each. Seeds are told by the run's and a number. */
function* share({ runs, seed, only }: RunOptions, failed: (target: string) => number): Generator<Job> {
  const chosen = TARGETS.filter(({ name }) => only.length === 0 || only.includes(name));
  const whole = chosen.reduce((sum, { weight }) => sum + weight, 0);
  const left = chosen.map(({ name, weight }) => ({ name, cases: Math.ceil((runs * weight) / whole) }));
  for (let number = 0; left.some(({ cases }) => cases > 0);) {
    for (const one of left) {
      const { name } = one;
      if (one.cases <= 0) continue;
      const count = Math.min(one.cases, JOB);
      one.cases -= count;
      // fast-check takes 32 bits; a prime keeps neighbours apart.
      const own = (seed + 7919 * number++) % 0x7fff_ffff;
      if (failed(name) < ENOUGH) yield { target: name, seed: own, runs: count, path: null, trace: null };
    }
  }
}

/** The next jobs, until they hold so many cases; the others stay in `jobs`. */
function* take(jobs: Iterator<Job>, cases: number): Generator<Job> {
  for (let taken = 0; taken < cases;) {
    const next: IteratorResult<Job> = jobs.next();
    if (next.done === true) return;
    taken += next.value.runs;
    yield next.value;
  }
}

/** Makes the seeds, runs all cases. */
export async function runFuzz(options: RunOptions): Promise<RunResult> {
  const { say, children, coverage, coverageCases } = options;
  const root = mkdtempSync(join(tmpdir(), 'ipbp-fuzz-'));
  const targets: Record<string, Tally> = {};
  const failures: Failure[] = [];
  const start = performance.now();
  try {
    makeSeeds(root);
    const jobs = share(options, (target) => failures.filter((failure) => failure.target === target).length);
    let cases = 0;
    const done = (job: Job, { tally, failure }: Answer): void => {
      targets[job.target] = addTally(targets[job.target] ?? noTally(), tally);
      const before = cases;
      cases += tally.cases;
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      if (Math.floor(cases / PROGRESS) > Math.floor(before / PROGRESS)) say(`${cases} cases after ${seconds} s`);
      if (failure === null) return;
      failures.push(failure);
      const { target, seed, file, changes, what } = failure;
      say(`FAIL ${target} (seed ${seed}): ${file} ${JSON.stringify(changes)}\n     ${what.replace(/\n/g, '\n     ')}`);
    };
    const pool = { root, children, jobTime: JOB_TIME };
    // Counting what is run costs half as much again: only the first cases are run like that.
    if (coverage !== null) await runJobs(take(jobs, coverageCases), { ...pool, coverage }, done);
    await runJobs(jobs, { ...pool, coverage: null }, done);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return { targets, failures, seconds: (performance.now() - start) / 1000 };
}

/** A line for people. */
export function lineOf(name: string, { cases, accepted, refused, slowestMs, mostAllocated }: Tally): string {
  const codes = Object.entries(refused)
    .map(([code, count]) => `${code} ${count}`)
    .join(', ');
  const most = `slowest ${slowestMs.toFixed(0)} ms, most ${(mostAllocated / 2 ** 20).toFixed(1)} MB`;
  return `${name.padEnd(14)} ${cases} cases: ${accepted} read, refused: ${codes === '' ? 'none' : codes}; ${most}`;
}
