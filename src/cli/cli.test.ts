// The command line as a process: exit statuses, purity of --json, help. Few, as each starts Node with a compiler in it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCommandLine } from './command-line.js';

const TSX = import.meta.resolve('tsx');
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-cli-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ipbp(...args: string[]): Ended {
  const options = { cwd: FOLDER, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', TSX, MAIN, ...args], options);
  return { status, stdout, stderr };
}

/** The lines of stdout, each of which must be a JSON object. */
function records(stdout: string): Record<string, unknown>[] {
  assert.ok(stdout === '' || stdout.endsWith('\n'));
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A command line in this process. */
async function inProcess(...args: string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const surroundings = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
  };
  const { status } = await runCommandLine(args, surroundings, '1.2.3');
  return { status, stdout, stderr };
}

const COMMANDS = ['run', 'init', 'build-patch', 'diff', 'apply', 'undo', 'redo', 'status', 'link', 'dump', 'doctor'];

test('help lists just the commands that work, and has examples', async () => {
  const { status, stdout } = await inProcess('--help');
  assert.is(status, 0);
  const listed = [...stdout.matchAll(/^ {2}([a-z-]+) .*? {2,}\S/gm)].map((match) => match[1]);
  assert.equal(listed, [...COMMANDS, 'help']);
  assert.match(stdout, /\nExamples:\n {2}.*ipbp /);
});

for (const name of COMMANDS) {
  test(`ipbp ${name} --help has an example and the common flags`, async () => {
    const { status, stdout, stderr } = await inProcess(name, '--help');
    assert.is(status, 0);
    assert.is(stderr, '');
    assert.match(stdout, /\nExamples?:\n {2}.*ipbp /);
    for (const flag of ['--json', '--quiet', '--verbose', '--help']) assert.ok(stdout.includes(flag), flag);
  });
}

test('the help of run says what a full-screen program needs', async () => {
  assert.match((await inProcess('run', '--help')).stdout, /whole screen use --quiet/);
});

test('--help and --version end with 0', () => {
  const help = ipbp('run', '--help');
  assert.is(help.status, 0);
  assert.match(help.stdout, /Usage: ipbp run/);
  assert.is(help.stderr, '');
  const version = ipbp('--version');
  assert.is(version.status, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('the bare name shows what there is, and ends with 2', async () => {
  const ended = await inProcess();
  assert.is(ended.status, 2);
  assert.is(ended.stdout, '');
  assert.match(ended.stderr, /Usage: ipbp/);
});

/** Command lines that make no sense, each with the code and a word of what is said. */
const WRONG: readonly (readonly [args: readonly string[], code: string, said: RegExp])[] = [
  [['frobnicate'], 'IPBP5901', /frobnicate/],
  [['diff', '--old', 'a.o'], 'IPBP5901', /--new/],
  [['run', '--on-refusal', 'perhaps'], 'IPBP5901', /perhaps/],
  [['run', '+nightly'], 'IPBP5901', /toolchain/],
  [['undo', 'all'], 'IPBP5901', /count/],
];

for (const [args, code, said] of WRONG) {
  test(`ipbp ${args.join(' ')} ends with 2 and ${code}`, async () => {
    const plain = await inProcess(...args);
    assert.is(plain.status, 2);
    assert.is(plain.stdout, '');
    assert.ok(plain.stderr.startsWith(`ipbp: error ${code} `), plain.stderr);
    assert.match(plain.stderr, said);
    assert.not.match(plain.stderr, /\n\s+at .*\.ts:/);
  });
}

test('with --json an error is a record on stdout and nothing is on stderr', () => {
  const ended = ipbp('diff', '--json', '--old', 'nowhere.o', '--new', 'nowhere.o');
  assert.is(ended.status, 1);
  assert.equal(records(ended.stdout), [
    { event: 'error', code: 'IPBP5903', message: 'no such file or directory', where: 'nowhere.o' },
  ]);
  assert.is(ended.stderr, '');
});

test('a file that is no object is refused with its code', () => {
  writeFileSync(join(FOLDER, 'text.o'), 'hello');
  const ended = ipbp('diff', '--old', 'text.o', '--new', 'text.o');
  assert.is(ended.status, 1);
  assert.match(ended.stderr, /^ipbp: error IPBP1003 /);
  assert.match(ended.stderr, /text\.o/);
});

test.run();
