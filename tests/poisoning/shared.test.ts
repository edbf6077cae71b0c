// The poisoning sequences where the workspace's libraries are shared: linked again by each replay, and opened by every
// program that starts. Those of other libraries are in sequences.test.ts.
import { test } from 'uvu';
import { eventOf, type Talker } from '../talker.js';
import { spoken, Workshop, type Words } from './workshop.js';

const shop = new Workshop('shared');
let talker: Talker;

test.before(async () => {
  talker = await shop.start();
});

test.after(async () => {
  await talker.session.stop();
  shop.remove();
});

/** Waits until what `work` saves is live, and all of it compiled. */
async function live(work: () => void): Promise<void> {
  const from = talker.session.events.length;
  work();
  const { confirmed } = await eventOf(talker, from, 'patched');
  if (confirmed === false) await eventOf(talker, from, 'confirmed');
  await talker.says(spoken(shop.words));
}

const EDITS: readonly (readonly [string, Partial<Words>])[] = [
  ['the program', { own: 'o1' }],
  ['a library', { plain: 'p1', generic: 'g1' }],
  ['the library that it uses', { deep: 'd1' }],
];

for (const [what, words] of EDITS) {
  test(`${what} is edited, replayed and restored with its old time: cargo has nothing to do`, async () => {
    const restore = shop.memorise();
    await live(() => shop.save(words));
    await live(restore);
    shop.builds([], 'restored');
  });
}

test('an edit, then cargo build: the edited crates and no others', async () => {
  await live(() => shop.save({ plain: 'p2' }));
  shop.builds(['words', 'app'], 'a library');
  await live(() => shop.save({ deep: 'd2' }));
  shop.builds(['base', 'words', 'app'], 'the library that it uses');
  shop.builds([], 'nothing');
});

test.run();
