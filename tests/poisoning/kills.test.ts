// Sessions that are killed in the middle of a replay: cargo builds what the sources say all the same.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST, spoken, Workshop } from './workshop.js';

/** rustc works: it has an unfinished session in an incremental directory of this crate. */
function isCompiling(shop: Workshop, crate: string): boolean {
  const root = shop.fixture.path('target/debug/incremental');
  return readdirSync(root)
    .filter((name) => name.startsWith(`${crate}-`))
    .some((name) => readdirSync(`${root}/${name}`).some((session) => session.endsWith('-working')));
}

for (const [what, crate, change] of [
  ['the library', 'words', { plain: 'p1', generic: 'g1' }],
  ['the program', 'app', { own: 'o1' }],
] as const) {
  test(`killed while ${what} is compiled, and the sources restored with their old times`, async () => {
    const shop = new Workshop();
    try {
      for (const restored of [true, false]) {
        const talker = await shop.start();
        const restore = shop.memorise();
        const host = talker.session.processId;
        assert.ok(host !== undefined);
        try {
          shop.save(change);
          for (const end = Date.now() + 20_000; !isCompiling(shop, crate) && Date.now() < end;) await sleep(1);
          assert.ok(isCompiling(shop, crate), 'rustc works');
          process.kill(host, 'SIGKILL');
          if (restored) restore();
          assert.is(shop.build().says, spoken(shop.words), restored ? 'restored' : 'as saved');
          assert.is(shop.words.own, restored ? FIRST.own : (change.own ?? FIRST.own));
          shop.builds([], 'nothing is left to do');
        } finally {
          await talker.session.stop();
        }
      }
    } finally {
      shop.fixture.remove();
    }
  });
}

test.run();
