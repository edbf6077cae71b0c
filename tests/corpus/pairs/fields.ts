// Fields of structures: added, removed, retyped, moved, renamed.
import type { Pair } from '../pair.js';

const POND = `
struct Fish { hp: u32, age: u8, tag: u16 }
struct State { fish: Vec<Fish> }
fn make() -> State {
    State { fish: vec![Fish { hp: 7, age: 3, tag: 21 }, Fish { hp: 8, age: 4, tag: 22 }] }
}
fn show(state: &mut State) -> String {
    let mut sum: u32 = 0;
    for fish in &state.fish {
        sum += fish.hp;
    }
    format!("hp {sum}, tag {}, age {}", state.fish[1].tag, state.fish[1].age)
}
`;
const POND_SAYS = 'hp 15, tag 22, age 4';

const SCALES = `
struct Balance { left: u16, right: u16 }
struct State { balance: Box<Balance> }
fn make() -> State {
    State { balance: Box::new(Balance { left: 3, right: 40 }) }
}
fn show(state: &mut State) -> String {
    let Balance { left, right } = &*state.balance;
    format!("{left} : {right}")
}
`;

export const FIELD_PAIRS: readonly Pair[] = [
  {
    id: 'field-grows',
    program: POND,
    before: POND_SAYS,
    refuse: {
      what: 'the type of a field grows',
      edits: [
        ['hp: u32', 'hp: u64'],
        ['sum: u32', 'sum: u64'],
        ['"hp ', '"health '],
      ],
      says: 'health 15, tag 22, age 4',
      names: 'field `hp` of `app::Fish` was u32 at offset 0, is u64',
    },
    accept: {
      what: 'the type of a local grows',
      edits: [
        ['sum: u32', 'sum: u64'],
        ['sum += fish.hp', 'sum += u64::from(fish.hp)'],
        ['"hp ', '"health '],
      ],
      says: 'health 15, tag 22, age 4',
    },
  },
  {
    id: 'field-same-size',
    program: `
struct Probe { level: u32, id: u32 }
struct State { probe: Box<Probe> }
fn make() -> State {
    State { probe: Box::new(Probe { level: 450, id: 1 }) }
}
fn show(state: &mut State) -> String {
    format!("{} of {}", state.probe.level, state.probe.id)
}
`,
    before: '450 of 1',
    refuse: {
      what: 'the type of a field becomes another one of the same size',
      edits: [
        ['level: u32', 'level: f32'],
        ['level: 450', 'level: 450.0'],
        ['{} of {}', '{} from {}'],
      ],
      says: '450 from 1',
      names: 'field `level` of `app::Probe` was u32 at offset 0, is f32',
    },
    accept: {
      what: 'what is shown of a field becomes another type of the same size',
      edits: [['state.probe.level, ', '(state.probe.level as f32) / 4.0, ']],
      says: '112.5 of 1',
    },
  },
  {
    id: 'field-added',
    program: POND,
    before: POND_SAYS,
    refuse: {
      what: 'a field is added',
      edits: [
        ['tag: u16 }', 'tag: u16, eggs: u64 }'],
        ['tag: 21 }', 'tag: 21, eggs: 0 }'],
        ['tag: 22 }', 'tag: 22, eggs: 0 }'],
        ['"hp ', '"health '],
      ],
      says: 'health 15, tag 22, age 4',
      names: 'field `eggs` of `app::Fish` (u64 at offset 0) is new',
    },
    accept: {
      what: 'a field is added to a type that only new code uses',
      edits: [
        ['struct State', 'struct Pike { hp: u32, age: u8, tag: u16, eggs: u64 }\nstruct State'],
        ['    format!', '    let pike = Pike { hp: sum, age: 1, tag: 2, eggs: 5 };\n    format!'],
        ['"hp {sum}', '"hp {} {}'],
        ['", state', '", pike.hp + u32::from(pike.age) + u32::from(pike.tag), pike.eggs, state'],
      ],
      says: 'hp 18 5, tag 22, age 4',
    },
  },
  {
    id: 'field-in-gap',
    program: POND,
    before: POND_SAYS,
    refuse: {
      what: 'a field is added in a gap: the size stays, and its byte was never written',
      edits: [
        ['tag: u16 }', 'tag: u16, eggs: std::num::NonZeroU8 }'],
        ['tag: 21 }', 'tag: 21, eggs: EGGS }'],
        ['tag: 22 }', 'tag: 22, eggs: EGGS }'],
        ['fn make', 'const EGGS: std::num::NonZeroU8 = std::num::NonZeroU8::MIN;\nfn make'],
        ['"hp {sum}', '"hp {sum} eggs {}'],
        ['", state', '", state.fish[0].eggs, state'],
      ],
      says: 'hp 15 eggs 1, tag 22, age 4',
      names: /field `eggs` of `app::Fish` \(.*NonZero<u8> at offset \d\) is new/,
    },
    accept: {
      what: 'a constant of the type is added',
      edits: [
        ['struct State', 'impl Fish { const EGGS: std::num::NonZeroU8 = std::num::NonZeroU8::MIN; }\nstruct State'],
        ['"hp {sum}', '"hp {sum} eggs {}'],
        ['", state', '", Fish::EGGS, state'],
      ],
      says: 'hp 15 eggs 1, tag 22, age 4',
    },
  },
  {
    id: 'field-removed',
    program: `
struct Ticket { cents: u64, number: u32 }
struct State { tickets: Vec<Ticket> }
fn make() -> State {
    State { tickets: vec![Ticket { cents: 450, number: 1 }, Ticket { cents: 460, number: 2 }] }
}
fn show(state: &mut State) -> String {
    let numbers: Vec<u32> = state.tickets.iter().map(|ticket| ticket.number).collect();
    format!("numbers {numbers:?}")
}
`,
    before: 'numbers [1, 2]',
    refuse: {
      what: 'a field is removed',
      edits: [
        ['cents: u64, ', ''],
        ['cents: 450, ', ''],
        ['cents: 460, ', ''],
        ['"numbers ', '"all '],
      ],
      says: 'all [1, 2]',
      names: 'field `cents` of `app::Ticket` (u64 at offset 0) is gone',
    },
    accept: {
      what: 'the use of a field is removed',
      edits: [['ticket.number', 'ticket.cents as u32']],
      says: 'numbers [450, 460]',
    },
  },
  {
    id: 'fields-swapped',
    program: SCALES,
    before: '3 : 40',
    refuse: {
      what: 'two fields of one type in another order: they change places',
      edits: [
        ['{ left: u16, right: u16 }', '{ right: u16, left: u16 }'],
        [' : ', ' to '],
      ],
      says: '3 to 40',
      names: 'field `left` of `app::Balance` moved from offset 0 to 2',
    },
    accept: {
      what: 'two fields in another order where a value is made: order does not matter there',
      edits: [
        ['{ left: 3, right: 40 }', '{ right: 40, left: 3 }'],
        [' : ', ' to '],
      ],
      says: '3 to 40',
    },
  },
  {
    id: 'fields-of-two-sizes',
    program: POND,
    before: POND_SAYS,
    refuse: {
      what: 'fields of several sizes in another order under repr(C): they move',
      edits: [
        ['struct Fish { hp: u32, age: u8, tag: u16 }', '#[repr(C)]\nstruct Fish { age: u8, tag: u16, hp: u32 }'],
        ['"hp ', '"health '],
      ],
      says: 'health 15, tag 22, age 4',
      names: /field `(hp|age|tag)` of `app::Fish` moved from offset \d to \d/,
    },
    accept: {
      what: 'fields of several sizes in another order: the compiler puts them where they were',
      edits: [
        ['struct Fish { hp: u32, age: u8, tag: u16 }', 'struct Fish { age: u8, tag: u16, hp: u32 }'],
        ['"hp ', '"health '],
      ],
      says: 'health 15, tag 22, age 4',
    },
  },
  {
    id: 'field-renamed',
    program: SCALES,
    before: '3 : 40',
    refuse: {
      what: 'two fields exchange their names',
      edits: [
        ['struct Balance { left: u16, right: u16 }', '#[repr(C)]\nstruct Balance { right: u16, left: u16 }'],
        [' : ', ' to '],
      ],
      says: '3 to 40',
      names: 'field `left` of `app::Balance` moved from offset 0 to 2',
    },
    accept: {
      what: 'two fields get new names: values stay valid',
      edits: [
        ['struct Balance { left: u16, right: u16 }', 'struct Balance { west: u16, east: u16 }'],
        ['Balance { left: 3, right: 40 }', 'Balance { west: 3, east: 40 }'],
        ['let Balance { left, right }', 'let Balance { west: left, east: right }'],
        [' : ', ' to '],
      ],
      says: '3 to 40',
    },
  },
  {
    id: 'pointer-target',
    program: `
struct Card { face: &'static u32, back: &'static [u8; 4] }
static FACE: u32 = 70_000;
static BACK: [u8; 4] = [1, 0, 0, 0];
struct State { card: Box<Card> }
fn make() -> State {
    State { card: Box::new(Card { face: &FACE, back: &BACK }) }
}
fn show(state: &mut State) -> String {
    format!("face {} back {}", state.card.face, state.card.back[0])
}
`,
    before: 'face 70000 back 1',
    refuse: {
      what: 'a reference leads to another type',
      edits: [
        ["face: &'static u32", "face: &'static u16"],
        ['static FACE: u32 = 70_000', 'static FACE: u16 = 7'],
        ['"face {}', '"front {}'],
      ],
      says: 'front 70000 back 1',
      names: 'field `face` of `app::Card` was &u32 at offset 0, is &u16',
    },
    accept: {
      what: 'what a reference leads to is read as another type',
      edits: [['state.card.face,', '*state.card.face as u16,']],
      says: 'face 4464 back 1',
    },
  },
  {
    id: 'function-pointer',
    program: `
struct Hooks { on: fn(u32) -> u32, count: u32 }
fn double(x: u32) -> u32 { x * 2 }
struct State { hooks: Box<Hooks> }
fn make() -> State {
    State { hooks: Box::new(Hooks { on: double, count: 3 }) }
}
fn show(state: &mut State) -> String {
    format!("calls {}", (state.hooks.on)(state.hooks.count))
}
`,
    before: 'calls 6',
    refuse: {
      what: 'a function pointer takes one more argument',
      edits: [
        ['on: fn(u32) -> u32', 'on: fn(&str, u32) -> u32'],
        ['fn double(x: u32) -> u32 { x * 2 }', 'fn double(_name: &str, x: u32) -> u32 { x * 2 }'],
        ['"calls {}", (state.hooks.on)(', '"calls: {}", (state.hooks.on)("now", '],
      ],
      says: 'calls: 6',
      names: 'field `on` of `app::Hooks` was fn(u32) -> u32',
    },
    accept: {
      what: 'the function behind a pointer does another thing',
      edits: [['x * 2', 'x * 3']],
      says: 'calls 9',
    },
  },
];
