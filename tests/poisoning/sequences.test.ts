// The poisoning sequences within one session: whatever ipbp, cargo, an editor and git do one after the other, cargo
// builds what the sources say, and compiles no crate for nothing. Sessions that die are in kills.test.ts.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventOf, type Talker } from '../talker.js';
import { librarySource, programSource, spoken, Workshop, type Words } from './workshop.js';

const shop = new Workshop();
let talker: Talker;

test.before(async () => {
  talker = await shop.start();
});

test.after(async () => {
  await talker.session.stop();
  shop.remove();
});

/** Saves, and waits until the running program says what the sources say. */
async function live(words: Partial<Words>): Promise<void> {
  const from = talker.session.events.length;
  shop.save(words);
  const { confirmed } = await eventOf(talker, from, 'patched');
  // Live before all is compiled: a cargo that comes before the end has one crate more to do.
  if (confirmed === false) await eventOf(talker, from, 'confirmed');
  await talker.says(spoken(shop.words));
}

/** Waits until the session has done with everything that was saved. */
async function settled(): Promise<void> {
  await talker.says(spoken(shop.words));
  const { events } = talker.session;
  const last = events.findLastIndex((event) => event.event === 'patched' && event.confirmed === false);
  // Live before what uses the library was compiled: that goes on.
  if (last >= 0) await eventOf(talker, last, 'confirmed', 'undone');
}

test('an edit, then cargo build: the edited crates and no others', async () => {
  await live({ own: 'o1' });
  shop.builds(['app'], 'an edit of the program');
  await live({ plain: 'p1' });
  shop.builds(['words', 'app'], 'an edit of the library');
  await live({ deep: 'd1' });
  shop.builds(['base', 'words', 'app'], 'an edit of the library that it uses');
  shop.builds([], 'nothing');
});

for (const [what, change] of [
  ['the program', { own: 'o2' }],
  ['a plain body of the library', { plain: 'p2' }],
  ['a generic body of the library', { generic: 'g2' }],
  ['a plain body of the library that it uses', { deep: 'd2' }],
  ['all', { own: 'o3', plain: 'p3', generic: 'g3', deep: 'd3' }],
] as const) {
  test(`${what} is edited, replayed and restored with its old time: cargo has nothing to do`, async () => {
    const restore = shop.memorise();
    await live(change);
    restore();
    await settled();
    shop.builds([], `restored: ${what}`);
  });
}

test('one of two edits is restored: cargo compiles what the other asks for', async () => {
  const restore = shop.memorise();
  await live({ deep: 'd4', own: 'o4' });
  restore();
  await live({ own: 'o5' });
  shop.builds(['app'], 'the library below is restored');
});

test('restored, and edited again before cargo builds', async () => {
  const restore = shop.memorise();
  await live({ plain: 'p5' });
  restore();
  await settled();
  await live({ plain: 'p6' });
  await live({ own: 'o6' });
  shop.builds(['words', 'app'], 'edited again');
});

test('cargo builds between two edits: what it wrote counts, and not what was replayed before', async () => {
  await live({ plain: 'p7' });
  shop.builds(['words', 'app'], 'the first edit');
  await live({ own: 'o7' });
  const restore = shop.memorise();
  await live({ deep: 'd7' });
  restore();
  await settled();
  shop.builds(['app'], 'the second edit');
});

test('sources that are older than any build: restored all the same, and seen by cargo', async () => {
  // As out of a package store, where every file is as of 1970.
  const epoch = new Date(0);
  shop.date(epoch);
  shop.builds([], 'older sources are fresh');
  const restore = shop.memorise();
  await live({ plain: 'p20', own: 'o20' });
  restore();
  await settled();
  shop.builds([], 'restored');
  shop.save({ plain: 'p21' });
  shop.date(epoch);
  await settled();
  // cargo itself does not see an edit of that date.
  shop.builds(['words', 'app'], 'edited', []);
  const back = shop.memorise();
  shop.save({ plain: 'p22', own: 'o22' });
  shop.date(epoch);
  await settled();
  back();
  await settled();
  shop.builds([], 'edited and restored');
});

test('restored before the session sees it: its next replay and cargo agree', async () => {
  const restore = shop.memorise();
  shop.save({ generic: 'g3' });
  restore();
  await live({ own: 'o3' });
  const { says } = shop.build();
  assert.is(says, spoken(shop.words));
});

test('an edit that does not compile, then restored with its old time', async () => {
  const restore = shop.memorise();
  const from = talker.session.events.length;
  shop.write('lib/src/lib.rs', librarySource(shop.words).replace('-> String', '-> u8'));
  await eventOf(talker, from, 'compile-error');
  restore();
  await eventOf(talker, from, 'unchanged', 'patched');
  const { says } = shop.build();
  assert.is(says, spoken(shop.words));
  await live({ generic: 'g4' });
});

