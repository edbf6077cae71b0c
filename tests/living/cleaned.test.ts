// `cargo clean` while a session runs takes away what it keeps of its program: the next save says so, and a restart
// begins anew.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST, spoken, Workshop } from '../poisoning/workshop.js';
import { eventOf, startTalker } from '../talker.js';

for (const [policy, args] of [
  ['continue', []],
  ['restart', ['--on-refusal', 'restart']],
  ['restart, no build', ['--on-refusal', 'restart', '--no-build']],
] as const) {
  test(`cargo clean, then an edit, with --on-refusal ${policy}`, async () => {
    const shop = new Workshop();
    const talker = startTalker(shop.fixture.root, args);
    try {
      await talker.ready();
      const { pid } = await talker.says(spoken(FIRST));
      shop.fixture.cargo(['clean']);
      const from = talker.session.events.length;
      shop.save({ own: 'o1' });
      if (policy === 'restart, no build') shop.build();
      const { items, restarting } = await eventOf(talker, from, 'refused');
      assert.equal(
        items.map(({ code }) => code),
        ['IPBP5031'],
      );
      assert.is(restarting, policy !== 'continue');
      if (policy === 'continue') {
        assert.is((await talker.line()).pid, pid);
        assert.is((await talker.line()).words, spoken(FIRST), 'the program goes on as it was');
        return;
      }
      const next = await eventOf(talker, from, 'ready');
      assert.is.not(next.pid, pid);
      await talker.says(spoken(shop.words));
      // It is followed as ever.
      const since = talker.session.events.length;
      shop.save({ plain: 'p2' });
      if (policy === 'restart, no build') shop.build();
      await eventOf(talker, since, 'patched');
      assert.is((await talker.says(spoken(shop.words))).pid, next.pid);
    } finally {
      await talker.session.stop();
      shop.remove();
    }
  });
}

test.run();
