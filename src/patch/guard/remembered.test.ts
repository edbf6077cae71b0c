// Types that go and come back over several patches: values of the first ones may still be alive.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../diff/compile.test-support.js';
import { compareLayouts } from './guard.js';
import { NO_MEMORY, withLayouts, type LayoutMemory } from './remembered.js';

const FLAGS = ['-Copt-level=0', '-Cdebuginfo=2'];
const WITH = `
use std::hint::black_box;
struct Fish { hp: u16, age: u16 }
fn show() -> u16 {
    let fish = black_box(Fish { hp: 1, age: 2 });
    fish.hp + fish.age
}
fn main() { println!("{}", show()); }
`;
const TYPE = 'struct Fish { hp: u16, age: u16 }\n';
const USE = '    let fish = black_box(Fish { hp: 1, age: 2 });\n    fish.hp + fish.age\n';
const WITHOUT = WITH.replace(TYPE, '').replace(USE, '    3\n');

/** What is remembered once the type is out of the sources. */
function memoryWithout(): LayoutMemory {
  const { before, after } = compileProgram(WITH, FLAGS).edited([
    [TYPE, ''],
    [USE, '    3\n'],
  ]);
  const { changed, went } = compareLayouts(before, after);
  assert.equal(changed, []);
  assert.ok(went.some(({ layout, stale }) => layout.path === 'app::Fish' && !stale));
  return withLayouts(NO_MEMORY, went);
}

const back = (type: string) =>
  compileProgram(WITHOUT, FLAGS).edited([
    ['fn show', `${type}fn show`],
    ['    3\n', USE],
  ]);

test('a type that comes back otherwise is refused, as it was', () => {
  const memory = memoryWithout();
  const { before, after } = back('struct Fish { age: u16, hp: u16 }\n');
  assert.equal(compareLayouts(before, after).changed, []);
  const [change, ...others] = compareLayouts(before, after, memory).changed;
  assert.is(change?.message, 'field `hp` of `app::Fish` moved from offset 0 to 2');
  assert.equal(others, []);
});

test('a type that comes back as it was is taken', () => {
  const { before, after } = back(TYPE);
  assert.equal(compareLayouts(before, after, memoryWithout()).changed, []);
});

test('a type that changed while no live code used it is refused where it is used', () => {
  const other = WITH.replace(TYPE, 'struct Fish { age: u16, hp: u16 }\n');
  const { before, after } = compileProgram(WITH, FLAGS).edited([[TYPE, 'struct Fish { age: u16, hp: u16 }\n']]);
  const { went } = compareLayouts(before, after);
  const memory = withLayouts(NO_MEMORY, went);
  const next = compileProgram(other, FLAGS).edited([['fish.hp + fish.age', 'fish.hp + fish.age + 1']]);
  assert.equal(compareLayouts(next.before, next.after).changed, []);
  assert.is(compareLayouts(next.before, next.after, memory).changed[0]?.name, 'app::Fish');
  // Back to what it was when values were made.
  const home = compileProgram(other, FLAGS).edited([['struct Fish { age: u16, hp: u16 }\n', TYPE]]);
  assert.equal(compareLayouts(home.before, home.after, memory).changed, []);
});

test('what is known is kept once', () => {
  const memory = memoryWithout();
  const again = withLayouts(memory, [...memory.values()].flat());
  assert.equal([...again.values()].flat().length, [...memory.values()].flat().length);
});

test.run();
