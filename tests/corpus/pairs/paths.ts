// Types by their names: moved, renamed, of one name in two places, known before or not; and old code that is still
// inside its loop.
import type { Pair } from '../pair.js';

const TWO_OF_A_NAME = `
mod a {
    pub struct Item { pub x: u16, pub y: u16 }
}
mod b {
    pub struct Item { pub x: u32 }
}
struct State { one: Box<a::Item>, other: Box<b::Item> }
fn make() -> State {
    State { one: Box::new(a::Item { x: 3, y: 40 }), other: Box::new(b::Item { x: 5 }) }
}
fn show(state: &mut State) -> String {
    format!("{} {} {}", state.one.x, state.one.y, state.other.x)
}
`;

const MOVED = `
mod sea {
    pub struct Fish { pub hp: u16, pub age: u16 }
}
mod shop {}
struct State { fish: Vec<sea::Fish> }
fn make() -> State {
    State { fish: vec![sea::Fish { hp: 1, age: 2 }, sea::Fish { hp: 3, age: 40 }] }
}
fn show(state: &mut State) -> String {
    format!("hp {} age {}", state.fish[1].hp, state.fish[1].age)
}
`;

const IN_BLOCKS = `
struct State { kept: Option<*mut u8>, also: Option<*mut u8> }
fn make() -> State {
    State { kept: None, also: None }
}
fn keep(state: &mut State) -> String {
    let first = {
        struct Local { a: u16, b: u16 }
        let kept = state.kept.get_or_insert_with(|| Box::into_raw(Box::new(Local { a: 3, b: 40 })).cast());
        let local = unsafe { &*kept.cast::<Local>() };
        format!("{} {}", local.a, local.b)
    };
    let second = {
        struct Local { c: u64 }
        let kept = state.also.get_or_insert_with(|| Box::into_raw(Box::new(Local { c: 5 })).cast());
        let local = unsafe { &*kept.cast::<Local>() };
        format!("{}", local.c)
    };
    format!("{first} {second}")
}
fn show(state: &mut State) -> String {
    keep(state)
}
`;

const WORKER = `
use std::sync::mpsc::{channel, Receiver, Sender};
enum Event { Open, Paid(u32) }
struct State { events: Sender<Event>, answers: Receiver<u32> }
fn make() -> State {
    let (events, inbox) = channel::<Event>();
    let (outbox, answers) = channel();
    std::thread::spawn(move || {
        for event in inbox {
            let answer = match event {
                Event::Open => 1,
                Event::Paid(cents) => cents,
            };
            outbox.send(answer).unwrap();
        }
    });
    State { events, answers }
}
fn show(state: &mut State) -> String {
    state.events.send(Event::Paid(450)).unwrap();
    format!("answer {}", state.answers.recv().unwrap())
}
`;

