// Statics and thread-locals: they keep address and value over a patch. Under legacy mangling their type is part of
// their name, under v0 it is not.
import type { Pair } from '../pair.js';

const V0 = ['-Csymbol-mangling-version=v0'];

const GAUGE = `
static mut LEVEL: u32 = 450;
struct State { step: u32 }
fn make() -> State {
    State { step: 1 }
}
fn show(state: &mut State) -> String {
    unsafe {
        LEVEL += state.step as u32;
        format!("level {}", { LEVEL })
    }
}
`;

const DEPTH = `
use std::cell::Cell;
thread_local! {
    static DEPTH: Cell<[u32; 2]> = const { Cell::new([5, 70]) };
}
struct State { step: u32 }
fn make() -> State {
    State { step: 1 }
}
fn show(state: &mut State) -> String {
    let [side, depth] = DEPTH.get();
    DEPTH.set([side, depth + state.step]);
    format!("depth {}", depth)
}
`;

const LIST = `
use std::sync::Mutex;
struct Entry { id: u16, hits: u16 }
static LIST: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static NAMES: [&str; 2] = ["one", "two"];
struct State { next: u16 }
fn make() -> State {
    LIST.lock().unwrap().push(Entry { id: 3, hits: 40 });
    State { next: 0 }
}
fn show(state: &mut State) -> String {
    let list = LIST.lock().unwrap();
    format!("{} has {} {}", list[0].id, list[0].hits, NAMES[state.next as usize])
}
`;

export const STATIC_PAIRS: readonly Pair[] = [
  {
    id: 'static-type',
    program: GAUGE,
    flags: V0,
    before: 'level 451',
    refuse: {
      what: 'a static that is written to becomes another type',
      edits: [
        ['static mut LEVEL: u32 = 450', 'static mut LEVEL: f32 = 450.0'],
        ['state.step as u32', 'state.step as f32'],
        ['"level ', '"height '],
      ],
      // A static of another type is another static: it begins with its own initial value, and a warning says so.
      says: 'height 451',
      forks: true,
    },
    accept: {
      what: 'the initial value of a static that is written to: it keeps the one it has',
      edits: [
        ['static mut LEVEL: u32 = 450', 'static mut LEVEL: u32 = 900'],
        ['"level ', '"height '],
      ],
      says: 'height 452',
    },
  },
  {
    id: 'thread-local-shrinks',
    program: DEPTH,
    flags: V0,
    before: 'depth 70',
    refuse: {
      what: 'a thread-local loses its first part',
      edits: [
        ['Cell<[u32; 2]> = const { Cell::new([5, 70])', 'Cell<[u32; 1]> = const { Cell::new([70])'],
        ['let [side, depth]', 'let [depth]'],
        ['set([side, depth', 'set([depth'],
        ['"depth ', '"level '],
      ],
      says: 'level 70',
      forks: true,
    },
    accept: {
      what: 'the first part of a thread-local is no longer used',
      edits: [
        ['let [side, depth]', 'let [_, depth]'],
        ['set([side, depth', 'set([0, depth'],
        ['"depth ', '"level '],
      ],
      says: 'level 71',
    },
  },
  {
    id: 'content-of-a-static',
    program: LIST,
    before: '3 has 40 one',
    refuse: {
      what: 'the values in a list in a static',
      edits: [
        ['id: u16, hits: u16', 'id: u16, hits: u64'],
        ['{} has {} {}', '{} had {} {}'],
      ],
      says: '3 had 40 one',
      names: 'field `hits` of `app::Entry` was u16 at offset 2, is u64',
    },
    accept: {
      what: 'a static that nobody writes to grows: its new copy is read',
      edits: [
        ['NAMES: [&str; 2] = ["one", "two"]', 'NAMES: [&str; 3] = ["first", "two", "three"]'],
        ['{} has {} {}', '{} had {} {}'],
      ],
      says: '3 had 40 first',
    },
  },
];
