// Objects behind traits: what stands in the slots of vtables that were made before.
import type { Pair } from '../pair.js';

const SHAPES = `
trait Shape {
    fn area(&self) -> u32;
    fn edge(&self) -> u32;
}
struct Square(u32);
impl Shape for Square {
    fn area(&self) -> u32 {
        self.0 * self.0
    }
    fn edge(&self) -> u32 {
        self.0 * 4
    }
}
struct State { shapes: Vec<Box<dyn Shape>> }
fn make() -> State {
    State { shapes: vec![Box::new(Square(3)), Box::new(Square(5))] }
}
fn show(state: &mut State) -> String {
    format!("area {} edge {}", state.shapes[1].area(), state.shapes[1].edge())
}
`;
const SHAPES_SAY = 'area 25 edge 20';

export const TRAIT_PAIRS: readonly Pair[] = [
  {
    id: 'method-added',
    program: SHAPES,
    before: SHAPES_SAY,
    refuse: {
      what: 'a trait gets a method: objects made before have no slot for it',
      edits: [
        [
          '    fn edge(&self) -> u32;\n',
          '    fn edge(&self) -> u32;\n    fn sides(&self) -> u32 {\n        4\n    }\n',
        ],
        ['edge {}"', 'edge {} of {}"'],
        ['shapes[1].edge())', 'shapes[1].edge(), state.shapes[1].sides())'],
      ],
      says: 'area 25 edge 20 of 4',
      names: '<app::Square as app::Shape>: its vtable had 40 bytes, has 48: a method came or went',
    },
    accept: {
      what: 'a trait gets a method that objects do not have',
      edits: [
        [
          '    fn edge(&self) -> u32;\n',
          '    fn edge(&self) -> u32;\n    fn sides() -> u32\n    where\n        Self: Sized,\n    {\n        4\n    }\n',
        ],
        ['edge {}"', 'edge {} of {}"'],
        ['shapes[1].edge())', 'shapes[1].edge(), Square::sides())'],
      ],
      says: 'area 25 edge 20 of 4',
    },
  },
  {
    id: 'method-removed',
    program: SHAPES,
    before: SHAPES_SAY,
    refuse: {
      what: 'a trait loses its first method',
      edits: [
        ['    fn area(&self) -> u32;\n', ''],
        ['    fn area(&self) -> u32 {\n        self.0 * self.0\n    }\n', ''],
        ['area {} edge {}', 'edge {}'],
        ['state.shapes[1].area(), ', ''],
      ],
      says: 'edge 20',
      names: 'its vtable had 40 bytes, has 32: a method came or went',
    },
    accept: {
      what: 'a method is no longer called',
      edits: [
        ['area {} edge {}', 'edge {}'],
        ['state.shapes[1].area(), ', ''],
      ],
      says: 'edge 20',
    },
  },
  {
    id: 'methods-swapped',
    program: SHAPES,
    before: SHAPES_SAY,
    refuse: {
      what: 'the methods of a trait in another order',
      edits: [
        [
          '    fn area(&self) -> u32;\n    fn edge(&self) -> u32;\n',
          '    fn edge(&self) -> u32;\n    fn area(&self) -> u32;\n',
        ],
        ['"area ', '"square '],
      ],
      says: 'square 25 edge 20',
      names: 'slot 0 of its vtable was `area`, is `edge`',
    },
    accept: {
      what: 'the methods of an implementation in another order',
      edits: [
        ['    fn area(&self) -> u32 {\n        self.0 * self.0\n    }\n', ''],
        [
          '        self.0 * 4\n    }\n',
          '        self.0 * 4\n    }\n    fn area(&self) -> u32 {\n        self.0 * self.0\n    }\n',
        ],
        ['"area ', '"square '],
      ],
      says: 'square 25 edge 20',
    },
  },
  {
    id: 'supertrait',
    program: SHAPES,
    before: SHAPES_SAY,
    refuse: {
      what: "a trait gets a supertrait: its methods come first in objects' vtables",
      edits: [
        ['trait Shape {', 'trait Named {\n    fn letter(&self) -> char;\n}\ntrait Shape: Named {'],
        [
          'impl Shape for',
          "impl Named for Square {\n    fn letter(&self) -> char {\n        's'\n    }\n}\nimpl Shape for",
        ],
        ['"area ', '"square '],
      ],
      says: 'square 25 edge 20',
      names: 'its vtable had 40 bytes, has 48: a method came or went',
    },
    accept: {
      what: 'another trait beside it',
      edits: [
        [
          'impl Shape for',
          "trait Named {\n    fn letter(&self) -> char;\n}\nimpl Named for Square {\n    fn letter(&self) -> char {\n        's'\n    }\n}\nimpl Shape for",
        ],
        ['area {} edge {}"', 'area {} edge {} {}"'],
        ['shapes[1].edge())', 'shapes[1].edge(), Square(1).letter())'],
      ],
      says: 'area 25 edge 20 s',
    },
  },
  {
    id: 'method-signature',
    program: SHAPES,
    before: SHAPES_SAY,
    refuse: {
      what: 'a method of a trait takes an argument: slots made before lead to bodies that take none',
      edits: [
        ['    fn area(&self) -> u32;\n', '    fn area(&self, scale: &u32) -> u32;\n'],
        [
          '    fn area(&self) -> u32 {\n        self.0 * self.0',
          '    fn area(&self, scale: &u32) -> u32 {\n        self.0 * self.0 * scale',
        ],
        ['shapes[1].area()', 'shapes[1].area(&2)'],
        ['"area ', '"square '],
      ],
      says: 'square 50 edge 20',
      names: 'slot 0 of its vtable, `area`, was fn(&app::Square) -> u32, is fn(&app::Square, &u32) -> u32',
    },
    accept: {
      what: 'the body of a method of a trait changes',
      edits: [['self.0 * self.0', 'self.0 * self.0 * 2']],
      says: 'area 50 edge 20',
    },
  },
  {
    id: 'object-of-another-trait',
    program: `
trait Loud {
    fn say(&self) -> u32;
}
trait Quiet {
    fn hush(&self) -> u32;
    fn say(&self) -> u32;
}
struct Dog(u32);
impl Loud for Dog {
    fn say(&self) -> u32 {
        self.0
    }
}
impl Quiet for Dog {
    fn hush(&self) -> u32 {
        0
    }
    fn say(&self) -> u32 {
        self.0
    }
}
struct State { animals: Vec<Box<dyn Loud>> }
fn make() -> State {
    State { animals: vec![Box::new(Dog(9))] }
}
fn show(state: &mut State) -> String {
    format!("says {}", state.animals[0].say())
}
`,
    before: 'says 9',
    refuse: {
      what: 'objects are of another trait',
      edits: [
        ['Vec<Box<dyn Loud>>', 'Vec<Box<dyn Quiet>>'],
        ['"says ', '"said '],
      ],
      says: 'said 9',
      names: /field `animals` of `app::State` was .*dyn app::Loud.* is .*dyn app::Quiet/,
    },
    accept: {
      what: 'another trait is asked',
      edits: [['state.animals[0].say()', 'Quiet::hush(&Dog(state.animals[0].say()))']],
      says: 'says 0',
    },
  },
  {
    id: 'object-content',
    program: SHAPES.replace('struct Square(u32);', 'struct Size { w: u32 }\nstruct Square(Size);')
      .replaceAll('self.0 *', 'self.0.w *')
      .replace('* self.0\n', '* self.0.w\n')
      .replace('Square(3)', 'Square(Size { w: 3 })')
      .replace('Square(5)', 'Square(Size { w: 5 })'),
    before: SHAPES_SAY,
    refuse: {
      what: 'what an object holds gets a field in front',
      edits: [
        ['struct Size { w: u32 }', '#[repr(C)]\nstruct Size { h: u32, w: u32 }'],
        ['Size { w: 3 }', 'Size { h: 0, w: 3 }'],
        ['Size { w: 5 }', 'Size { h: 0, w: 5 }'],
        ['"area ', '"square '],
      ],
      says: 'square 25 edge 20',
      names: 'field `h` of `app::Size` (u32 at offset 0) is new',
    },
    accept: {
      what: 'what an object holds gets an associated function',
      edits: [
        ['struct Square', 'impl Size { fn of(w: u32) -> Size { Size { w } } }\nstruct Square'],
        ['Box::new(Square(Size { w: 5 }))', 'Box::new(Square(Size::of(5)))'],
        ['"area ', '"square '],
      ],
      says: 'square 25 edge 20',
    },
  },
  {
    id: 'drop-added',
    program: `
use std::sync::atomic::{AtomicU32, Ordering};
static DROPPED: AtomicU32 = AtomicU32::new(0);
struct Lock { id: u32, held: bool }
struct State { locks: Vec<Lock> }
fn make() -> State {
    State { locks: vec![Lock { id: 1, held: true }, Lock { id: 2, held: true }, Lock { id: 3, held: false }] }
}
fn show(state: &mut State) -> String {
    state.locks.pop();
    format!("dropped {} of {}", DROPPED.load(Ordering::Relaxed), state.locks.len())
}
`,
    before: 'dropped 0 of 2',
    refuse: {
      what: 'values get a destructor, and a field that tells whether they were dropped',
      edits: [
        [
          'struct Lock { id: u32, held: bool }',
          'struct Lock { id: u32, held: bool, done: Box<u32> }\nimpl Drop for Lock { fn drop(&mut self) { DROPPED.fetch_add(*self.done, Ordering::Relaxed); } }',
        ],
        ['id: 1, held: true', 'id: 1, held: true, done: Box::new(1)'],
        ['id: 2, held: true', 'id: 2, held: true, done: Box::new(1)'],
        ['id: 3, held: false', 'id: 3, held: false, done: Box::new(1)'],
      ],
      says: 'dropped 1 of 1',
      names: /field `done` of `app::Lock` \(alloc::boxed::Box<u32, .*> at offset 0\) is new/,
    },
    accept: {
      what: 'values get a destructor',
      edits: [
        [
          'struct Lock { id: u32, held: bool }',
          'struct Lock { id: u32, held: bool }\nimpl Drop for Lock { fn drop(&mut self) { DROPPED.fetch_add(1, Ordering::Relaxed); } }',
        ],
      ],
      says: 'dropped 1 of 1',
    },
  },
];
