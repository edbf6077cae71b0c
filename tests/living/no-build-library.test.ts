// `ipbp run --no-build` with a shared library: its files bear no hash, so a build with other settings replaces them, and
// cargo's record of them.
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifest } from '../cargo-fixture.js';
import { spoken, Workshop } from '../poisoning/workshop.js';
import { eventOf, type Talker } from '../talker.js';

const shop = new Workshop();
let talker: Talker;

test.before(async () => {
  const dependencies = '[dependencies]\nbase = { path = "../base" }\n';
  const settings = `[lib]\ncrate-type = ["dylib"]\n[features]\nloud = []\n${dependencies}`;
  shop.fixture.write('lib/Cargo.toml', manifest('words', settings));
  shop.fixture.write('.cargo/config.toml', '[build]\nrustflags = ["-C", "prefer-dynamic"]\n');
  talker = await shop.start(['--no-build']);
});

test.after(async () => {
  await talker.session.stop();
  shop.remove();
});

function cargo(args: readonly string[], environment: Readonly<Record<string, string>> = {}): void {
  const env = { ...process.env, ...environment };
  assert.is(spawnSync('cargo', args, { cwd: shop.fixture.root, stdio: 'ignore', env }).status, 0);
}

test('its edit goes live', async () => {
  const { pid } = await talker.says(spoken(shop.words));
  const from = talker.session.events.length;
  shop.save({ plain: 'p1' });
  cargo(['build']);
  await eventOf(talker, from, 'patched');
  await talker.says(spoken(shop.words));
  assert.is((await talker.line()).pid, pid);
});

for (const [what, args, environment] of [
  ['flags', ['build'], { RUSTFLAGS: '-C prefer-dynamic -C opt-level=1' }],
  ['flags, of the library alone', ['build', '-p', 'words'], { RUSTFLAGS: '-C prefer-dynamic -C opt-level=1' }],
  ['features', ['build', '-p', 'words', '--features', 'words/loud'], {}],
  ['no incremental objects', ['build'], { CARGO_INCREMENTAL: '0' }],
] as const) {
  test(`a build with other settings (${what}) is not taken for it, and told`, async () => {
    const from = talker.session.events.length;
    const before = spoken(shop.words);
    shop.save({ plain: `${shop.words.plain}x` });
    await talker.untouchedBy(async () => {
      cargo(args, environment);
      assert.is((await eventOf(talker, from, 'note')).code, 'IPBP5030');
      // Time for what should not come.
      await sleep(300);
    });
    await talker.says(before);
    cargo(['build']);
    const { functions } = await eventOf(talker, from, 'patched');
    assert.equal(
      functions.map(({ name }) => name),
      ['words::plain'],
    );
    await talker.says(spoken(shop.words));
    assert.equal(
      talker.session.events.slice(from).map(({ event }) => event),
      ['note', 'change', 'compiled', 'patched'],
    );
  });
}

test.run();
