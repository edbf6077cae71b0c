// Runs the lines of shell around commands that write files as rustc would, in a directory like cargo's.
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCapture, type Unit } from '../cargo/unit.js';
import { createOwnOutputs, type OwnOutputs } from './own-outputs.js';
import { startSpawner, type FileLock, type JobResult, type Spawner } from './spawner.js';

let root: string;
let outputs: OwnOutputs;
let spawner: Spawner;
const OLD = new Date('2020-01-01');

test.before.each(() => {
  // Blanks and quotes: every path goes through a shell.
  root = mkdtempSync(join(tmpdir(), "ipbp own's-"));
  mkdirSync(join(root, 'debug/deps'), { recursive: true });
  spawner = startSpawner(join(root, 'jobs'));
  outputs = createOwnOutputs(join(root, 'own'));
});

test.after.each(async () => {
  await spawner.stop();
  rmSync(root, { recursive: true, force: true });
});

/** A unit as it is recorded. */
function unit(crate: string, type: 'lib' | 'bin'): Unit {
  const args = ['--crate-name', crate, '--crate-type', type, '--out-dir', deps(), '-C', 'extra-filename=-00aa'];
  const words = ['1', root, String(args.length + 1), 'rustc', ...args, `CARGO_PKG_NAME=${crate}`];
  return readCapture(Buffer.from(`${words.join('\0')}\0`), 'test');
}

function deps(name = ''): string {
  return join(root, 'debug/deps', name);
}

function record(crate: string): string {
  return join(root, `debug/.fingerprint/${crate}-00aa/dep-lib-${crate}`);
}

/** cargo compiles a library: outputs by rename as rustc does, then the dep-info. */
function cargoCompiles(crate: string, text: string): void {
  for (const suffix of ['rlib', 'rmeta']) {
    const path = deps(`lib${crate}-00aa.${suffix}`);
    writeFileSync(`${path}.new`, text);
    utimesSync(`${path}.new`, OLD, OLD);
    renameSync(`${path}.new`, path);
  }
  mkdirSync(join(record(crate), '..'), { recursive: true });
  writeFileSync(record(crate), text);
  utimesSync(record(crate), OLD, OLD);
}

/** Shell that does what rustc does to the outputs of a library. */
function writes(crate: string, text: string): string {
  return ['rlib', 'rmeta']
    .map((suffix) => `echo ${text} >new.tmp && mv new.tmp debug/deps/lib${crate}-00aa.${suffix}`)
    .join(' && ');
}

interface Replayed extends JobResult {
  readonly wasUnlocked: boolean;
}

async function replay(
  of: Unit,
  command: string,
  earlier: readonly Unit[] = [],
  locks: FileLock[] = [],
): Promise<Replayed> {
  const around = outputs.around(of, earlier);
  const job = { program: 'sh', args: ['-c', command], cwd: root, env: {}, unset: [], locks };
  const result = await spawner.start(around === null ? job : { ...job, around }).ended;
  return { ...result, wasUnlocked: around?.wasUnlocked() === true };
}

function text(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

function newest(of: Unit, name: string): string {
  return text(outputs.locate(of, deps(name)));
}

const base = (): Unit => unit('base', 'lib');
const app = (): Unit => unit('app', 'bin');

test('what cargo wrote is the same file afterwards, and what was replayed is found', async () => {
  cargoCompiles('base', 'cargo');
  const before = ['libbase-00aa.rlib', 'libbase-00aa.rmeta'].map((name) => statSync(deps(name)).ino);
  const { status, stdout, stderr } = await replay(base(), writes('base', 'ours'));
  assert.equal([status, stdout, stderr], [0, '', '']);
  assert.equal(
    ['libbase-00aa.rlib', 'libbase-00aa.rmeta'].map((name) => statSync(deps(name)).ino),
    before,
  );
  assert.is(statSync(deps('libbase-00aa.rlib')).mtimeMs, OLD.getTime());
  assert.is(statSync(record('base')).mtimeMs, OLD.getTime());
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'ours');
  assert.is(newest(base(), 'libbase-00aa.rlib'), 'ours');
});

test('a program that uses no replayed library needs nothing; one that does reads it, cargo does not', async () => {
  assert.is(outputs.around(app(), [base()]), null);
  cargoCompiles('base', 'cargo');
  await replay(base(), writes('base', 'ours'));
  const dependant = await replay(app(), 'cat debug/deps/libbase-00aa.rlib; ls debug/.fingerprint/base-00aa', [base()]);
  assert.is(dependant.stdout, 'ours\n', 'and there is no dep-info meanwhile');
  assert.is(text(deps('libbase-00aa.rlib')), 'cargo');
  assert.is(text(record('base')), 'cargo');
});

test('the next replay takes the place of the one before; errors leave that', async () => {
  cargoCompiles('base', 'cargo');
  await replay(base(), writes('base', 'first'));
  await replay(base(), writes('base', 'second'));
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'second');
  assert.is((await replay(base(), `${writes('base', 'half')}; echo wrong >&2; exit 3`)).status, 3);
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'second');
  assert.is(text(deps('libbase-00aa.rlib')), 'cargo');
  assert.is(text(record('base')), 'cargo');
});

