// `--no-build` where objects do not describe types: the sources are compared instead, and count only if they are those
// that were compiled.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST, spoken, Workshop } from '../poisoning/workshop.js';
import { eventOf } from '../talker.js';

test('sources that were saved after cargo began to build are not taken for those of the build', async () => {
  const shop = new Workshop();
  shop.fixture.write('Cargo.toml', `${shop.fixture.read('Cargo.toml')}\n[profile.dev]\ndebug = false\n`);
  const talker = await shop.start(['--no-build']);
  const host = talker.session.processId;
  assert.ok(host !== undefined);
  const build = (): void => void shop.fixture.cargo(['build']);
  try {
    shop.save({ own: 'o1' });
    build();
    await talker.says(spoken(shop.words));

    // The session is stopped until the source is another than was built, as one that is slower would be.
    const from = talker.session.events.length;
    process.kill(host, 'SIGSTOP');
    shop.save({ own: 'o2' });
    build();
    shop.save({ own: 'o3' });
    process.kill(host, 'SIGCONT');
    const { items } = await eventOf(talker, from, 'refused');
    assert.is(items[0]?.code, 'IPBP5032');
    assert.is((await talker.line()).words, spoken({ ...FIRST, own: 'o1' }));
    build();
    await talker.says(spoken(shop.words));
  } finally {
    await talker.session.stop();
    shop.remove();
  }
});

test.run();
