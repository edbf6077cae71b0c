// Optimised loops compare with the end of a static array, or count from before its start: addresses that are no byte of
// it. In edited code they must belong to the array that lives, or the loop runs over other memory.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest } from '../cargo-fixture.js';
import { startTalker, talkerSource } from '../talker.js';

const test = suite('ends of arrays');

/** Adds up what it counts in a static array: forwards over places, or backwards. */
const source = (step: number, walk: string): string =>
  talkerSource(
    'crate::total(_count)',
    `#[derive(Debug)]
struct Place { name: &'static str, count: usize }

static PLACES: std::sync::Mutex<[Place; 3]> = std::sync::Mutex::new([
    Place { name: "a", count: 1 },
    Place { name: "b", count: 2 },
    Place { name: "c", count: 3 },
]);

#[inline(never)]
fn weigh(place: &mut Place) -> usize {
    place.count = place.count.max(1);
    place.count * ${step} + place.name.len()
}

#[inline(never)]
fn total(_: u64) -> String {
    let mut places = PLACES.lock().unwrap();
    let weights: Vec<usize> = places.iter_mut()${walk}.map(weigh).collect();
    format!("{weights:?}")
}
`,
  );

for (const level of [1, 3])
  for (const names of ['legacy', 'v0'])
    test(`opt-level ${level}, ${names} names: edited loops end where the living array does`, async () => {
      const fixture = cargoFixture({
        'Cargo.toml': manifest('talker', `[profile.dev]\nopt-level = ${level}\n`),
        'src/main.rs': source(1, ''),
      });
      const flags = names === 'v0' ? { RUSTFLAGS: '-Csymbol-mangling-version=v0' } : {};
      const talker = startTalker(fixture.root, [], flags);
      try {
        await talker.ready();
        const { pid } = await talker.says('[2, 3, 4].');
        await talker.save(fixture, source(10, '.rev()'), 'patched');
        await talker.says('[31, 21, 11].');
        await talker.save(fixture, source(10, '.skip(1)'), 'patched');
        await talker.says('[21, 31].');
        assert.is((await talker.line()).pid, pid);
      } finally {
        await talker.session.stop();
        fixture.remove();
      }
    });

test.run();
