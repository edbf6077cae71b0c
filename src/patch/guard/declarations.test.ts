// Edits of sources, as they are judged where objects do not describe types.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createDeclarations } from './declarations.js';
import { tokensOf } from './source-tokens.js';

const SOURCE = `
//! A shop.
use std::collections::HashMap;
mod sea {
    #[derive(Debug)]
    pub struct Fish<'a> { pub hp: u32, name: &'a str }
    impl<'a> Fish<'a> {
        pub fn heal(&mut self) -> u32 { self.hp += 1; self.hp }
    }
}
enum Event { Open, Paid(u32) }
const SIZE: usize = 4;
static TABLE: [u8; SIZE] = [1; SIZE];
trait Shape {
    fn area(&self) -> u32;
    fn edge(&self) -> u32 { 4 }
}
struct Shop { fish: HashMap<u32, u8> }
fn rule(a: u32, b: u32) -> Box<dyn Fn(u32) -> u32> {
    Box::new(move |x| a * 10 + b + x)
}
async fn task(start: u32) -> u32 { start }
fn numbers() -> impl Iterator<Item = u32> { (0..4).map(|x| x + 1) }
const fn width() -> usize { 8 }
fn text() -> String { format!("{} {}", r#"raw " } "#, '"') /* nested /* comment */ } */ }
thread_local! { static DEPTH: u32 = 4; }
fn main() { let shown = [1u8, 2].iter().map(|x| x + 1).count(); println!("{shown}"); }
`;

interface Case {
  readonly what: string;
  readonly edit: readonly [from: string, to: string];
  /** What must be named; null when the edit is safe. */
  readonly names: string | null;
}

const CASES: readonly Case[] = [
  { what: 'a body', edit: ['self.hp += 1', 'self.hp += 2'], names: null },
  { what: 'a comment and a blank line', edit: ['//! A shop.', '//! The shop.\n'], names: null },
  { what: 'a string', edit: ['"{} {}"', '"{}: {}"'], names: null },
  { what: 'a body of a provided method', edit: ['{ 4 }', '{ 5 }'], names: null },
  { what: 'the first value of a static', edit: ['[1; SIZE]', '[2; SIZE]'], names: null },
  { what: 'a new function', edit: ['fn main', 'fn more() -> u32 { 4 }\nfn main'], names: null },
  { what: 'a new method', edit: ['pub fn heal', 'fn age(&self) -> u32 { 3 }\n        pub fn heal'], names: null },
  { what: 'a new type', edit: ['fn main', 'struct Pike(u8);\nfn main'], names: null },
  { what: 'a new import', edit: ['use std::c', 'use std::fmt::Write;\nuse std::c'], names: null },
  { what: 'who may see a field', edit: ['pub hp', 'pub(crate) hp'], names: null },
  { what: 'what is derived', edit: ['derive(Debug)', 'derive(Debug, Clone)'], names: null },
  { what: 'a new closure behind the others', edit: ['println!', 'let _ = Some(1).map(|y| y); println!'], names: null },
  {
    what: 'a new closure before the others',
    edit: ['let shown', 'let _ = Some(1).map(|y| y); let shown'],
    names: null,
  },
  { what: 'what a closure does with what it holds', edit: ['a * 10 + b + x', 'a * 20 + b + x'], names: null },
  { what: "a field's type", edit: ['hp: u32', 'hp: u64'], names: 'struct sea::Fish' },
  { what: 'an attribute', edit: ['#[derive(Debug)]', '#[repr(C)]'], names: 'struct sea::Fish' },
  { what: 'a variant', edit: ['Open, ', 'Open, Late, '], names: 'enum Event' },
  { what: 'a constant', edit: ['usize = 4', 'usize = 8'], names: 'const SIZE' },
  { what: "a static's type", edit: ['[u8; SIZE] =', '[u16; SIZE] ='], names: 'static TABLE' },
  { what: 'a method of a trait', edit: ['fn area', 'fn size(&self) -> u32;\n    fn area'], names: 'trait Shape' },
  {
    what: 'an import that a field uses',
    edit: ['collections::HashMap', 'collections::BTreeMap as HashMap'],
    names: 'use HashMap',
  },
  { what: 'the order in which a closure captures', edit: ['a * 10 + b', 'b + a * 10'], names: 'fn rule' },
  { what: "a coroutine's body", edit: ['{ start }', '{ start + 1 }'], names: 'fn task' },
  { what: 'a body whose type has no name', edit: ['0..4', '0..5'], names: 'fn numbers' },
  { what: 'a body that runs in the compiler', edit: ['{ 8 }', '{ 9 }'], names: 'fn width' },
  { what: 'a type in a body', edit: ['let shown', 'struct Local(u8); let shown'], names: 'fn main' },
  { what: 'what a macro is given', edit: ['DEPTH: u32', 'DEPTH: u64'], names: 'thread_local !' },
];

const FILE = 'src/main.rs';

for (const { what, edit, names } of CASES) {
  test(`${names === null ? 'safe' : 'not safe'}: ${what}`, () => {
    const [from, to] = edit;
    assert.is(SOURCE.split(from).length, 2, from);
    const known = createDeclarations();
    known.add(new Map([[FILE, SOURCE]]));
    const found = known.changes(new Map([[FILE, SOURCE.replace(from, () => to)]])).map(({ name }) => name);
    assert.equal(found, names === null ? [] : [`${FILE}: ${names}`]);
  });
}

test('a type that was taken out and comes back must be what it was', () => {
  const known = createDeclarations();
  const [first, without] = ['struct A { x: u32 }\nfn main() {}', 'fn main() {}'];
  known.add(new Map([[FILE, first]]));
  assert.equal(known.changes(new Map([[FILE, without]])), []);
  known.add(new Map([[FILE, without]]));
  assert.equal(known.changes(new Map([[FILE, first]])), []);
  assert.is(known.changes(new Map([[FILE, first.replace('u32', 'u64')]])).length, 1);
});

test('files that are new, gone, or the same say nothing', () => {
  const known = createDeclarations();
  known.add(new Map([[FILE, SOURCE]]));
  const now = new Map([
    [FILE, SOURCE],
    ['src/new.rs', 'struct New;'],
    ['src/gone.rs', null],
  ]);
  assert.equal(known.changes(now), []);
});

test('literals, lifetimes and comments', () => {
  const tokens = tokensOf(`a/*/**/*/'b 'c' b'\\'' r##"x"#"## "\\"" 1.5 x.0 r#type // end`);
  assert.equal(tokens, ['a', "'b", "'c'", "b'\\''", 'r##"x"#"##', '"\\""', '1.5', 'x', '.', '0', 'r#type']);
});

test('a source that is not right ends, too', () => {
  for (const text of [
    'fn main( {',
    'struct',
    '}}}',
    '/* open',
    'r#"open',
    '#[',
    'impl',
    'use a::{b',
    "'",
    'pub pub pub',
  ]) {
    const known = createDeclarations();
    known.add(new Map([[FILE, text]]));
    assert.ok(Array.isArray(known.changes(new Map([[FILE, `${text} x`]]))));
  }
});

test.run();
