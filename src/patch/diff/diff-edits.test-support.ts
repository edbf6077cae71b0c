// A small Rust program, edits of it, and what a comparison of the objects before and after must say. The program has one
// of each kind of thing that an edit can touch; all is kept from inlining, so that optimised code has it too.

const WANDERER = `
    #[inline(never)]
    pub fn wanderer(x: u32) -> u32 {
        x ^ 0x55
    }`;

/** The program before the edits. */
export const BASE_PROGRAM = `
use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

static TABLE: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
static COUNT: AtomicU32 = AtomicU32::new(5);
thread_local! {
    static LOCAL: Cell<u32> = const { Cell::new(3) };
}

struct Point {
    x: u32,
    y: u32,
}

impl Point {
    #[inline(never)]
    fn sum(&self) -> u32 {
        self.x.wrapping_mul(2) ^ self.y
    }
}

trait Shape {
    fn area(&self) -> u32;
}

struct Square(u32);
impl Shape for Square {
    #[inline(never)]
    fn area(&self) -> u32 {
        self.0.wrapping_mul(self.0)
    }
}

#[inline(never)]
fn body(x: u32) -> u32 {
    x.wrapping_add(1)
}

#[inline(never)]
fn caller(x: u32) -> u32 {
    body(x).wrapping_mul(7)
}

#[inline(never)]
fn look(index: usize) -> u32 {
    TABLE[index]
}

#[inline(never)]
fn count() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed) + LOCAL.with(Cell::get)
}

#[inline(never)]
fn speak(x: u32) {
    println!("the value is {x}");
}

#[inline(never)]
fn text() -> &'static str {
    black_box("old")
}

#[inline(never)]
fn generic<T: Copy + Into<u64>>(value: T) -> u64 {
    value.into().rotate_left(3)
}

#[inline(never)]
fn closure(k: u32) -> u32 {
    let f = |x: u32| x.wrapping_add(3);
    apply(&f, k)
}

#[inline(never)]
fn apply(f: &dyn Fn(u32) -> u32, k: u32) -> u32 {
    f(k)
}

#[inline(never)]
fn choose(x: u32) -> &'static str {
    match x {
        0 => "zero",
        1 => "one",
        2 => "two",
        3 => "three",
        4 => "four",
        _ => "many",
    }
}

mod names {
    pub static NAMES: [&str; 3] = ["north", "south", "here"];
}

#[inline(never)]
fn direction(index: usize) -> &'static str {
    names::NAMES.get(index).copied().unwrap_or("nowhere")
}

mod left {${WANDERER}    #[inline(never)]
    pub fn stays(x: u32) -> u32 {
        wanderer(x).wrapping_sub(1)
    }
}

mod right {
    #[inline(never)]
    pub fn other(x: u32) -> u32 {
        x.wrapping_mul(9)
    }
}

fn main() {
    let x = black_box(2);
    let shape: Box<dyn Shape> = Box::new(Square(x));
    speak(shape.area() + caller(x) + look(x as usize) + count() + Point { x, y: x }.sum() + closure(x));
    println!("{} {} {} {} {}", text(), generic(x), generic(7u8), choose(x), direction(x as usize));
    println!("{} {}", left::stays(x), right::other(x));
}
`;

/** An edit, and what must differ after it: the same in both profiles, or what each must show. */
export interface EditCase {
  readonly what: string;
  readonly edits: readonly (readonly [from: string, to: string])[];
  readonly debug: readonly string[];
  readonly release: readonly string[];
  /** Each must be among the reasons, in both profiles. */
  readonly because?: readonly RegExp[];
}

/** Functions of the base program that own a panic location after line 9: what a new line above them changes. */
const LOCATED_DEBUG = ['body app::count', 'body app::generic', 'body app::look', 'body app::main'];
const LOCATED_RELEASE = ['body app::look'];

