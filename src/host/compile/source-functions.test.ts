// Which functions an edit of a source touched.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { editedFunctions, functionsOf } from './source-functions.js';

const SOURCE = `
//! fn not_one() {}
use std::fmt;
/* fn nor { /* this */ } */
const TABLE: [fn(u64) -> u64; 2] = [one, two];
static TEXT: &str = r#"fn raw() { "}" "#;

fn one<'a>(x: u64) -> u64 { if x > 3 { '{' as u64 } else { b'}' as u64 } }
pub(crate) const fn two(x: [u8; 3]) -> u64
where
    u64: Copy,
{
    fn inner() -> &'static str { "\\"{" }
    inner().len() as u64 + 2 // two
}
struct Flat { cents: u64 }
trait Offer { fn name(&self) -> String; fn cents(&self) -> u64 { 1 } }
impl Offer for Flat { fn name(&self) -> String { format!("{{{}}}", self.cents) } }
impl fmt::Display for Flat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad("flat") }
}
impl fmt::Debug for Flat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad("flat") }
}
mod tests { fn check() { one(1); } }
`;

const NAMES = ['one', 'inner', 'two', 'cents', 'name', 'fmt', 'fmt', 'check'];

test('functions are found wherever they stand', () => {
  assert.equal(
    [...functionsOf(SOURCE).values()].map(({ name }) => name),
    NAMES,
  );
});

const EDITS: readonly (readonly [from: string, to: string, ...names: string[]])[] = [
  ['x > 3', 'x > 4', 'one'],
  ['+ 2 // two', '+ 3', 'two'],
  ['// two', '// three'],
  ['"\\"{"', '"\\"}"', 'inner'],
  ['{{{}}}', '<{}>', 'name'],
  ['{ 1 }', '{\n 2 }', 'cents'],
  ['fn one', '\n\nfn   one'],
  ['one(1)', 'one(2)'],
  ['"}" ', '"]" '],
];

for (const [from, to, ...names] of EDITS) {
  test(`${JSON.stringify(from)} → ${JSON.stringify(to)}: ${names.join() || 'none'}`, () => {
    assert.ok(SOURCE.includes(from));
    assert.equal(
      editedFunctions(
        SOURCE,
        SOURCE.replace(from, () => to),
      ),
      names,
    );
  });
}

test('a function that comes or goes is not edited', () => {
  assert.equal(editedFunctions(SOURCE, `${SOURCE}fn three() {}`), []);
  assert.equal(editedFunctions(`${SOURCE}fn three() {}`, SOURCE), []);
});

test('what is no Rust does no harm', () => {
  for (const text of ['', '}', '}}{{', 'fn', 'fn {', 'fn a(', '"', "'", '/*', 'r#"', 'fn a() { "', '\u0000\uffff'])
    functionsOf(text);
});

test.run();
