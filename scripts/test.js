// `npm test`: everything that guards the main line, from a fresh checkout on. Sets up, runs the quick checks (unit
// tests among them) and the tests against real processes, and ends with one line, `N passed, N failed`.
// Plain JavaScript on Node's own modules only, because it runs before `npm ci`.
import { spawn } from 'node:child_process';
import { ROOT, ensureDebianTools, setUp } from './setup.js';

/** Runs a script of ours, passing its output on; returns the counts of its last line. */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 2] });
    let rest = '';
    child.stdout.on('data', (chunk) => {
      // Whole lines are passed on, but the last is held back: it is the part's summary, not the whole's.
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.splice(-2).join('\n');
      for (const line of lines) process.stdout.write(`${line}\n`);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const summary = /^(\d+) passed, (\d+) failed\n?$/.exec(rest);
      if (summary === null) process.stdout.write(`${rest}\n${args.join(' ')} gave no summary\n`);
      const failed = Number(summary?.[2] ?? 1);
      if (code !== 0) process.stdout.write(`${args.join(' ')} ended with ${code ?? signal}\n`);
      resolve({ passed: Number(summary?.[1] ?? 0), failed: code === 0 ? failed : Math.max(1, failed) });
    });
  });
}

/** A set-up that fails is one failed test: nothing after it can be believed. */
function tryToSetUp() {
  try {
    ensureDebianTools();
    setUp();
    return true;
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

const outcomes = tryToSetUp()
  ? [await run(['scripts/check.ts']), await run(['scripts/test-runner.ts', 'live'])]
  : [{ passed: 0, failed: 1 }];
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
