// Hands jobs to child processes and watches them: one that does not answer in time, or dies of its memory, is ended, its
// job is run again with every case written down first, and the case that does it is told.
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from './mutations.js';
import type { Tally } from './trial.js';

/** Cases that a child runs in one go: fast-check makes them from the seed, or from the path to one of them. */
export interface Job {
  readonly target: string;
  readonly seed: number;
  readonly runs: number;
  readonly path: string | null;
  /** Where to write each case before it runs. */
  readonly trace: string | null;
}

/** A case that went wrong, so that it can be run again. */
export interface Failure {
  readonly target: string;
  readonly seed: number;
  /** Of fast-check; empty where the child was ended. */
  readonly path: string;
  readonly file: string;
  readonly changes: readonly Change[];
  readonly what: string;
}

/** What a child says of a job. */
export interface Answer {
  readonly tally: Tally;
  readonly failure: Failure | null;
}

/** Where children come from and how long a job may take, in ms. */
export interface PoolOptions {
  readonly root: string;
  readonly children: number;
  readonly jobTime: number;
  /** Folder for V8's coverage, or null. */
  readonly coverage: string | null;
}

/** MB of a child's JavaScript heap. */
const HEAP = 384;
const CHILD = join(import.meta.dirname, 'child', 'main.ts');

function start({ root, coverage }: PoolOptions): ChildProcess {
  return fork(CHILD, [root], {
    execArgv: ['--import', 'tsx', `--max-old-space-size=${HEAP}`],
    env: { ...process.env, ...(coverage === null ? {} : { NODE_V8_COVERAGE: coverage }) },
  });
}

/** The child's answer; in words why there is none. */
function ask(child: ChildProcess, job: Job, time: number): Promise<Answer | string> {
  return new Promise((resolve) => {
    const settle = (answer: Answer | string): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      child.removeAllListeners();
      child.kill('SIGKILL');
      settle(`did not end within ${time / 1000} s`);
    }, time);
    child.once('message', (answer) => settle(answer as Answer));
    child.once('error', (error) => settle(`the process failed: ${error.message}`));
    child.once('exit', (code, signal) => settle(`the process ended with ${signal ?? code}`));
    child.send(job);
  });
}

/** Runs jobs as the children become free; `done` is told of each answer. Ends when all are answered. */
export async function runJobs(
  jobs: Iterable<Job>,
  options: PoolOptions,
  done: (job: Job, answer: Answer) => void,
): Promise<void> {
  const queue = jobs[Symbol.iterator]();
  const work = async (lane: number): Promise<void> => {
    let child: ChildProcess | null = null;
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      child ??= start(options);
      const answer = await ask(child, next.value, options.jobTime);
      if (typeof answer !== 'string') {
        done(next.value, answer);
        continue;
      }
      child = null;
      done(next.value, await findCulprit(next.value, answer, options, lane));
    }
    await end(child);
  };
  await Promise.all(Array.from({ length: options.children }, (_, lane) => work(lane)));
}

/** Runs the job again with every case written down; the last that was begun is the one. */
async function findCulprit(job: Job, what: string, options: PoolOptions, lane: number): Promise<Answer> {
  const trace = join(options.root, `trace-${lane}.json`);
  const child = start(options);
  const again = await ask(child, { ...job, trace }, options.jobTime * 2);
  if (typeof again !== 'string') {
    await end(child);
    // It ended this time: the machine was busy, or the memory of earlier jobs counted.
    return again;
  }
  const { file, changes } = JSON.parse(readFileSync(trace, 'utf8')) as Pick<Failure, 'file' | 'changes'>;
  rmSync(trace);
  const { target, seed } = job;
  const none = {
    cases: 0,
    accepted: 0,
    refused: {},
    slowestMs: 0,
    largestInput: 0,
    mostAllocated: 0,
    measuredAgain: 0,
  };
  return { tally: none, failure: { target, seed, path: '', file, changes, what: `${what}; again: ${again}` } };
}

async function end(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null) return;
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.send('end');
  });
}
