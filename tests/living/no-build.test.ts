// `ipbp run --no-build`: the session starts no build; what a plain cargo in another terminal compiles goes live.
import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SessionEvent } from '../../src/host/events.js';
import { librarySource, spoken, Workshop, type Words } from '../poisoning/workshop.js';
import { eventOf, type Talker } from '../talker.js';

const shop = new Workshop();
let talker: Talker;

test.before(async () => {
  shop.fixture.write('app/Cargo.toml', `${shop.fixture.read('app/Cargo.toml')}[features]\nloud = []\n`);
  talker = await shop.start(['--no-build']);
});

test.after(async () => {
  await talker.session.stop();
  shop.remove();
});

function cargo(
  [command = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): number | null {
  const env = { ...process.env, ...environment };
  return spawnSync('cargo', [command, '--quiet', ...args], { cwd: shop.fixture.root, stdio: 'ignore', env }).status;
}

/** Saves, builds by hand, and waits until the program says what the sources say. Returns what was told, to the patch. */
async function built(words: Partial<Words>, ...compiled: readonly string[]): Promise<readonly SessionEvent[]> {
  const from = talker.session.events.length;
  shop.save(words);
  const made = shop.build();
  assert.equal(made.compiled, compiled, 'nobody else built anything');
  assert.is(made.says, spoken(shop.words));
  await eventOf(talker, from, 'patched');
  await talker.says(spoken(shop.words));
  return talker.session.events.slice(from);
}

/** What the session tells while `work` is done, and until a build of a library's body after it is live. */
async function toldBy(work: () => void): Promise<readonly SessionEvent['event'][]> {
  const from = talker.session.events.length;
  work();
  // Time for what should not come.
  await sleep(300);
  const told = await built({ plain: `${shop.words.plain}+` }, 'words', 'app');
  assert.is(told.filter(({ event }) => event === 'patched').length, 1, 'one build is one patch');
  const until = talker.session.events.length - told.length;
  return talker.session.events.slice(from, until).map(({ event }) => event);
}

test('what is saved is left alone; what a plain cargo build makes of it goes live', async () => {
  const { pid } = await talker.says(spoken(shop.words));
  const told = await built({ own: 'o1' }, 'app');
  assert.equal(
    told.map(({ event }) => event),
    ['change', 'compiled', 'patched'],
  );
  const [change, compiled] = told;
  assert.ok(change?.event === 'change' && compiled?.event === 'compiled');
  assert.equal(change.files, [shop.fixture.path('app/src/main.rs')]);
  assert.equal(compiled.crates, ['app']);
  assert.is((await talker.line()).pid, pid, 'the same process');
});

test('a library: its plain bodies, and generic ones that are in the program', async () => {
  const told = await built({ plain: 'p2', generic: 'g2', own: 'o2' }, 'words', 'app');
  assert.is(told.filter(({ event }) => event === 'patched').length, 1, 'one build is one patch');
});

test('a library alone: bodies go live, a changed interface waits for what uses it', async () => {
  let from = talker.session.events.length;
  shop.save({ plain: 'p3' });
  assert.is(cargo(['build', '-p', 'words']), 0);
  await eventOf(talker, from, 'patched');
  await talker.says(spoken(shop.words));

  const source = librarySource(shop.words).replace('String {\n    String::from("p3")', `&'static str {\n    "p3!"`);
  assert.match(source, /'static str/);
  from = talker.session.events.length;
  shop.fixture.write('lib/src/lib.rs', source);
  assert.is(cargo(['build', '-p', 'words']), 0);
  assert.match((await eventOf(talker, from, 'note', 'patched', 'refused')).event, /note/);
  await talker.untouchedBy(async () => {
    await talker.line();
  });
  assert.is(cargo(['build']), 0);
  await eventOf(talker, from, 'patched');
  await talker.says(spoken({ ...shop.words, plain: 'p3!' }));
  await built({ generic: 'g3' }, 'words', 'app');
});

test('a function of the standard library that the program did not hold', async () => {
  const path = 'app/src/main.rs';
  const from = talker.session.events.length;
  shop.fixture.write(path, shop.fixture.read(path).replace(/String::from\("(\w+)"\)/, '"$1".to_uppercase()'));
  assert.is(cargo(['build']), 0);
  await eventOf(talker, from, 'patched');
  await talker.says(spoken({ ...shop.words, own: shop.words.own.toUpperCase() }));
  await built({ own: 'o4' }, 'app');
});

test('a build that fails: nothing, also of the library that it compiled; its repair goes live', async () => {
  const told = await toldBy(() => {
    shop.fixture.write('lib/src/lib.rs', librarySource({ ...shop.words, plain: 'p5' }));
    shop.fixture.write('app/src/main.rs', 'fn main() { nothing::at_all() }\n');
    assert.is.not(cargo(['build']), 0);
    // Both are to be as they were, but for the library's edit.
    const { own } = shop.words;
    shop.words = { ...shop.words, plain: 'p5', own: '' };
    shop.save({ own });
  });
  assert.equal(told, []);
});

test('cargo check: nothing', async () => {
  const told = await toldBy(() => {
    shop.save({ own: 'o6' });
    assert.is(cargo(['check']), 0);
  });
  assert.equal(told, []);
});

for (const [what, args, environment] of [
  ['flags', ['build'], { RUSTFLAGS: '-C overflow-checks=no -C opt-level=1' }],
  ['a profile', ['build'], { CARGO_PROFILE_DEV_OPT_LEVEL: '1' }],
  ['features', ['build', '--features', 'loud'], {}],
  ['no incremental objects', ['build'], { CARGO_INCREMENTAL: '0' }],
  ['arguments for rustc', ['rustc', '-p', 'app', '--', '-C', 'opt-level=1'], {}],
] as const) {
  test(`a build with other settings (${what}) is not taken for the program, and told`, async () => {
    const from = talker.session.events.length;
    shop.save({ own: `${shop.words.own}x` });
    assert.is(cargo(args, environment), 0);
    const { code } = await eventOf(talker, from, 'note');
    assert.is(code, 'IPBP5030');
    assert.is.not((await talker.line()).words, spoken(shop.words));
    const told = await built({}, 'app');
    const patched = told.find((event) => event.event === 'patched');
    assert.equal(
      patched?.functions.map(({ name }) => name),
      ['app::own::own'],
    );
    // What went before the patch were the note, and the sources.
    assert.equal(
      talker.session.events.slice(from).map(({ event }) => event),
      ['note', 'change', 'compiled', 'patched'],
    );
  });
}

test('the same crates, asked for otherwise: what was built of them goes live', async () => {
  for (const args of [
    ['build', '--bin', 'app'],
    ['build', '--workspace', '--all-targets'],
    ['test', '--no-run', '-p', 'app'],
    ['run', '--', 'once'],
  ]) {
    const from = talker.session.events.length;
    shop.save({ own: `${shop.words.own}y`, plain: `${shop.words.plain}y` });
    // Of the binary's own tests it would be another program.
    if (args[0] === 'test') shop.fixture.write('app/tests/any.rs', '#[test]\nfn any() {}\n');
    assert.is(cargo(args), 0);
    await eventOf(talker, from, 'patched');
    await talker.says(spoken(shop.words));
  }
  // A variable of the environment that the program was compiled with.
  const from = talker.session.events.length;
  const path = 'app/src/main.rs';
  const source = shop.fixture.read(path);
  shop.fixture.write(path, source.replace(`"${shop.words.own}"`, `option_env!("MARK").unwrap_or("${shop.words.own}")`));
  assert.is(cargo(['build'], { MARK: 'marked' }), 0);
  await eventOf(talker, from, 'patched');
  await talker.says(spoken({ ...shop.words, own: 'marked' }));
  shop.fixture.write(path, source);
  await built({ own: 'o72' }, 'app');
});

test('cargo run in another terminal: what it built is live here while its own program runs', async () => {
  const from = talker.session.events.length;
  shop.save({ own: 'o71' });
  const other = spawn('cargo', ['run', '--quiet'], { cwd: shop.fixture.root, stdio: 'ignore' });
  try {
    await eventOf(talker, from, 'patched');
    await talker.says(spoken(shop.words));
  } finally {
    other.kill('SIGKILL');
  }
});

test('undo and the next build', async () => {
  const before = spoken(shop.words);
  await built({ own: 'o8' }, 'app');
  const { session } = await talker.ready();
  assert.is((await talker.session.command(['undo'], session)).status, 0);
  await talker.says(before);
  await built({ own: 'o9' }, 'app');
});

test.run();
