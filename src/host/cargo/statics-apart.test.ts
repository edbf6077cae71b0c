import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeScripts } from './scripts.js';

const directory = mkdtempSync(join(tmpdir(), 'ipbp-scripts-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const scripts = writeScripts(join(directory, 'bin'));
const rustc = join(directory, 'rustc');
writeFileSync(rustc, `#!/bin/sh\nprintf '%s\\n' "$@"\n`);
chmodSync(rustc, 0o755);

/** What rustc is called with, and what is recorded of it. */
function wrapped(target: string, incremental: boolean): { readonly called: string[]; readonly recorded: string } {
  const units = mkdtempSync(join(directory, 'units-'));
  const args = ['--crate-name', 'app', '-C', 'extra-filename=-1', ...(incremental ? ['-C', 'incremental=/tmp/x'] : [])];
  const env = { PATH: process.env['PATH'], IPBP_UNITS: units, IPBP_TARGET: target };
  const called = execFileSync(scripts.rustcWrapper, [rustc, ...args], { encoding: 'utf8', env })
    .trim()
    .split('\n');
  const recorded = incremental ? readFileSync(join(units, 'app-1', 'capture'), 'utf8') : '';
  return { called, recorded };
}

const APART = 'llvm-args=-aarch64-enable-global-merge=false';

test('statics are kept apart where LLVM would merge them, in builds and in what is replayed', () => {
  for (const target of ['aarch64-apple-darwin', 'aarch64-unknown-linux-gnu']) {
    const { called, recorded } = wrapped(target, true);
    assert.equal(called.slice(-2), ['-C', APART]);
    assert.ok(recorded.includes(`\0${APART}\0`));
  }
});

test('other machines, and what is not followed, are compiled as cargo says', () => {
  for (const { called, recorded } of [wrapped('x86_64-apple-darwin', true), wrapped('aarch64-apple-darwin', false)]) {
    assert.not(called.includes(APART));
    assert.not(recorded.includes(APART));
    assert.is(called[0], '--crate-name');
  }
});

test.run();
