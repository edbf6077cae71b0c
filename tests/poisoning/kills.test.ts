// Sessions that are killed in the middle of a replay: cargo builds what the sources say all the same.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST, spoken, Workshop } from './workshop.js';

/** Sessions in the incremental directories of a crate that rustc has not finished: one that it works on, or given up. */
function unfinished(shop: Workshop, crate: string): readonly string[] {
  const root = shop.fixture.path('target/debug/incremental');
  return readdirSync(root)
    .filter((name) => name.startsWith(`${crate}-`))
    .flatMap((name) => readdirSync(`${root}/${name}`).filter((session) => session.endsWith('-working')));
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
          const before = unfinished(shop, crate);
          const compiles = (): boolean => unfinished(shop, crate).some((name) => !before.includes(name));
          shop.save(change);
          for (const end = Date.now() + 20_000; !compiles() && Date.now() < end;) await sleep(1);
          assert.ok(compiles(), 'rustc works');
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
