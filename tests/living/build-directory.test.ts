// A build directory apart from the target directory (`build.build-dir`): what programs are made of, and with it all that
// ipbp reads and keeps, lies in the one, what cargo was asked for in the other.
import { existsSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spoken, Workshop } from '../poisoning/workshop.js';
import { eventOf } from '../talker.js';

const test = suite('build directory');

function workshop(): Workshop {
  const shop = new Workshop();
  shop.fixture.write('.cargo/config.toml', '[build]\nbuild-dir = "{workspace-root}/made/of"\n');
  return shop;
}

test('edits go live, and a plain cargo build yields what the sources say, also when they were restored', async () => {
  const shop = workshop();
  const talker = await shop.start();
  try {
    const { pid } = await talker.says(spoken(shop.words));
    const restore = shop.memorise();
    for (const words of [{ own: 'o1' }, { plain: 'p1', generic: 'g1' }]) {
      const from = talker.session.events.length;
      shop.save(words);
      const { confirmed } = await eventOf(talker, from, 'patched');
      if (confirmed === false) await eventOf(talker, from, 'confirmed');
      await talker.says(spoken(shop.words));
    }
    assert.is((await talker.line()).pid, pid);
    const from = talker.session.events.length;
    restore();
    const { confirmed } = await eventOf(talker, from, 'patched');
    if (confirmed === false) await eventOf(talker, from, 'confirmed');
    shop.builds([], 'restored with the old times');
    assert.ok(existsSync(shop.fixture.path('made/of/ipbp/units')));
    assert.not.ok(readdirSync(shop.fixture.path('target')).includes('ipbp'));
    assert.not.ok(existsSync(shop.fixture.path('target/debug/deps')));
  } finally {
    await talker.session.stop();
    shop.remove();
  }
});

test('what was built without ipbp is built again once, and what a plain cargo build makes goes live', async () => {
  const shop = workshop();
  shop.builds(['base', 'words', 'app'], 'before', []);
  const talker = await shop.start(['--no-build']);
  try {
    const { pid } = await talker.says(spoken(shop.words));
    const from = talker.session.events.length;
    shop.save({ plain: 'p2', own: 'o2' });
    shop.builds(['words', 'app'], 'nobody else built anything');
    await eventOf(talker, from, 'patched');
    await talker.says(spoken(shop.words));
    assert.is((await talker.line()).pid, pid);
  } finally {
    await talker.session.stop();
    shop.remove();
  }
});

test.run();
