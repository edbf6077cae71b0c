// `cargo clean` while a session runs takes away what it keeps of its program: the next save says so, and a restart
// begins anew.
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventOf, FIRST, spoken, Workshop } from '../poisoning/workshop.js';
import { startTalker } from '../talker.js';

for (const [policy, args] of [
  ['continue', []],
  ['restart', ['--on-refusal', 'restart']],
  ['restart, no build', ['--on-refusal', 'restart', '--no-build']],
] as const) {
  test(`cargo clean, then an edit, with --on-refusal ${policy}`, async () => {
    const shop = new Workshop();
    const talker = startTalker(shop.fixture.root, args);
    const clean = (): void => {
      assert.is(spawnSync('cargo', ['clean', '--quiet'], { cwd: shop.fixture.root, stdio: 'ignore' }).status, 0);
    };
    try {
      await talker.ready();
      const { pid } = await talker.says(spoken(FIRST));
      clean();
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
      shop.fixture.remove();
    }
  });
}

test.run();
