// Patch files made offline: the same bytes wherever they are made, good for every process of their build and for no
// other, one on top of the other. Three processes run at once, each under its own `ipbp run`.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReadyEvent, SessionEvent } from '../../src/host/events.js';
import type { CargoFixture } from '../cargo-fixture.js';
import { ipbp, mappingsOf, startTalker, talkerFixture, talkerSource, type Talker } from '../talker.js';

/** What the program says, by version of its source. */
const VERSIONS = { old: '"hello"', new: '"howdy"', newer: 'format!("salve {}", _count - _count)' };
type Version = keyof typeof VERSIONS;

interface Running {
  readonly talker: Talker;
  readonly ready: ReadyEvent;
}

const test = suite('offline');
let fixture: CargoFixture;
let running: readonly Running[] = [];

/** The rlibs that rustc links every program with. */
const standardLibrary = ((): string[] => {
  const folder = execFileSync('rustc', ['--print', 'target-libdir'], { encoding: 'utf8' }).trim();
  const names = readdirSync(folder).filter((name) => name.endsWith('.rlib'));
  return names.map((name) => join(folder, name));
})();

/** Objects of a version, as cargo's incremental directory has them. */
const objects = (version: Version): string => join(version, 'incremental');

/** Builds a version where the project lies (its place is part of every name), and keeps executable and objects. */
function build(version: Version): void {
  fixture.write('src/main.rs', talkerSource(VERSIONS[version]));
  fixture.cargo(['build', '--target-dir', `target-${version}`]);
  mkdirSync(fixture.path(version));
  cpSync(fixture.path(`target-${version}/debug/incremental`), fixture.path(objects(version)), { recursive: true });
  cpSync(fixture.path(`target-${version}/debug/talker`), fixture.path(join(version, 'talker')));
}

function buildPatch(file: string, from: Version, to: Version, ...more: string[]): ReturnType<typeof ipbp> {
  const sides = ['--old', objects(from), '--new', objects(to), '--lib', ...standardLibrary];
  return ipbp(fixture.root, 'build-patch', '--json', '--base', join('old', 'talker'), ...sides, '-o', file, ...more);
}

const act = (ready: ReadyEvent, ...args: string[]): ReturnType<typeof ipbp> =>
  ipbp(fixture.root, ...args, '--json', '--session', ready.session);

/** Codes in what a command printed. */
const codesIn = (output: string): string[] => [...new Set(output.match(/IPBP\d{4}/g))];

test.before(async () => {
  fixture = talkerFixture();
  for (const version of ['new', 'newer', 'old'] as const) build(version);
  const first = startTalker(fixture.root, ['--target-dir', 'target-old']);
  running = [{ talker: first, ready: await first.ready() }];
  const others = [1, 2].map(() => startTalker(fixture.root, ['--target-dir', 'target-old']));
  running = [
    ...running,
    ...(await Promise.all(others.map(async (talker) => ({ talker, ready: await talker.ready() })))),
  ];
});

test.after(async () => {
  for (const { talker } of running) await talker.session.stop();
  fixture.remove();
});

test('three processes of one build run at different addresses', async () => {
  assert.is(new Set(running.map(({ ready }) => ready.pid)).size, 3);
  assert.is(new Set(running.map(({ ready }) => ready.buildId)).size, 1);
  const slides = running.map(({ ready }) => mappingsOf(ready.pid).find(({ path }) => path.endsWith('/talker'))?.start);
  assert.not.ok(slides.includes(undefined));
  assert.is(new Set(slides).size, 3, `slides ${slides.map((at) => at?.toString(16)).join(', ')}`);
  for (const { talker } of running) await talker.says('hello.');
});

test('a patch has the same bytes wherever and whenever it is made', async () => {
  const built = await buildPatch('one.ipbp', 'old', 'new');
  assert.is(built.status, 0, built.output);
  const again = await buildPatch('again.ipbp', 'old', 'new');
  assert.is(again.status, 0, again.output);
  // The same files at another place, and the objects one by one instead of their directory.
  const place = fixture.path('elsewhere/deep');
  for (const version of ['old', 'new'] as const)
    cpSync(fixture.path(version), join(place, version), { recursive: true });
  const session = (version: Version): string => {
    const crate = join(place, objects(version), readdirSync(join(place, objects(version)))[0] ?? '');
    const name = readdirSync(crate).find((entry) => entry.startsWith('s-') && !entry.endsWith('.lock'));
    return join(crate, name ?? '');
  };
  const files = (version: Version): string[] =>
    readdirSync(session(version))
      .filter((name) => name.endsWith('.o'))
      .reverse()
      .map((name) => join(session(version), name));
  const sides = ['--old', ...files('old'), '--new', ...files('new')];
  const base = join(place, 'old/talker');
  const out = join(fixture.root, 'moved.ipbp');
  const moved = await ipbp(place, 'build-patch', '--base', base, ...sides, '--lib', ...standardLibrary, '-o', out);
  assert.is(moved.status, 0, moved.output);
  const hashes = ['one', 'again', 'moved'].map((name) =>
    createHash('sha256')
      .update(readFileSync(fixture.path(`${name}.ipbp`)))
      .digest('hex'),
  );
  assert.equal(hashes, [hashes[0], hashes[0], hashes[0]]);
  assert.ok(built.output.includes(hashes[0] ?? ''), 'build-patch --json prints the hash of the file');
});

