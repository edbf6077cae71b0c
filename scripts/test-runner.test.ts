// The runner's own test: every way in which uvu 0.5.6 passes silently must come out as a failure.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FileResult, runFile } from './test-runner.js';

function run(fixture: string, timeout = 30_000): Promise<FileResult> {
  return runFile(`scripts/fixtures/test-runner/${fixture}.ts`, timeout);
}

test('tests that pass are counted over all suites', async () => {
  const result = await run('passes');
  assert.equal(result.problems, []);
  assert.is(result.passed, 2);
  assert.is(result.failed, 0);
});

/** Fixture, passed, failed, what the first problem or any must say. */
const FAILURES: readonly (readonly [string, number, number, RegExp])[] = [
  ['fails', 1, 1, /ended with 1/],
  ['forgets-run', 1, 1, /1 of 2 declared tests ran/],
  ['runs-early', 1, 1, /1 of 2 declared tests ran/],
  ['throws-string', 0, 1, /1 tests failed/],
  ['throws-undefined', 0, 1, /1 tests failed/],
  ['before-throws', 0, 1, /before hook threw Error: no ground to stand on/],
  ['after-throws', 1, 1, /after hook threw Error: left a mess/],
  ['no-tests', 0, 1, /no test was declared/],
  ['no-uvu', 0, 1, /left no tally/],
  ['skips', 1, 1, /1 skipped/],
  ['singles-out', 1, 1, /1 singled out/],
  ['is-killed', 0, 1, /ended with SIGKILL/],
  ['exits-zero', 0, 2, /1 of 2 declared tests ran/],
];

for (const [fixture, passed, failed, problem] of FAILURES) {
  test(`${fixture} is a failure`, async () => {
    const result = await run(fixture);
    assert.match(result.problems.join('\n'), problem);
    assert.is(result.passed, passed);
    assert.is(result.failed, failed);
  });
}

test('an open handle is named and does not hang the run', async () => {
  const result = await run('open-handle', 2000);
  assert.match(result.problems.join('\n'), /an open handle/);
  assert.is(result.failed, 1);
});

test('an endless test is stopped', async () => {
  const result = await run('never-ends', 2000);
  assert.match(result.problems.join('\n'), /a test did not end/);
  assert.is(result.failed, 1);
});

test('programs that a test leaves behind are ended', async () => {
  const result = await run('leaves-process');
  assert.equal(result.problems, []);
  const left = Number(/left:(\d+)/.exec(result.output)?.[1]);
  assert.ok(left > 0);
  for (let tries = 0; tries < 50 && isAlive(left); tries++) await new Promise((done) => setTimeout(done, 20));
  assert.not(isAlive(left));
});

/** False for a process that has ended, also while nobody has collected its status. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test.run();