test('what cargo compiled since counts, and not what was replayed before', async () => {
  cargoCompiles('base', 'cargo');
  await replay(base(), writes('base', 'ours'));
  cargoCompiles('base', 'newer');
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'newer');
  assert.is((await replay(app(), 'cat debug/deps/libbase-00aa.rlib', [base()])).stdout.trim(), 'newer');
  await replay(base(), writes('base', 'again'));
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'again');
  assert.is(text(deps('libbase-00aa.rlib')), 'newer');
  assert.is(text(record('base')), 'newer');
});

test('a library that cargo compiles during a replay is compiled again', async () => {
  cargoCompiles('base', 'cargo');
  await replay(
    base(),
    `${writes('base', 'ours')}; mkdir -p debug/.fingerprint/base-00aa; : >'${record('base').replaceAll("'", "'\\''")}'`,
  );
  assert.not(existsSync(record('base')));
  assert.is(outputs.around(app(), [base()]), null, 'nothing is kept');
});

test('what ends rustc does not keep cargo from its files', async () => {
  cargoCompiles('base', 'cargo');
  const running = replay(base(), `${writes('base', 'ours')}; : >running; sleep 60`);
  for (const end = Date.now() + 10_000; !existsSync(join(root, 'running')) && Date.now() < end;) await sleep(5);
  assert.not(existsSync(record('base')));
  assert.is(text(deps('libbase-00aa.rlib')), 'ours');
  const ended = running.catch(() => null);
  await spawner.stop();
  await ended;
  assert.is(text(deps('libbase-00aa.rlib')), 'cargo');
  assert.is(text(record('base')), 'cargo');
});

test('a library that cargo never wrote stays where rustc wrote it', async () => {
  await replay(base(), writes('base', 'ours'));
  assert.is(text(deps('libbase-00aa.rlib')), 'ours');
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'ours');
});

test('where files cannot be linked, cargo compiles the library again', async () => {
  cargoCompiles('base', 'cargo');
  const around = outputs.around(base(), []);
  assert.ok(around);
  rmSync(join(root, 'own', base().key, 'cargo'), { recursive: true });
  const job = { program: 'sh', args: ['-c', writes('base', 'ours')], cwd: root, env: {}, unset: [], locks: [], around };
  assert.is((await spawner.start(job).ended).status, 0);
  assert.is(text(deps('libbase-00aa.rlib')), 'ours');
  assert.not(existsSync(record('base')));
});

test("dep-info that was hidden comes back with the library's own next replay", async () => {
  cargoCompiles('base', 'cargo');
  await replay(base(), writes('base', 'ours'));
  const [hidden] = outputs.hidden(base());
  assert.ok(hidden);
  mkdirSync(hidden.kept);
  renameSync(record('base'), join(hidden.kept, 'dep-lib-base'));
  await replay(app(), 'true', [base()]);
  assert.not(existsSync(record('base')));
  await replay(base(), writes('base', 'again'));
  assert.is(text(record('base')), 'cargo');
});

test('forgotten: what cargo wrote is as new', async () => {
  cargoCompiles('base', 'cargo');
  await replay(base(), writes('base', 'ours'));
  outputs.forget(base());
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'cargo');
  assert.is(outputs.around(app(), [base()]), null);
});

test('told when a lock was not to be had', async () => {
  cargoCompiles('base', 'cargo');
  const file = join(root, 'lock');
  const lock = { file, shared: true, wait: false };
  assert.not((await replay(base(), writes('base', 'ours'), [], [lock])).wasUnlocked);
  const holds = { program: 'sh', args: ['-c', ': >held; sleep 1'], cwd: root, env: {}, unset: [] };
  const holder = spawner.start({ ...holds, locks: [{ file, shared: false, wait: true }] }).ended;
  for (const end = Date.now() + 10_000; !existsSync(join(root, 'held')) && Date.now() < end;) await sleep(5);
  assert.ok((await replay(base(), writes('base', 'ours'), [], [lock])).wasUnlocked);
  await holder;
});

test('a new session begins with what cargo wrote', async () => {
  cargoCompiles('base', 'cargo');
  await replay(base(), writes('base', 'ours'));
  outputs = createOwnOutputs(join(root, 'own'));
  assert.is(newest(base(), 'libbase-00aa.rmeta'), 'cargo');
  assert.equal(readdirSync(root).includes('own'), false);
});

test('files that have another name, too, keep it', async () => {
  cargoCompiles('base', 'cargo');
  linkSync(deps('libbase-00aa.rlib'), join(root, 'debug/libbase.rlib'));
  await replay(base(), writes('base', 'ours'));
  assert.is(statSync(join(root, 'debug/libbase.rlib')).ino, statSync(deps('libbase-00aa.rlib')).ino);
});

test.run();