test('cargo builds in another terminal during a replay', async () => {
  for (const round of [1, 2, 3]) {
    shop.save({ plain: `p4${round}`, generic: `g4${round}`, own: `o4${round}` });
    assert.is(shop.build().says, spoken(shop.words), `round ${round}`);
    await settled();
    shop.save({ plain: `q4${round}` });
    const other = new Promise((done) => {
      spawn('cargo', ['build', '--quiet'], { cwd: shop.fixture.root, stdio: 'ignore' }).on('close', done);
    });
    await settled();
    await other;
    shop.save({ plain: `p4${round}` });
    assert.is(shop.build().says, spoken(shop.words), `back in round ${round}`);
    await settled();
  }
});

test('cargo builds a library alone before the session sees the edit: its dependants follow all the same', async () => {
  // Stopped, the session sees save and build at once, as one that was slower would.
  const words = { ...shop.words, generic: 'g5' };
  process.kill(hostPid(), 'SIGSTOP');
  shop.save(words);
  shop.fixture.cargo(['build', '-p', 'words']);
  process.kill(hostPid(), 'SIGCONT');
  await settled();
  assert.is(shop.build().says, spoken(shop.words));
});

/** The session's own process: the parent of cargo, which became the program. */
function hostPid(): number {
  const pid = talker.session.processId;
  assert.ok(pid !== undefined);
  return pid;
}

test('cargo check and a build with other flags meanwhile leave program and build as they are', async () => {
  await live({ own: 'o6' });
  shop.fixture.cargo(['check']);
  // The same incremental directory as ours, and the same final executable.
  assert.is(shop.build({ RUSTFLAGS: '-C overflow-checks=no -C opt-level=1' }).says, spoken(shop.words));
  // The library is not compiled for this edit: what lies in its incremental directory is the other build's.
  const from = talker.session.events.length;
  await live({ own: 'o61' });
  const { functions } = await eventOf(talker, from, 'patched');
  assert.equal(
    functions.map(({ name }) => name),
    ['app::own::own'],
  );
  await live({ plain: 'p6' });
  assert.is(shop.build().says, spoken(shop.words));
});

test('saved by rename, in the past and in the future', async () => {
  const path = shop.fixture.path('app/src/main.rs');
  for (const [own, time] of [
    ['o7', new Date()],
    ['o8', new Date('2001-01-01')],
    ['o9', new Date(Date.now() + 86_400_000)],
  ] as const) {
    shop.words = { ...shop.words, own };
    shop.fixture.write('app/src/main.rs.new', programSource(shop.words));
    utimesSync(`${path}.new`, time, time);
    renameSync(`${path}.new`, path);
    await settled();
    assert.is(shop.build().says, spoken(shop.words), `saved as of ${time.toISOString()}`);
  }
  const now = new Date();
  utimesSync(path, now, now);
});

test('the clock was ahead when rustc wrote its newest session: the next edit still goes live', async () => {
  for (const directory of incrementalDirectories()) ahead(directory);
  await live({ own: 'o10' });
  await live({ own: 'o11', generic: 'g11' });
  assert.is(shop.build().says, spoken(shop.words));
});

function incrementalDirectories(): string[] {
  const root = shop.fixture.path('target/debug/incremental');
  return readdirSync(root).map((name) => join(root, name));
}

/** Renames the newest session of an incremental directory, and its lock, as if it had been made in the year 2100. */
function ahead(directory: string): void {
  const newest = readdirSync(directory)
    .filter((name) => /^s-[^.]+$/.test(name) && !name.endsWith('-working'))
    .sort()
    .at(-1);
  if (newest === undefined) return;
  const [, stamp = '', random = ''] = newest.split('-');
  const future = (4_102_444_800_000_000).toString(36);
  renameSync(join(directory, newest), join(directory, newest.replace(stamp, future)));
  const lock = join(directory, `s-${stamp}-${random}.lock`);
  if (existsSync(lock)) renameSync(lock, join(directory, `s-${future}-${random}.lock`));
}

test('git checks out another branch and comes back', async () => {
  const git = (...args: string[]): void => {
    const options = ['-c', 'user.name=x', '-c', 'user.email=x@localhost', '-c', 'commit.gpgsign=false'];
    const { status, stderr } = spawnSync('git', [...options, ...args], { cwd: shop.fixture.root, encoding: 'utf8' });
    assert.is(status, 0, `git ${args.join(' ')}: ${stderr}`);
  };
  shop.fixture.write('.gitignore', 'target\n');
  git('init', '--quiet', '-b', 'one');
  git('add', '.');
  git('commit', '--quiet', '-m', 'one');
  const one = shop.words;
  git('checkout', '--quiet', '-b', 'two');
  await live({ plain: 'p12', generic: 'g12', own: 'o12' });
  git('commit', '--quiet', '-am', 'two');
  const two = shop.words;
  for (const [branch, words] of [
    ['one', one],
    ['two', two],
    ['one', one],
  ] as const) {
    git('checkout', '--quiet', branch);
    shop.words = words;
    await settled();
    assert.is(shop.build().says, spoken(shop.words), branch);
  }
});

test.run();
