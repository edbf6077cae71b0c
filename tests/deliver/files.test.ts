// Patch files that are shared libraries: the same bytes wherever they are made, applied by whatever session.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReadyEvent } from '../../src/host/events.js';
import type { CargoFixture } from '../cargo-fixture.js';
import { ipbp, mappingsOf, startTalker, talkerFixture, talkerSource, type Talker } from '../talker.js';

const VERSIONS = { old: '"hello"', new: '"howdy"', newer: '"salve"' };
type Version = keyof typeof VERSIONS;

const test = suite('files');
let fixture: CargoFixture;
let talker: Talker;
let ready: ReadyEvent;

function build(version: Version): void {
  fixture.write('src/main.rs', talkerSource(VERSIONS[version]));
  fixture.cargo(['build', '--target-dir', `target-${version}`]);
  mkdirSync(fixture.path(version));
  cpSync(fixture.path(`target-${version}/debug/incremental`), fixture.path(`${version}/incremental`), {
    recursive: true,
  });
  cpSync(fixture.path(`target-${version}/debug/talker`), fixture.path(`${version}/talker`));
}

async function buildPatch(file: string, from: Version, to: Version, ...more: string[]): Promise<string> {
  const sides = ['--old', `${from}/incremental`, '--new', `${to}/incremental`];
  const built = await ipbp(fixture.root, 'build-patch', '--base', 'old/talker', ...sides, '-o', file, ...more);
  assert.is(built.status, 0, built.output);
  return built.output;
}

const act = (...args: string[]): ReturnType<typeof ipbp> =>
  ipbp(fixture.root, ...args, '--json', '--session', ready.session);

test.before(async () => {
  fixture = talkerFixture();
  for (const version of ['new', 'newer', 'old'] as const) build(version);
  talker = startTalker(fixture.root, ['--target-dir', 'target-old']);
  ready = await talker.ready();
  await talker.says('hello.');
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

test('a shared library that other tools read, with the same bytes every time', async () => {
  await buildPatch('one.so', 'old', 'new', '--emit', 'dylib');
  await buildPatch('again.so', 'old', 'new', '--emit', 'dylib');
  assert.equal(readFileSync(fixture.path('one.so')), readFileSync(fixture.path('again.so')));
  const text = execFileSync('readelf', ['-hlSsW', fixture.path('one.so')], { encoding: 'utf8' });
  assert.match(text, /DYN \(Shared object file\)/);
  assert.match(text, /FUNC +GLOBAL DEFAULT +\d+ _ZN6talker5words4word/);
  const dumped = await ipbp(fixture.root, 'dump', 'one.so');
  assert.is(dumped.status, 0, dumped.output);
  assert.match(dumped.output, /redirected function talker::words::word/);
});

test('applied in a session that maps its own patches', async () => {
  const applied = await act('apply', 'one.so');
  assert.is(applied.status, 0, applied.output);
  await talker.says('howdy.');
  assert.ok(mappingsOf(ready.pid).some(({ path }) => path.includes('ipbp-patch')));
});

test('what comes after a library is one, whatever was asked for', async () => {
  await buildPatch('two.so', 'new', 'newer', '--after', 'one.so');
  const dumped = await ipbp(fixture.root, 'dump', 'two.so');
  assert.match(dumped.output, /redirected function talker::words::word/);
  execFileSync('readelf', ['-h', fixture.path('two.so')]);
  const applied = await act('apply', 'two.so');
  assert.is(applied.status, 0, applied.output);
  await talker.says('salve.');
  assert.is((await act('undo')).status, 0);
  await talker.says('howdy.');
  assert.is((await act('undo')).status, 0);
  await talker.says('hello.');
});

test('an edit of the session after it', async () => {
  assert.is((await act('redo')).status, 0);
  await talker.says('howdy.');
  await talker.save(fixture, talkerSource('"edited"'), 'patched');
  await talker.says('edited.');
});

test('damaged files are refused, and nothing changes', async () => {
  const bytes = readFileSync(fixture.path('one.so'));
  await talker.untouchedBy(async () => {
    for (const size of [0, 100, bytes.length - 1000, bytes.length - 1]) {
      writeFileSync(fixture.path('damaged.so'), bytes.subarray(0, size));
      const refused = await act('apply', 'damaged.so');
      assert.is(refused.status, 1, `${size} bytes`);
      assert.match(refused.output, /IPBP10\d\d/);
    }
  });
});

test.run();
