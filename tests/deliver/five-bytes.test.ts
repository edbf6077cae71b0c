// Jumps to patches that are shared libraries take six bytes. A function whose sixth byte is branched to gets a short jump to
// one of six bytes in padding; where there is no padding, those that call it are linked anew.
import { closeSync, openSync, readSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { readelfSymbols } from '../readelf.js';
import { ipbp, mappingsOf, startTalker, type Talker } from '../talker.js';

/** Optimised for size, `step` is a load of its number, five bytes, and a loop that leads back behind it. */
const source = (number: number): string => `use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
static TURNS: AtomicU64 = AtomicU64::new(0);

#[inline(never)]
fn step() -> u64 {
    let mut sum = ${number}u64;
    loop {
        sum = sum.rotate_left(1).wrapping_add(3);
        if TURNS.swap(0, Relaxed) == 0 {
            break sum;
        }
    }
}

#[inline(never)]
fn word() -> String {
    step().to_string()
}

fn main() {
    for count in 0u64.. {
        println!("{} {count} {}", std::process::id(), word());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`;

/** The bytes at the entry of `step` in the process. */
function entryOf(fixture: CargoFixture, pid: number): Uint8Array {
  const program = fixture.path('target/debug/talker');
  const { value = 0 } = readelfSymbols(program).find(({ name }) => /6talker4step17h/.test(name)) ?? {};
  const start = mappingsOf(pid).find(({ path }) => path.endsWith('/talker'))?.start ?? 0;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const bytes = new Uint8Array(6);
    assert.is(readSync(memory, bytes, 0, bytes.length, start + value), bytes.length);
    return bytes;
  } finally {
    closeSync(memory);
  }
}

for (const [name, flags, first, reason] of [
  ['padding between functions', '"-Cllvm-args=-align-all-functions=5"', 0xeb, /^its code differs$/],
  ['no padding', '', 0xb8, /its callers are linked anew, as a branch may lead to its byte 5/],
] as const) {
  const test = suite(name);
  let fixture: CargoFixture;
  let talker: Talker;

  test.before(() => {
    fixture = cargoFixture({
      'Cargo.toml': manifest('talker', '[profile.dev]\nopt-level = "s"\n'),
      'src/main.rs': source(1000),
      '.cargo/config.toml': `[build]\nrustflags = [${flags}]\n`,
    });
    talker = startTalker(fixture.root, ['--deliver', 'dylib']);
  });

  test.after(async () => {
    await talker.session.stop();
    fixture.remove();
  });

  test('its edits go live, and back', async () => {
    const { pid, session } = await talker.ready();
    await talker.says('2003');
    const before = entryOf(fixture, pid);
    assert.equal([...before.subarray(0, 5)], [0xb8, 0xe8, 3, 0, 0], 'mov $1000, %eax');
    for (const number of [2000, 3000]) {
      const { functions } = await talker.save(fixture, source(number), 'patched');
      await talker.says(String(number * 2 + 3));
      const step = functions.find((one) => one.name.endsWith('::step'));
      assert.is(step?.verdict, 'redirected');
      assert.match(step?.reason ?? '', reason);
      assert.is(entryOf(fixture, pid)[0], first);
    }
    const undone = await ipbp(fixture.root, 'undo', '2', '--session', session);
    assert.is(undone.status, 0, undone.output);
    assert.is((await talker.says('2003')).pid, pid);
    assert.equal(entryOf(fixture, pid), before);
  });

  test.run();
}
