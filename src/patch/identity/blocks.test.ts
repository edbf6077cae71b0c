// `impl` blocks of other crates: which of them are compiled into a program depends on what it uses of them, so that an
// edit may bring one before another of the same type. Nothing moved then. On objects that rustc made.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../diff/compile.test-support.js';
import { openSide } from '../diff/items.js';
import { identify } from './identity.js';
import { NO_NAMES } from './name-map.js';

const SOURCE = `use std::hint::black_box;
fn job(x: u64) -> u64 { black_box(x) }
fn run(jobs: &[u64]) -> Vec<u64> { jobs.iter().map(|x| job(*x)).collect() }
#[inline(never)]
fn words(text: &str) -> usize { text.len() }
fn main() {
    println!("{:?} {}", run(&[1, 2]), words(black_box("a b")));
    drop(black_box(vec![|| 1]));
}
`;

for (const [mangling, flags] of [
  ['legacy', []],
  ['v0', ['-Csymbol-mangling-version=v0']],
] as const) {
  test(`${mangling}: the first use of another block of a generic type renames nothing`, () => {
    const program = compileProgram(SOURCE, ['-Cdebuginfo=2', ...flags]);
    const { before, after } = program.edited([
      ['text.len()', 'text.split_whitespace().collect::<Vec<_>>().len()'],
      ['vec![|| 1]', 'vec![|| 2]'],
    ]);
    const found = identify({
      before,
      after: after.map(({ file }) => file),
      names: NO_NAMES,
      isTaken: (name) => openSide(program.objects).items.has(name),
    });
    assert.ok(openSide(after).items.size > openSide(before).items.size + 10, 'much is compiled that was not');
    assert.equal([...found.names], []);
    assert.is(found.moved.size, 0);
  });
}

test.run();