test('one file changes all three', async () => {
  for (const { talker, ready } of running) {
    const applied = await act(ready, 'apply', 'one.ipbp');
    assert.is(applied.status, 0, applied.output);
    const { pid } = await talker.says('howdy.');
    assert.is(pid, ready.pid);
  }
});

test('undo in one takes it back there and nowhere else', async () => {
  const [first, ...others] = running;
  assert.ok(first);
  const undone = await act(first.ready, 'undo');
  assert.is(undone.status, 0, undone.output);
  await first.talker.says('hello.');
  for (const { talker } of others) assert.is((await talker.line()).words, 'howdy.');
});

test('a second patch goes on top of the first, and nowhere else', async () => {
  const [without, onTop] = running;
  assert.ok(without !== undefined && onTop !== undefined);
  const built = await buildPatch('two.ipbp', 'new', 'newer', '--after', 'one.ipbp');
  assert.is(built.status, 0, built.output);
  const applied = await act(onTop.ready, 'apply', 'two.ipbp');
  assert.is(applied.status, 0, applied.output);
  await onTop.talker.says('salve 0.');
  const refused = await without.talker.untouchedBy(() => act(without.ready, 'apply', 'two.ipbp'));
  assert.is(refused.status, 1);
  assert.equal(codesIn(refused.output), ['IPBP3011']);
  // Both are taken back, down to the code that was built.
  assert.is((await act(onTop.ready, 'undo', '2')).status, 0);
  await onTop.talker.says('hello.');
});

test('a patch that names no predecessor is refused where one is live', async () => {
  const live = running[2];
  assert.ok(live);
  assert.is((await buildPatch('alone.ipbp', 'old', 'newer')).status, 0);
  const refused = await live.talker.untouchedBy(() => act(live.ready, 'apply', 'alone.ipbp'));
  assert.is(refused.status, 1);
  assert.equal(codesIn(refused.output), ['IPBP3011']);
  assert.is((await live.talker.line()).words, 'howdy.');
});

test('a patch of another build of the same program is refused', async () => {
  const [first] = running;
  assert.ok(first);
  const sides = ['--old', objects('newer'), '--new', objects('new')];
  const base = join('newer', 'talker');
  const built = await ipbp(fixture.root, 'build-patch', '--base', base, ...sides, '-o', 'other.ipbp');
  assert.is(built.status, 0, built.output);
  const refused = await first.talker.untouchedBy(() => act(first.ready, 'apply', 'other.ipbp'));
  assert.is(refused.status, 1);
  assert.equal(codesIn(refused.output), ['IPBP3010']);
});

test('objects of another build than the executable are refused', async () => {
  const refused = await buildPatch('never.ipbp', 'newer', 'new');
  assert.is(refused.status, 1, refused.output);
  assert.equal(codesIn(refused.output), ['IPBP3002']);
});

test('truncated and bit-flipped patch files are refused', async () => {
  const [first] = running;
  assert.ok(first);
  const bytes = readFileSync(fixture.path('one.ipbp'));
  const damaged = new Map<string, Uint8Array>();
  for (const share of [0, 0.01, 0.5, 0.99]) damaged.set(`cut at ${share}`, bytes.subarray(0, bytes.length * share));
  damaged.set('without its last byte', bytes.subarray(0, -1));
  damaged.set('with a byte more', Buffer.concat([bytes, Buffer.alloc(1)]));
  for (const at of [0, 9, 40, Math.floor(bytes.length / 2), bytes.length - 40, bytes.length - 1]) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    damaged.set(`bit of byte ${at}`, flipped);
  }
  await first.talker.untouchedBy(async () => {
    for (const [what, content] of damaged) {
      writeFileSync(fixture.path('damaged.ipbp'), content);
      const refused = await act(first.ready, 'apply', 'damaged.ipbp');
      assert.is(refused.status, 1, what);
      assert.match(codesIn(refused.output).join(), /^IPBP101[01]$/, what);
    }
  });
});

test('no session noticed anything but what it was told', () => {
  const told: ReadonlySet<SessionEvent['event']> = new Set(['ready', 'patched', 'undone', 'refused']);
  for (const { talker } of running) {
    assert.is(talker.session.end, undefined);
    for (const { event } of talker.session.events) assert.ok(told.has(event), event);
  }
});

test.run();