export const EDIT_CASES: readonly EditCase[] = [
  {
    what: 'a body',
    edits: [['x.wrapping_add(1)', 'x.wrapping_add(2)']],
    debug: ['body app::body'],
    release: ['body app::body'],
    because: [/^its code differs$/],
  },
  {
    what: 'a signature: another hash, and the callers',
    edits: [
      ['fn body(x: u32) -> u32 {\n    x.wrapping_add(1)', 'fn body(x: u64) -> u32 {\n    (x as u32).wrapping_add(1)'],
      ['body(x).wrapping_mul(7)', 'body(x.into()).wrapping_mul(7)'],
    ],
    debug: ['added app::body', 'body app::caller', 'removed app::body'],
    release: ['added app::body', 'body app::caller', 'removed app::body'],
  },
  {
    what: 'a field added to a struct: another hash of the methods that take it, which types tell to be the same',
    edits: [
      ['    y: u32,\n}', '    y: u32, z: u32,\n}'],
      ['Point { x, y: x }', 'Point { x, y: x, z: x }'],
    ],
    debug: ['body app::main'],
    release: ['added app::Point::sum', 'body app::main', 'removed app::Point::sum'],
  },
  {
    what: 'the type of a field: no hash changes',
    edits: [
      ['    y: u32,\n}', '    y: u64,\n}'],
      ['Point { x, y: x }', 'Point { x, y: x.into() }'],
      ['self.x.wrapping_mul(2) ^ self.y', 'self.x.wrapping_mul(2) ^ self.y as u32'],
    ],
    debug: ['body app::Point::sum', 'body app::main'],
    release: ['body app::Point::sum', 'body app::main'],
  },
  {
    what: 'what a closure captures: its hash and its adapters',
    edits: [['let f = |x: u32| x.wrapping_add(3);', 'let f = |x: u32| x.wrapping_add(k);']],
    debug: [
      'added app::closure::{{closure}}',
      'added core::ops::function::FnOnce::call_once',
      'added core::ops::function::FnOnce::call_once{{vtable.shim}}',
      'body app::closure',
      'removed app::closure::{{closure}}',
      'removed core::ops::function::FnOnce::call_once',
      'removed core::ops::function::FnOnce::call_once{{vtable.shim}}',
    ],
    // The vtable is known at its only use: the call is direct, and the closure is part of it.
    release: ['body app::apply', 'body app::closure'],
  },
  {
    what: 'an impl block before others: those after it are the same under other numbers',
    edits: [
      ['impl Point {', 'impl Point { fn fresh(&self) -> u32 { self.x } } impl Point {'],
      ['Point { x, y: x }.sum()', '(Point { x, y: x }.sum() ^ Point { x, y: x }.fresh())'],
    ],
    debug: ['added app::Point::fresh', 'body app::main'],
    // Without types an inherent method's new hash may stand for another signature.
    release: ['added app::Point::sum', 'body app::main', 'removed app::Point::sum'],
  },
  {
    what: 'the body of a generic: all instances',
    edits: [['value.into().rotate_left(3)', 'value.into().rotate_left(5)']],
    debug: ['body app::generic', 'body app::generic'],
    release: ['body app::generic', 'body app::generic'],
  },
  {
    what: 'the initial value of a static: no function',
    edits: [['AtomicU32::new(5)', 'AtomicU32::new(6)']],
    debug: ['initialiser app::COUNT'],
    release: ['initialiser app::COUNT'],
    because: [/^its initial value differs$/],
  },
  {
    what: 'the initial value of a thread-local',
    edits: [['const { Cell::new(3) }', 'const { Cell::new(4) }']],
    debug: [
      'initialiser app::LOCAL::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL',
      'initialiser app::LOCAL::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL',
    ],
    // Nobody writes to it: optimised, it is a constant in the code.
    release: ['body app::count'],
  },
  {
    what: 'a blank line: only functions that own a panic location',
    edits: [['static TABLE', '\nstatic TABLE']],
    debug: [...LOCATED_DEBUG, 'body app::generic'],
    release: LOCATED_RELEASE,
    because: [/^a panic location moved: line 48 → 49$/],
  },
  {
    what: 'a comment',
    edits: [['fn caller', '// Calls the body.\nfn caller']],
    debug: [...LOCATED_DEBUG, 'body app::generic'],
    release: LOCATED_RELEASE,
    because: [/^a panic location moved: line 48 → 49$/],
  },
  {
    what: 'a comment that moves no line: nothing',
    edits: [['fn caller(x: u32) -> u32 {', 'fn caller(x: u32) -> u32 { // Calls the body.']],
    debug: [],
    release: [],
  },
  {
    what: 'the content of a read-only table: it and who reads it',
    edits: [['6, 7, 8]', '6, 7, 9]']],
    debug: ['body app::look', 'initialiser app::TABLE'],
    release: ['body app::look', 'initialiser app::TABLE'],
    because: [/^its content differs$/, /^uses app::TABLE, which changed$/],
  },
  {
    what: 'the content of a read-only table that an object reads which does not change',
    edits: [['"north"', '"nord"']],
    debug: ['body app::direction', 'initialiser app::names::NAMES'],
    release: ['body app::direction', 'initialiser app::names::NAMES'],
    because: [/^uses app::names::NAMES, which changed$/, /^a string changed: "north" → "nord"$/],
  },
  {
    what: 'only a string',
    edits: [['black_box("old")', 'black_box("new")']],
    debug: ['body app::text'],
    release: ['body app::text'],
    because: [/^a string changed: "old" → "new"$/],
  },
  {
    what: 'a format string',
    edits: [['the value is {x}', 'the value was {x}!']],
    // Arguments::new is generic over the length of the template.
    debug: ['added core::fmt::Arguments::new', 'body app::speak', 'removed core::fmt::Arguments::new'],
    release: ['body app::speak'],
    because: [/^a string changed: "the value is \{\}\\n" → "the value was \{\}!\\n"$/],
  },
  {
    what: 'a string behind a jump table',
    edits: [['"three"', '"drei!"']],
    debug: ['body app::choose'],
    release: ['body app::choose'],
    because: [/^a string changed: "three" → "drei!"$/],
  },
  {
    what: 'a new function and its caller',
    edits: [
      ['fn caller(x: u32) -> u32 {', '#[inline(never)] fn fresh(x: u32) -> u32 { x ^ 77 } fn caller(x: u32) -> u32 {'],
      ['body(x).wrapping_mul(7)', 'fresh(body(x)).wrapping_mul(7)'],
    ],
    debug: ['added app::fresh', 'body app::caller'],
    // `caller` has lost its attribute to `fresh` and is inlined.
    release: ['added app::fresh', 'body app::main', 'removed app::caller'],
  },
  {
    what: 'a new static and a new thread-local',
    edits: [
      ['static COUNT:', 'static FRESH: AtomicU32 = AtomicU32::new(9); static COUNT:'],
      [
        'COUNT.fetch_add(1, Ordering::Relaxed) +',
        'COUNT.fetch_add(FRESH.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed) +',
      ],
    ],
    debug: ['added app::FRESH', 'body app::count'],
    release: ['added app::FRESH', 'body app::count'],
  },
  {
    what: 'a static that grows',
    edits: [
      [
        'static COUNT: AtomicU32 = AtomicU32::new(5)',
        'static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(5)',
      ],
      ['COUNT.fetch_add(1, Ordering::Relaxed) +', 'COUNT.fetch_add(1, Ordering::Relaxed) as u32 +'],
    ],
    debug: [
      'added app::COUNT',
      'added core::sync::atomic::AtomicU64::fetch_add',
      'body app::count',
      'removed app::COUNT',
      'removed core::sync::atomic::AtomicU32::fetch_add',
    ],
    release: ['added app::COUNT', 'body app::count', 'removed app::COUNT'],
  },
  {
    what: 'a method behind a vtable: no caller',
    edits: [['self.0.wrapping_mul(self.0)', 'self.0.wrapping_mul(self.0).wrapping_add(1)']],
    debug: ['body <app::Square as app::Shape>::area'],
    release: ['body <app::Square as app::Shape>::area'],
  },
  {
    what: 'a function moved to another module, so that the objects are cut anew',
    edits: [
      [WANDERER, WANDERER.replace(/[^\n]/g, '')],
      ['mod right {', `mod right {${WANDERER.replace(/\n/g, '')}`],
      ['        wanderer(x)', '        super::right::wanderer(x)'],
    ],
    debug: ['added app::right::wanderer', 'body app::left::stays', 'removed app::left::wanderer'],
    release: ['added app::right::wanderer', 'body app::left::stays', 'removed app::left::wanderer'],
    because: [/^calls app::right::wanderer instead of app::left::wanderer$/],
  },
];
