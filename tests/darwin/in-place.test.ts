// `ipbp run --redirect jump` for macOS: entries of a program without slots become jumps where the agent's try at the start
// has shown that the system lets code be changed; where it does not, edits are refused with the reason, and slots serve.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DarwinTarget, darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import type { CargoFixture } from '../cargo-fixture.js';
import { ipbp, mappingsOf, startTalker, talkerFixture, talkerSource, type Talker } from '../talker.js';

const test = suite('entries in place on macOS');

/** A function that nothing inlines, with a value of its own, called by many threads. */
const BUSY = `
static CALLS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
#[inline(never)]
fn step() -> u64 {
    CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 1
}
#[inline(never)]
fn busy() -> u64 {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| (0..3).for_each(|_| { std::thread::spawn(|| loop { step(); }); }));
    let before = CALLS.load(std::sync::atomic::Ordering::Relaxed);
    while CALLS.load(std::sync::atomic::Ordering::Relaxed) == before { std::thread::yield_now(); }
    step()
}
`;

const BODY = 'format!("hello {}", crate::busy())';

async function withTalker(
  target: DarwinTarget,
  args: readonly string[],
  body: (talker: Talker, fixture: CargoFixture) => Promise<void>,
  loader: readonly string[] = [],
): Promise<void> {
  const { env, machorun } = darwinToolchain(target);
  const fixture = talkerFixture({ 'src/main.rs': talkerSource(BODY, BUSY) });
  const runner = `CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}_RUNNER`;
  const environment = { ...env, [runner]: [machorun, ...loader].join(' ') };
  const talker = startTalker(fixture.root, ['--target', target, ...args], environment);
  try {
    await talker.ready();
    await talker.says('hello 0.');
    await body(talker, fixture);
  } finally {
    await talker.session.stop();
    fixture.remove();
  }
}

/** Memory of a process that is executable and no file's. */
function anonymousCode(pid: number): number {
  return mappingsOf(pid).filter(({ protection, path }) => protection.includes('x') && path === '').length;
}

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] satisfies DarwinTarget[]) {
  test(`${target}: entries become jumps under threads, go elsewhere, and come back`, () =>
    withTalker(target, ['--redirect', 'jump'], async (talker, fixture) => {
      const ready = await talker.ready();
      assert.is(ready.redirect, 'jump');
      const first = await talker.save(fixture, talkerSource(BODY.replace('hello', 'servus'), BUSY), 'patched');
      const { verdict, reason } = first.functions.find(({ name }) => name === 'talker::words::word') ?? {};
      assert.is(verdict, 'redirected', JSON.stringify(first.functions));
      assert.not.match(reason ?? '', /callers/);
      assert.is((await talker.says('servus 0.')).pid, ready.pid);
      // The function that all threads are in, and one that was redirected already.
      const other = BUSY.replace('% 1', '% 1 + 3').replace(
        'fn busy',
        '#[inline(never)]\nfn more() -> u64 { 1 }\nfn busy',
      );
      await talker.save(
        fixture,
        talkerSource(BODY.replace('hello', 'now'), other.replace(/step\(\)\n}\n$/, 'step() + more()\n}\n')),
        'patched',
      );
      await talker.says('now 4.');
      // What a patch brought is entered by a stub of its own.
      const third = other.replace(/step\(\)\n}\n$/, 'step() + more()\n}\n').replace('{ 1 }', '{ 2 }');
      await talker.save(fixture, talkerSource(BODY.replace('hello', 'now'), third), 'patched');
      await talker.says('now 5.');
      const both = mappingsOf(ready.pid).filter(({ protection, path }) => path !== '' && /w.?x/.test(protection));
      assert.equal(both, []);
      const undone = await ipbp(fixture.root, 'undo', '3', '--session', ready.session);
      assert.is(undone.status, 0, undone.output);
      await talker.says('hello 0.');
      const redone = await ipbp(fixture.root, 'redo', '3', '--session', ready.session);
      assert.is(redone.status, 0, redone.output);
      assert.is((await talker.says('now 5.')).pid, ready.pid);
    }));
}

for (const option of ['--refuse-new-code', '--kill-for-new-code']) {
  test(`${option}: where the try fails, a jump is refused with the reason`, () =>
    withTalker(
      'x86_64-apple-darwin',
      ['--redirect', 'jump'],
      async (talker, fixture) => {
        const { pid } = await talker.ready();
        const before = anonymousCode(pid);
        const { items } = await talker.save(fixture, talkerSource(BODY.replace('hello', 'servus'), BUSY), 'refused');
        assert.equal(
          items.map(({ code }) => code),
          ['IPBP3016'],
        );
        assert.ok(items[0]?.because.includes('the process tried it at its start, and its system did not let it'));
        assert.is((await talker.says('hello 0.')).pid, pid);
        assert.is(anonymousCode(pid), before);
      },
      [option],
    ));

  test(`${option}: where the try fails, slots serve`, () =>
    withTalker(
      'x86_64-apple-darwin',
      [],
      async (talker, fixture) => {
        const { pid, redirect } = await talker.ready();
        assert.is(redirect, 'slots');
        await talker.save(fixture, talkerSource(BODY.replace('hello', 'servus'), BUSY), 'patched');
        assert.is((await talker.says('servus 0.')).pid, pid);
      },
      [option],
    ));
}

test.run();
