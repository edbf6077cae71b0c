// The runners that `ipbp init` leaves: what they start where there is nothing to follow.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runnerScript, writeInitScripts } from './init-scripts.js';

const HOST = 'x86_64-unknown-linux-gnu';
const ROOT = mkdtempSync(join(tmpdir(), 'ipbp-init-'));
process.on('exit', () => {
  rmSync(ROOT, { recursive: true, force: true });
});
const SCRIPTS = join(ROOT, '.cargo', 'ipbp');
const PROFILE = join(ROOT, 'target', 'debug');

/** A script that says its name and what it was called with, and goes on with that if it is told. */
function tool(path: string, rest = ''): string {
  writeFileSync(path, `#!/bin/sh\necho "\${0##*/} $*"\n${rest}`);
  chmodSync(path, 0o755);
  return path;
}

mkdirSync(PROFILE, { recursive: true });
writeFileSync(join(PROFILE, '.cargo-lock'), '');
const PROGRAM = tool(join(PROFILE, 'app'));
const EMULATOR = tool(join(ROOT, 'an emulator'));
const WRAPPER = tool(join(ROOT, 'wrapper'), 'shift\nexec "$@"\n');
const runners = new Map([
  [HOST, [WRAPPER, '-w']],
  ['aarch64-apple-darwin', [EMULATOR, '-e']],
]);
const local = { node: '/no/node', nodeOptions: [], program: '/no/ipbp', links: () => ({}) };
writeInitScripts(ROOT, SCRIPTS, { rustcWrapper: null, runners }, local, HOST);

function run(triple: string, environment: Readonly<Record<string, string>>): string {
  const script = join(SCRIPTS, runnerScript(triple, HOST));
  return execFileSync(script, [PROGRAM, 'x'], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', ...environment } });
}

test('a runner that emulates another machine is called last, also where ipbp is not there', () => {
  for (const environment of [{}, { IPBP: '0' }, { CI: '1' }]) {
    assert.is(run('aarch64-apple-darwin', environment), `an emulator -e ${PROGRAM} x\n`);
  }
});

test('another runner is called first, with ours behind it', () => {
  assert.is(run(HOST, { IPBP: '0' }), `wrapper -w ${PROGRAM} x\napp x\n`);
  assert.is(run(HOST, {}), `wrapper -w ${join(SCRIPTS, 'runner')} --ipbp-program ${PROGRAM} x\napp x\n`);
});

test.run();
