// Sessions that are killed in the middle of a replay: cargo builds what the sources say all the same.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConfirmedEvent, PatchedEvent } from '../../src/host/events.js';
import { eventOf, VERDICT_LIMIT_MS, type Talker } from '../talker.js';
import { spoken, Workshop } from './workshop.js';

/** Sessions in the incremental directories of a crate that rustc has not finished: one that it works on, or given up. */
function unfinished(shop: Workshop, crate: string): readonly string[] {
  const root = shop.fixture.path('target/debug/incremental');
  return readdirSync(root)
    .filter((name) => name.startsWith(`${crate}-`))
    .flatMap((name) => readdirSync(`${root}/${name}`).filter((session) => session.endsWith('-working')));
}

for (const [what, crate, change, crates] of [
  ['the library below', 'base', { deep: 'd1' }, ['base', 'words', 'app']],
  ['the library', 'words', { plain: 'p1', generic: 'g1' }, ['words', 'app']],
  ['the program', 'app', { own: 'o1' }, ['app']],
  ['the program, as a user of the library,', 'app', { plain: 'p2' }, ['words', 'app']],
] as const) {
  test(`killed while ${what} is compiled`, async () => {
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
          shop.builds(restored ? [] : crates, restored ? 'restored with the old times' : 'as saved');
          shop.builds([], 'nothing is left to do');
        } finally {
          await talker.session.stop();
        }
      }
    } finally {
      shop.remove();
    }
  });
}

test('killed with all that it started while the library is compiled: cargo compiles it again', async () => {
  const shop = new Workshop();
  const talker = await shop.start();
  try {
    const restore = shop.memorise();
    const host = talker.session.processId;
    assert.ok(host !== undefined);
    const before = unfinished(shop, 'words');
    shop.save({ plain: 'p1' });
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      if (unfinished(shop, 'words').some((name) => !before.includes(name))) break;
      await sleep(1);
    }
    process.kill(host, 'SIGSTOP');
    // The shell that runs rustc leads a group of its own. It was to put cargo's files back: without it they stay away,
    // and cargo compiles the library and what uses it. That is more than the sources ask for, and right: nobody is left
    // who knows what lies in their places.
    for (const shell of childrenOf(host)) if (isLeader(shell)) process.kill(-shell, 'SIGKILL');
    process.kill(host, 'SIGKILL');
    restore();
    const { compiled, says } = shop.build();
    assert.is(says, spoken(shop.words));
    assert.equal(compiled, ['words', 'app']);
    shop.builds([], 'nothing is left to do');
  } finally {
    await talker.session.stop();
    shop.remove();
  }
});

for (const end of ['ended', 'killed'] as const) {
  test(`${end} with edits live, and the sources restored with their old times: cargo has nothing to do`, async () => {
    const shop = new Workshop();
    const talker = await shop.start();
    try {
      const restore = shop.memorise();
      shop.save({ deep: 'd1', plain: 'p1', own: 'o1' });
      await talker.says(spoken(shop.words));
      await settled(talker, ['base::deep', 'words::plain', 'app::own::own']);
      const host = talker.session.processId;
      assert.ok(host !== undefined);
      if (end === 'killed') process.kill(host, 'SIGKILL');
      else await talker.session.stop();
      restore();
      shop.builds([], 'restored');
      // What rustc compiled last is not what the program is made of: a new session must not take it for that.
      const next = await shop.start();
      try {
        await next.says(spoken(shop.words));
        for (const [words, functions] of [
          [{ own: 'o2' }, ['app::own::own']],
          // As the first session left it: were that the new one's base, nothing would have changed.
          [{ plain: 'p1' }, ['words::plain']],
          [{ deep: 'd2' }, ['base::deep']],
        ] as const) {
          const from = next.session.events.length;
          shop.save(words);
          const patched = await eventOf(next, from, 'patched');
          assert.equal(
            patched.functions.map(({ name }) => name),
            functions,
          );
          if (patched.confirmed === false) await eventOf(next, from, 'confirmed');
          await next.says(spoken(shop.words));
        }
      } finally {
        await next.session.stop();
      }
    } finally {
      await talker.session.stop();
      shop.remove();
    }
  });
}

/**
 * All these functions are live, and rustc has ended for them: a session that ends before that leaves cargo more to
 * compile.
 */
async function settled({ session }: Talker, functions: readonly string[]): Promise<void> {
  for (const name of functions) {
    const { patch, confirmed } = await session.waitFor(
      (event): event is PatchedEvent => event.event === 'patched' && event.functions.some((live) => live.name === name),
      0,
      VERDICT_LIMIT_MS,
    );
    if (confirmed !== false) continue;
    await session.waitFor(
      (event): event is ConfirmedEvent => event.event === 'confirmed' && event.patches.includes(patch),
      0,
      VERDICT_LIMIT_MS,
    );
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((word) => word !== '')
    .map(Number);
}

/** It leads a process group. */
function isLeader(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === pid;
}

test.run();