export const PATH_PAIRS: readonly Pair[] = [
  {
    id: 'one-name-twice',
    program: TWO_OF_A_NAME,
    before: '3 40 5',
    refuse: {
      what: 'one of two types of a name changes',
      edits: [
        ['pub struct Item { pub x: u32 }', 'pub struct Item { pub x: f32 }'],
        ['b::Item { x: 5 }', 'b::Item { x: 5.0 }'],
        ['{} {} {}', '{}, {}, {}'],
      ],
      says: '3, 40, 5',
      names: 'field `x` of `app::b::Item` was u32 at offset 0, is f32',
    },
    accept: {
      what: 'a third type of the name',
      edits: [
        ['mod b {', 'mod c {\n    pub struct Item { pub x: u64 }\n}\nmod b {'],
        ['{} {} {}"', '{} {} {} {}"'],
        ['state.other.x)', 'state.other.x, c::Item { x: 6 }.x)'],
      ],
      says: '3 40 5 6',
    },
  },
  {
    id: 'moved',
    program: MOVED,
    before: 'hp 3 age 40',
    refuse: {
      what: 'a type moves to another module and has its fields in another order there',
      edits: [
        ['    pub struct Fish { pub hp: u16, pub age: u16 }\n', ''],
        ['mod shop {}', 'mod shop {\n    pub struct Fish { pub age: u16, pub hp: u16 }\n}'],
        ['Vec<sea::Fish>', 'Vec<shop::Fish>'],
        ['vec![sea::Fish', 'vec![shop::Fish'],
        [', sea::Fish', ', shop::Fish'],
        ['"hp {} age', '"hp {}, age'],
      ],
      says: 'hp 3, age 40',
      names: /field `fish` of `app::State` was alloc::vec::Vec<app::sea::Fish.* is alloc::vec::Vec<app::shop::Fish/,
    },
    accept: {
      what: 'a type moves to another module as it is',
      edits: [
        ['    pub struct Fish { pub hp: u16, pub age: u16 }\n', ''],
        ['mod shop {}', 'mod shop {\n    pub struct Fish { pub hp: u16, pub age: u16 }\n}'],
        ['Vec<sea::Fish>', 'Vec<shop::Fish>'],
        ['vec![sea::Fish', 'vec![shop::Fish'],
        [', sea::Fish', ', shop::Fish'],
        ['"hp {} age', '"hp {}, age'],
      ],
      says: 'hp 3, age 40',
    },
  },
  {
    id: 'types-in-blocks',
    program: IN_BLOCKS,
    before: '3 40 5',
    refuse: {
      what: 'one of two types of a name in two blocks of a function changes, which a raw pointer leads to',
      edits: [
        ['{ a: u16, b: u16 }', '{ b: u16, a: u16 }'],
        ['{first} {second}', '{first}, {second}'],
      ],
      says: '3 40, 5',
      names: 'field `a` of `app::keep::Local` moved from offset 0 to 2',
    },
    accept: {
      what: 'a third block with a type of the name',
      edits: [
        [
          '    format!("{first} {second}")',
          '    let third = {\n        struct Local { d: u8 }\n        Local { d: 6 }.d\n    };\n    format!("{first} {second} {third}")',
        ],
      ],
      says: '3 40 5 6',
    },
  },
  {
    id: 'never-used',
    program: `
#[allow(dead_code)]
struct Pike { hp: u32 }
struct Fish { hp: u32 }
struct State { fish: Vec<Fish> }
fn make() -> State {
    State { fish: vec![Fish { hp: 450 }, Fish { hp: 460 }] }
}
fn show(state: &mut State) -> String {
    format!("hp {}", state.fish[1].hp)
}
`,
    before: 'hp 460',
    refuse: {
      what: 'a type changes of which there are values',
      edits: [
        ['struct Fish { hp: u32 }', 'struct Fish { hp: u64 }'],
        ['"hp ', '"health '],
      ],
      says: 'health 460',
      names: 'field `hp` of `app::Fish` was u32 at offset 0, is u64',
    },
    accept: {
      what: 'a type changes that no code used until now',
      edits: [
        ['struct Pike { hp: u32 }', 'struct Pike { hp: u64 }'],
        ['"hp {}', '"health {} {}'],
        ['state.fish[1].hp)', 'state.fish[1].hp, Pike { hp: 5 }.hp)'],
      ],
      says: 'health 460 5',
    },
  },
  {
    id: 'variant-at-the-end',
    program: WORKER,
    before: 'answer 450',
    refuse: {
      what: 'a variant at the end: a thread that is inside its loop still matches without it',
      edits: [
        ['Paid(u32) }', 'Paid(u32), Late }'],
        ['Event::Paid(cents) => cents,', 'Event::Paid(cents) => cents,\n                Event::Late => 99,'],
        ['Event::Paid(450)', 'Event::Late'],
      ],
      says: 'answer 99',
      names: 'variant `Late` of `app::Event` (value 2) is new',
    },
    accept: {
      what: 'another variant of those that every thread knows is sent',
      edits: [['Event::Paid(450)', 'Event::Open']],
      says: 'answer 1',
    },
  },
  {
    id: 'renamed',
    program: MOVED,
    before: 'hp 3 age 40',
    refuse: {
      what: 'another type in the place of one: not as large',
      edits: [
        ['pub struct Fish { pub hp: u16, pub age: u16 }', 'pub struct Trout { pub hp: u32, pub age: u32 }'],
        ['Vec<sea::Fish>', 'Vec<sea::Trout>'],
        ['vec![sea::Fish', 'vec![sea::Trout'],
        [', sea::Fish', ', sea::Trout'],
        ['"hp {} age', '"hp {}, age'],
      ],
      says: 'hp 3, age 40',
      names: /field `fish` of `app::State` was alloc::vec::Vec<app::sea::Fish.* is alloc::vec::Vec<app::sea::Trout/,
    },
    accept: {
      what: 'a type gets another name',
      edits: [
        ['pub struct Fish { pub hp: u16, pub age: u16 }', 'pub struct Trout { pub hp: u16, pub age: u16 }'],
        ['Vec<sea::Fish>', 'Vec<sea::Trout>'],
        ['vec![sea::Fish', 'vec![sea::Trout'],
        [', sea::Fish', ', sea::Trout'],
        ['"hp {} age', '"hp {}, age'],
      ],
      says: 'hp 3, age 40',
    },
  },
];
