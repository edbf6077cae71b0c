// Runs test files so that none can pass silently. Each file gets a process of its own (a file that hangs or crashes
// takes nothing with it), a time limit, and the counted uvu (uvu-counted.js), whose tally must agree with what uvu
// printed. Owns: selection, processes, verdicts, the summary. Knows nothing of what is tested.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** How long a process group may keep its pipes open after its leader has ended, in ms. */
const GRACE = 500;

/** How long a process may live after its tests have ended, in ms: what it started gets the time to end. */
const LINGER = 30_000;

/** How much output of one file is kept, in bytes; the end is what matters. */
const OUTPUT_LIMIT = 1 << 20;

/** What uvu-counted.js writes when a test process ends. */
interface Tally {
  readonly declared: number;
  readonly executed: number;
  readonly passed: number;
  readonly skipped: number;
  readonly only: number;
  readonly problems: readonly string[];
}

/** The verdict on one file; it passed when `problems` is empty. */
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  /** Tests that did not pass; at least 1 when there is any problem. */
  readonly failed: number;
  readonly problems: readonly string[];
  readonly output: string;
  readonly ms: number;
}

/** How files are run. */
export interface RunOptions {
  /** Of each file, in ms. */
  readonly timeout: number;
  readonly workers: number;
}

interface Ended {
  readonly status: string;
  readonly output: string;
  readonly timedOut: boolean;
}

const running = new Set<number>();

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

/** Starts one file and waits for its end; whatever it left running is ended too. */
function execute(file: string, tallyFile: string, timeout: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const hook = pathToFileURL(join(ROOT, 'scripts', 'uvu-hook.js')).href;
    const child = spawn(process.execPath, ['--import', 'tsx', '--import', hook, file], {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, IPBP_TEST_TALLY: tallyFile, NO_COLOR: '1', FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let timedOut = false;
    let linger: NodeJS.Timeout | undefined;
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
      if (printedTotals(output) !== null) linger ??= setTimeout(stop, LINGER);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    const pid = child.pid;
    if (pid === undefined) return;
    running.add(pid);
    const stop = (): void => {
      timedOut = true;
      killGroup(pid);
    };
    const limit = setTimeout(stop, timeout);
    child.on('exit', (code, signal) => {
      clearTimeout(limit);
      clearTimeout(linger);
      killGroup(pid);
      running.delete(pid);
      const settle = (): void => resolve({ status: signal ?? String(code), output, timedOut });
      const grace = setTimeout(settle, GRACE);
      child.on('close', () => {
        clearTimeout(grace);
        settle();
      });
    });
  });
}

async function readTally(file: string): Promise<Tally | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Tally;
  } catch {
    return null;
  }
}

/** The last `Total:` and `Passed:` that uvu printed, or null. */
function printedTotals(output: string): { total: number; passed: number } | null {
  const found = [...output.matchAll(/^ {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)$/gm)].at(-1);
  return found === undefined ? null : { total: Number(found[1]), passed: Number(found[2]) };
}

function problemsOf(ended: Ended, tally: Tally | null, timeout: number): string[] {
  const printed = printedTotals(ended.output);
  if (ended.timedOut) {
    if (printed === null) return [`stopped after ${timeout / 1000} s: a test did not end`];
    return ['stopped: all tests ended but the process did not: an open handle'];
  }
  const problems: string[] = [];
  if (ended.status !== '0') problems.push(`the process ended with ${ended.status}`);
  if (tally === null) return [...problems, 'the process left no tally: it crashed, or never imported uvu'];
  problems.push(...tally.problems);
  if (tally.declared === 0) problems.push('no test was declared');
  if (tally.skipped > 0) problems.push(`${tally.skipped} skipped by test.skip`);
  if (tally.only > 0) problems.push(`${tally.only} singled out by test.only`);
  if (tally.executed !== tally.declared) {
    problems.push(`${tally.executed} of ${tally.declared} declared tests ran: is .run() missing, or too early?`);
  }
  if (tally.passed !== tally.executed) problems.push(`${tally.executed - tally.passed} tests failed`);
  if (printed === null) problems.push('uvu printed no totals');
  else if (printed.total !== tally.declared || printed.passed !== tally.passed) {
    problems.push(`uvu counted ${printed.passed} of ${printed.total}, the tally ${tally.passed} of ${tally.declared}`);
  }
  return problems;
}

/** Runs one test file in its own process. `file` is relative to the checkout or absolute. */
export async function runFile(file: string, timeout: number): Promise<FileResult> {
  const folder = await mkdtemp(join(tmpdir(), 'ipbp-test-'));
  const start = performance.now();
  try {
    const tallyFile = join(folder, 'tally.json');
    const ended = await execute(file, tallyFile, timeout);
    const tally = await readTally(tallyFile);
    const problems = problemsOf(ended, tally, timeout);
    const passed = tally?.passed ?? 0;
    const missed = (tally?.declared ?? 0) - passed + (tally?.skipped ?? 0);
    const failed = problems.length === 0 ? 0 : Math.max(1, missed);
    return { file, passed, failed, problems, output: ended.output, ms: performance.now() - start };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(result: FileResult): void {
  const seconds = (result.ms / 1000).toFixed(1);
  const verdict = result.problems.length === 0 ? 'ok  ' : 'FAIL';
  process.stdout.write(`${verdict} ${result.file} (${result.passed} passed, ${seconds} s)\n`);
  if (result.problems.length === 0) return;
  for (const line of result.output.trimEnd().split('\n')) process.stdout.write(`     | ${line}\n`);
  for (const problem of result.problems) process.stdout.write(`     ${problem}\n`);
}

/** Runs all files, at most `workers` at a time, printing a line for each as it ends. */
export async function runFiles(files: readonly string[], options: RunOptions): Promise<FileResult[]> {
  const queue = [...files];
  const results: FileResult[] = [];
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runFile(file, options.timeout);
      results.push(result);
      print(result);
    }
  };
  await Promise.all(Array.from({ length: options.workers }, work));
  return results;
}

const SELECTIONS = {
  // Beside the sources and the project's own scripts: quick, independent of each other.
  unit: { folders: ['src', 'agent/web', 'scripts', 'conformance'], timeout: 120_000, workers: 2 },
  // Against real processes: one at a time, because they measure and they compile.
  live: { folders: ['tests'], timeout: 1_200_000, workers: 1 },
} as const;

async function testFiles(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((file) => !file.split('/').some((part) => part === 'node_modules' || part === 'target'))
    .sort();
}

/** `unit` or `live`, then words that a file's path must contain one of. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...words] = args;
  if (name !== 'unit' && name !== 'live') {
    process.stderr.write('usage: test-runner unit|live [part of a file name…]\n');
    return 2;
  }
  const { folders, timeout, workers } = SELECTIONS[name];
  const all = (await Promise.all(folders.map(testFiles))).flat();
  const files = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (files.length === 0) process.stdout.write(`no ${name} test files found\n`);
  const results = await runFiles(files, { timeout, workers });
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0) + (files.length === 0 ? 1 : 0);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      for (const pid of running) killGroup(pid);
      process.exit(1);
    });
  }
  process.exitCode = await main(process.argv.slice(2));
}
