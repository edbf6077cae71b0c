// The commands that ask a session, against a control socket with a session behind it that only remembers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../codes/error.js';
import { openControl, type Control } from '../host/control/control.js';
import type { PatchedEvent, UndoneEvent } from '../host/events.js';
import type { SessionStatus } from '../host/control/control.js';
import type { Session } from '../host/session/session.js';
import { renderStatus } from './apply.js';
import { runCommandLine } from './command-line.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-ask-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));
// Other sessions of this user must not be seen by the test, nor it by them.
process.env.XDG_RUNTIME_DIR = FOLDER;

const STATUS: SessionStatus = {
  id: 'a1b2c3d4',
  directory: '/home/me/app',
  pid: 77,
  executable: '/home/me/app/target/debug/app',
  buildId: 'c0ffee',
  target: 'x86_64-unknown-linux-gnu',
  crates: ['app', 'tank'],
  patches: [
    { patch: 1, functions: ['app::tick'], live: true },
    { patch: 2, functions: [], live: false },
  ],
  at: 5,
};

const PATCHED: PatchedEvent = {
  event: 'patched',
  at: 9,
  patch: 2,
  functions: [{ name: 'app::tick', verdict: 'redirected' }],
  data: [],
  bytes: 4096,
  ms: { scan: 0, diff: 0, link: 0, apply: 2, total: 2 },
  sinceSaveMs: null,
  warnings: [],
};

/** What the session was asked, in order. */
const asked: string[] = [];

const SESSION: Omit<Session, 'done'> = {
  id: STATUS.id,
  status: () => STATUS,
  stop: () => undefined,
  interrupt: () => undefined,
  async apply(file) {
    asked.push(`apply ${file}`);
    return PATCHED;
  },
  async undo(n = 1) {
    asked.push(`undo ${n}`);
    return Array.from({ length: n }, (_, i): UndoneEvent => ({ event: 'undone', at: 9, patch: n - i, now: n - i - 1 }));
  },
  async redo() {
    throw new IpbpError('IPBP5013', 'there is no patch to redo', { expected: 'an undo before', where: 'session' });
  },
};

let control: Control;
test.before(async () => {
  control = await openControl(SESSION);
});
test.after(() => control.close());

async function ipbp(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const surroundings = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
  };
  const { status } = await runCommandLine(args, surroundings, '0.0.0');
  return { status, stdout, stderr };
}

test('apply sends the absolute path of the file and shows the patch', async () => {
  const file = join(FOLDER, 'fix.ipbp');
  writeFileSync(file, '');
  assert.equal(await ipbp('apply', file), { status: 0, stdout: '', stderr: 'ipbp  patched #2  tick  2 ms\n' });
  assert.is(asked.at(-1), `apply ${file}`);
});

test('a missing file is told before the session is asked', async () => {
  const before = asked.length;
  const { status, stderr } = await ipbp('apply', join(FOLDER, 'missing'));
  assert.is(status, 1);
  assert.match(stderr, /^ipbp: error IPBP5903 /);
  assert.is(asked.length, before);
});

test('undo takes back one, or as many as it is told, each an event', async () => {
  assert.is((await ipbp('undo')).stderr, 'ipbp  undone  #1; the program is as it was built\n');
  const { stdout } = await ipbp('undo', '2', '--json', '--session', STATUS.id);
  assert.equal(
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
    [
      { event: 'undone', at: 9, patch: 2, now: 1 },
      { event: 'undone', at: 9, patch: 1, now: 0 },
    ],
  );
  assert.equal(asked.slice(-2), ['undo 1', 'undo 2']);
});

test("the session's error keeps its code and details", async () => {
  const { status, stdout } = await ipbp('redo', '--json');
  assert.is(status, 1);
  assert.equal(JSON.parse(stdout), {
    event: 'error',
    code: 'IPBP5013',
    message: 'there is no patch to redo',
    expected: 'an undo before',
    where: 'session',
  });
});

test('a session that does not exist is an error', async () => {
  const { status, stderr } = await ipbp('status', '--session', 'ffff');
  assert.is(status, 1);
  assert.match(stderr, /^ipbp: error IPBP5012 /);
});

test('status prints what runs and its patches; --json all of it', async () => {
  const { stdout } = await ipbp('status');
  assert.is(stdout, `${renderStatus(STATUS, false).join('\n')}\n`);
  assert.equal(renderStatus(STATUS, false), [
    'session a1b2c3d4  /home/me/app/target/debug/app (pid 77)',
    '  build id c0ffee, x86_64-unknown-linux-gnu',
    '  following app, tank',
    '  #1  live  tick',
    '  #2  undone  data only',
  ]);
  const building = { ...STATUS, pid: null, executable: null, buildId: null, crates: [], patches: [] };
  assert.equal(renderStatus(building, false), [
    'session a1b2c3d4  cargo builds',
    '  no patches: the program is as it was built',
  ]);
  assert.equal(JSON.parse((await ipbp('status', '--json')).stdout), { event: 'status', ...STATUS });
});

test.run();
