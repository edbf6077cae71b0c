// The runner between cargo and the program: what it starts, in which order, and with which environment.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runnerEnvironment, say } from './cargo-run.js';
import { shellQuote, writeScripts } from './scripts.js';

const DIRECTORY = mkdtempSync(join(tmpdir(), 'ipbp-scripts-'));
process.on('exit', () => {
  rmSync(DIRECTORY, { recursive: true, force: true });
});

/** A program that writes down what it was called with. */
function recorder(name: string, rest: string): string {
  const path = join(DIRECTORY, name);
  writeFileSync(
    path,
    `#!/bin/sh\nprintf '%s|' ${name.replaceAll(' ', '_')} "$@" "LIB=$DYLD_INSERT_LIBRARIES" "$IPBP_EMULATOR"\n${rest}`,
  );
  chmodSync(path, 0o755);
  return path;
}

/** Starts the runner as cargo does, opens its gate, and gives what was written. */
async function run(environment: Readonly<Record<string, string>>, program: string): Promise<string> {
  const session = join(DIRECTORY, 'session');
  rmSync(session, { recursive: true, force: true });
  mkdirSync(session);
  const { runner } = writeScripts(join(DIRECTORY, 'scripts'));
  const child = spawn(runner, [program, 'an argument'], {
    env: { PATH: process.env['PATH'] ?? '', IPBP_SESSION: session, IPBP_HOST: String(process.pid), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written += text));
  const exited = new Promise<void>((fulfil) => child.once('close', () => fulfil()));
  while (!existsSync(join(session, 'started'))) await sleep(5);
  assert.is(readFileSync(join(session, 'started'), 'utf8').split('\0')[2], program);
  writeFileSync(join(session, 'program-env'), 'export DYLD_INSERT_LIBRARIES=/agent\n');
  await say(
    join(session, 'gate'),
    'go',
    exited.then(() => ({ code: 0, signal: null })),
  );
  await exited;
  return written;
}

test('a runner that emulates a machine comes last, with the agent in its environment', async () => {
  const emulator = recorder('the emulator', '');
  const environment = runnerEnvironment({ runner: { words: [emulator, '-L', 'a b'], asText: false }, emulated: true });
  const program = join(DIRECTORY, 'program of another machine');
  assert.is(await run(environment, program), `the_emulator|-L|a b|${program}|an argument|LIB=/agent||`);
});

test('another runner comes first, and has no agent', async () => {
  const wrapper = recorder('wrapper', 'exec "$@"\n');
  const environment = runnerEnvironment({ runner: { words: [wrapper], asText: false }, emulated: false });
  const written = await run(environment, recorder('program', ''));
  assert.match(
    written,
    /^wrapper\|.*\/runner\|--ipbp-session\|.*\|an argument\|LIB=\|\|program\|an argument\|LIB=\/agent\|\|$/,
  );
});

test('words of a shell are quoted', () => {
  assert.equal(["it's", 'plain-1.0', ''].map(shellQuote), ["'it'\\''s'", 'plain-1.0', "''"]);
});

test.run();
