// Functions whose code is equal become one body, by the compiler or by the linker. An edit of one of them changes that
// one alone, for callers that nobody edited too; where its address may be kept somewhere, the edit is refused.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, type Talker } from '../talker.js';

interface Build {
  readonly name: string;
  readonly profile: string;
  readonly config: string;
  /** Where the second price is: a compiler merges within a module, a linker everywhere. */
  readonly secondIn: 'shop' | 'stall';
}

const BUILDS: readonly Build[] = [
  { name: 'merged by the compiler', profile: 'opt-level = 3', config: '', secondIn: 'shop' },
  {
    name: 'merged by the linker',
    profile: 'opt-level = 1',
    config: '[build]\nrustflags = ["-Clink-arg=-Wl,--icf=all"]\n',
    secondIn: 'stall',
  },
];

interface Prices {
  readonly a?: string;
  readonly b?: string;
  readonly c?: string;
  readonly d?: string;
  readonly first?: string;
}

/** `kept` are prices whose addresses are in a table from the start. */
function source(
  build: Build,
  { a = 'x * 3 + 1', b = 'x * 3 + 1', c = 'x ^ 77', d = 'x ^ 77', first = '"sells"' }: Prices = {},
): string {
  const price = (name: string, body: string): string => `
    #[inline(never)]
    pub fn price_${name}(x: u64) -> u64 {
        ${body}
    }`;
  const second = price('b', b) + price('d', d);
  const inShop = build.secondIn === 'shop';
  return `use std::hint::black_box;
mod shop {${price('a', a)}${price('c', c)}${inShop ? second : ''}
}
mod stall {${inShop ? '' : second}
    ${inShop ? 'pub use crate::shop::{price_b, price_d};' : ''}
}
mod till {
    use std::hint::black_box;
    #[inline(never)]
    pub fn first() -> String {
        format!("{} {}", ${first}, crate::shop::price_a(black_box(10)))
    }
    #[inline(never)]
    pub fn second() -> u64 {
        crate::stall::price_b(black_box(10))
    }
}
mod rack {
    #[inline(never)]
    pub fn all() -> Vec<fn(u64) -> u64> {
        vec![crate::shop::price_c, crate::stall::price_d]
    }
}
fn main() {
    let rack = rack::all();
    for count in 0u64.. {
        let kept: Vec<u64> = rack.iter().map(|price| price(black_box(1))).collect();
        println!("{} {count} {} {} {kept:?}", std::process::id(), till::first(), till::second());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`;
}

for (const build of BUILDS) {
  const test = suite(build.name);
  let fixture: CargoFixture;
  let talker: Talker;

  test.before(async () => {
    fixture = cargoFixture({
      'Cargo.toml': manifest(
        'talker',
        `[profile.dev]\n${build.profile}\nincremental = true\noverflow-checks = false\n`,
      ),
      '.cargo/config.toml': build.config,
      'src/main.rs': source(build),
    });
    talker = startTalker(fixture.root);
    await talker.ready();
    await talker.says('sells 31 31 [76, 76]');
  });

  test.after(async () => {
    await talker.session.stop();
    fixture.remove();
  });

  test('one of them changes: the other does not', async () => {
    const { functions } = await talker.save(fixture, source(build, { b: 'x * 5' }), 'patched');
    await talker.says('sells 31 50 [76, 76]');
    const forked = functions.find(({ verdict }) => verdict === 'forked');
    assert.match(forked?.name ?? '', /price_b$/);
    assert.match(forked?.reason ?? '', /its old body goes on serving .*price_a/);
    assert.ok(functions.some(({ name, verdict }) => name.endsWith('till::second') && verdict === 'redirected'));
  });

  test('it changes again, at its new place', async () => {
    const { functions } = await talker.save(fixture, source(build, { b: 'x * 6' }), 'patched');
    await talker.says('sells 31 60 [76, 76]');
    assert.ok(functions.some(({ name, verdict }) => name.endsWith('price_b') && verdict === 'redirected'));
  });

  test('the other one changes: the body is its own now', async () => {
    await talker.save(fixture, source(build, { a: 'x * 7', b: 'x * 6' }), 'patched');
    await talker.says('sells 70 60 [76, 76]');
  });

  test('a caller is compiled again and finds each of them', async () => {
    await talker.save(fixture, source(build, { a: 'x * 7', b: 'x * 6', first: '"gives"' }), 'patched');
    await talker.says('gives 70 60 [76, 76]');
  });

  test('one whose address is in a table is refused', async () => {
    const { items } = await talker.untouchedBy(() =>
      talker.save(fixture, source(build, { a: 'x * 7', b: 'x * 6', first: '"gives"', d: 'x + 500' }), 'refused'),
    );
    assert.equal(
      items.map(({ code }) => code),
      ['IPBP3012'],
    );
    assert.match(items[0]?.because.join() ?? '', /its address is kept/);
  });

  test('both change alike', async () => {
    const alike = { a: 'x * 7', b: 'x * 6', first: '"gives"', c: 'x + 500', d: 'x + 500' };
    await talker.save(fixture, source(build, alike), 'patched');
    await talker.says('gives 70 60 [501, 501]');
  });

  test('back to the first text', async () => {
    await talker.save(fixture, source(build), 'patched');
    await talker.says('sells 31 31 [76, 76]');
  });

  test.run();
}
