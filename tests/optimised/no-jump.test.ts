// A function at whose entry no jump may stand, in a program without slots: those that call it are linked anew and lead to
// its new body, whatever their own entries take. Where its address was kept, the edit is refused.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { ipbp, startTalker, type Talker } from '../talker.js';

interface Text {
  /** The loops end at multiples of these. */
  readonly wait?: number;
  readonly turn?: number;
  /** How `main` says how many turns there were; it may take addresses, too. */
  readonly said?: string;
}

/** Optimised, the loops of `wait` and of `turn` lead back to their first bytes: no jump may stand there. */
function source({ wait = 4, turn = 1, said = 'TURNS.load(Relaxed)' }: Text = {}): string {
  return `use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
static TURNS: AtomicU64 = AtomicU64::new(0);

#[inline(never)]
fn wait() {
    while TURNS.fetch_add(1, Relaxed) % ${wait} != 0 {}
}

#[inline(never)]
fn turn() {
    loop {
        wait();
        if TURNS.load(Relaxed) % ${turn} == 0 {
            break;
        }
    }
}

#[inline(never)]
fn step() -> u64 {
    TURNS.store(1, Relaxed);
    turn();
    TURNS.load(Relaxed)
}

fn main() {
    for count in 0u64.. {
        let turns = step();
        println!("{} {count} {turns} {}", std::process::id(), ${said});
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`;
}

const test = suite('no jump at the entry');
let fixture: CargoFixture;
let talker: Talker;

test.before(async () => {
  fixture = cargoFixture({
    'Cargo.toml': manifest('talker', '[profile.dev]\nopt-level = 1\n'),
    'src/main.rs': source(),
  });
  talker = startTalker(fixture.root);
  await talker.ready();
  await talker.says('5 5');
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

/** What a patch says of its functions, by the last part of their names. */
async function edit(text: Text): Promise<ReadonlyMap<string, string>> {
  const { functions } = await talker.save(fixture, source(text), 'patched');
  return new Map(
    functions.map(({ name, verdict, reason = '' }) => [
      name.slice(name.lastIndexOf('::') + 2),
      `${verdict}: ${reason}`,
    ]),
  );
}

test('its callers are linked anew, and where theirs take none, those who call them', async () => {
  const said = await edit({ wait: 8 });
  await talker.says('9 9');
  assert.match(said.get('wait') ?? '', /redirected: .*its callers are linked anew, as a loop in it may lead back/);
  assert.match(said.get('turn') ?? 'redirected: calls', /^redirected: calls/);
  assert.ok([...said.values()].some((reason) => /calls .*wait, whose entry takes no jump/.test(reason)));
});

test('again, at its new place', async () => {
  await edit({ wait: 16 });
  await talker.says('17 17');
});

test('undone and done again', async () => {
  const { session } = await talker.ready();
  assert.is((await ipbp(fixture.root, 'undo', '--session', session)).status, 0);
  await talker.says('9 9');
  assert.is((await ipbp(fixture.root, 'undo', '--session', session)).status, 0);
  await talker.says('5 5');
  assert.is((await ipbp(fixture.root, 'redo', '2', '--session', session)).status, 0);
  await talker.says('17 17');
});

test('both change', async () => {
  await edit({ wait: 8, turn: 3 });
  await talker.says('9 9');
});

test('the address is taken: by the same edit, by an earlier one, by one that is gone', async () => {
  const kept = 'TURNS.load(Relaxed) + u64::from(std::hint::black_box(wait as fn()) == wait as fn()) - 1';
  const refused = async (text: Text, why: RegExp): Promise<void> => {
    const { items } = await talker.untouchedBy(() => talker.save(fixture, source(text), 'refused'));
    assert.equal(
      items.map(({ code }) => code),
      ['IPBP3001'],
    );
    assert.match(items[0]?.because.join('; ') ?? '', why);
  };
  await refused({ wait: 4, turn: 3, said: kept }, /its address is kept: .*main takes it/);
  await talker.save(fixture, source({ wait: 8, turn: 3 }), 'unchanged');
  await talker.save(fixture, source({ wait: 8, turn: 3, said: kept }), 'patched');
  await refused({ wait: 4, turn: 3, said: kept }, /its address is kept: .*main takes it/);
  await talker.save(fixture, source({ wait: 8, turn: 3 }), 'patched');
  await refused({ wait: 4, turn: 3 }, /its address was kept by code that is live no more/);
});

test.run();
