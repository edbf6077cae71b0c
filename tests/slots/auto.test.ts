// Without a flag a program has no slots, until an edit shows that one of its functions takes no jump: built again, it has
// some there. And a program that was linked the other way than asked is linked again.
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, type Talker } from '../talker.js';

/**
 * Optimised, the loop of `wait` leads back to its first byte: no jump may stand there. As its address is kept, those who
 * call it cannot all be led elsewhere.
 */
function program(limit: string): string {
  return `use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
static TURNS: AtomicU64 = AtomicU64::new(0);

#[inline(never)]
fn wait() {
    while TURNS.fetch_add(1, Relaxed) % ${limit} != 0 {}
}

fn main() {
    for count in 0u64.. {
        TURNS.store(1, Relaxed);
        std::hint::black_box(wait as fn())();
        println!("{} {count} {}", std::process::id(), TURNS.load(Relaxed));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`;
}

const test = suite('slots by themselves');
let fixture: CargoFixture;
let talker: Talker | null = null;

test.before(() => {
  fixture = cargoFixture({
    'Cargo.toml': manifest('talker', '[profile.dev]\nopt-level = 1\n'),
    'src/main.rs': program('4'),
  });
});

test.after(async () => {
  await talker?.session.stop();
  fixture.remove();
});

/** Ends the running program, if any, and starts anew. */
async function start(...args: readonly string[]): Promise<Talker> {
  await talker?.session.stop();
  talker = startTalker(fixture.root, args);
  await talker.ready();
  return talker;
}

const redirect = async (running: Talker): Promise<string> => (await running.ready()).redirect;

/** Names of slots in the executable's table of names. */
function slotNames(): string[] {
  const text = readFileSync(fixture.path('target/debug/talker'), 'latin1');
  return ['ipbp.slot', 'ipbp.slot.lone'].filter((name) => text.includes(`\0${name}\0`));
}

test('an edit of a function that takes no jump is refused once, and taken after a new build', async () => {
  let running = await start();
  assert.is(await redirect(running), 'jump');
  await running.says('5');
  const { items } = await running.save(fixture, program('8'), 'refused');
  assert.equal(
    items.map(({ code }) => code),
    ['IPBP3001'],
  );
  assert.ok(running.session.events.some((event) => event.event === 'note' && event.code === 'IPBP3001'));
  running = await start();
  assert.is(await redirect(running), 'slots');
  assert.equal(slotNames(), ['ipbp.slot.lone']);
  await running.says('9');
  await running.save(fixture, program('16'), 'patched');
  await running.says('17');
});

test('a fresh program without slots, or with few, is linked again when slots are asked for', async () => {
  fixture.cargo(['build']);
  assert.equal(slotNames(), []);
  const running = await start('--redirect', 'slots');
  assert.equal(slotNames(), ['ipbp.slot']);
  await running.save(fixture, program('4'), 'patched');
  await running.says('5');
});

test('one with slots goes on with them, and is linked without when jumps are asked for', async () => {
  fixture.cargo(['build']);
  fixture.write('src/main.rs', program('32'));
  assert.is(await redirect(await start('--redirect', 'slots')), 'slots');
  assert.is(await redirect(await start()), 'slots');
  assert.equal(slotNames(), ['ipbp.slot']);
  assert.is(await redirect(await start('--redirect', 'jump')), 'jump');
  assert.equal(slotNames(), []);
});

test.run();
