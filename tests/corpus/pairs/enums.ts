// Enumerations: variants, their values and contents, and the unused values that stand for others.
import type { Pair } from '../pair.js';

const LIGHTS = `
#[derive(Clone, Copy, Debug, PartialEq)]
enum Light { Red, Green }
struct State { lights: Vec<Option<Light>> }
fn make() -> State {
    State { lights: vec![Some(Light::Red), Some(Light::Green), None] }
}
fn show(state: &mut State) -> String {
    format!("lights {:?}", state.lights)
}
`;
const LIGHTS_SAY = 'lights [Some(Red), Some(Green), None]';

const EVENTS = `
#[derive(Debug)]
enum Event { Open(u8), Paid(u32), Sent { by: u16 } }
struct State { events: Vec<Event> }
fn make() -> State {
    State { events: vec![Event::Open(1), Event::Paid(450), Event::Sent { by: 9 }] }
}
fn show(state: &mut State) -> String {
    format!("events {:?}", state.events)
}
`;
const EVENTS_SAY = 'events [Open(1), Paid(450), Sent { by: 9 }]';

const CODES = `
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Code { Low = 1, High = 2 }
struct State { codes: Vec<Code> }
fn make() -> State {
    State { codes: vec![Code::Low, Code::High] }
}
fn show(state: &mut State) -> String {
    format!("codes {:?} {}", state.codes, state.codes[0] as u8)
}
`;
const CODES_SAY = 'codes [Low, High] 1';

export const ENUM_PAIRS: readonly Pair[] = [
  {
    id: 'variant-takes-niche',
    program: LIGHTS,
    before: LIGHTS_SAY,
    refuse: {
      what: 'a plain enumeration gets a variant: what marked an empty option is a value now',
      edits: [
        ['Red, Green }', 'Red, Green, Blue }'],
        ['"lights ', '"lamps '],
      ],
      says: 'lamps [Some(Red), Some(Green), None]',
      names: 'variant `Blue` of `app::Light` (value 2) is new',
    },
    accept: {
      what: 'a plain enumeration gets a constant',
      edits: [
        ['struct State', 'impl Light { const BLUE: Light = Light::Green; }\nstruct State'],
        ['"lights {:?}", ', '"lights {:?} of {:?}", Light::BLUE, '],
      ],
      says: 'lights Green of [Some(Red), Some(Green), None]',
    },
  },
  {
    id: 'variant-order',
    program: LIGHTS,
    before: LIGHTS_SAY,
    refuse: {
      what: 'variants in another order',
      edits: [
        ['Red, Green }', 'Green, Red }'],
        ['"lights ', '"lamps '],
      ],
      says: 'lamps [Some(Red), Some(Green), None]',
      names: 'variant `Red` of `app::Light` was value 0, is value 1',
    },
    accept: {
      what: 'variants renamed',
      edits: [
        ['Red, Green }', 'Rouge, Vert }'],
        ['Some(Light::Red), Some(Light::Green)', 'Some(Light::Rouge), Some(Light::Vert)'],
      ],
      says: 'lights [Some(Rouge), Some(Vert), None]',
    },
  },
  {
    id: 'variant-in-the-middle',
    program: EVENTS,
    before: EVENTS_SAY,
    refuse: {
      what: 'a variant in the middle: those behind it get other numbers',
      edits: [
        ['Paid(u32)', 'Late, Paid(u32)'],
        ['"events ', '"all '],
      ],
      says: 'all [Open(1), Paid(450), Sent { by: 9 }]',
      names: /variant `Late` of `app::Event` \(value 1\) is new/,
    },
    accept: {
      what: 'a match arm in the middle',
      edits: [
        [
          '    format!("events',
          '    let paid = state.events.iter().filter(|event| matches!(event, Event::Paid(450))).count();\n    format!("{paid} events',
        ],
      ],
      says: '1 events [Open(1), Paid(450), Sent { by: 9 }]',
    },
  },
  {
    id: 'variant-removed',
    program: EVENTS,
    before: EVENTS_SAY,
    refuse: {
      what: 'a variant is removed',
      edits: [
        ['Open(u8), Paid', 'Paid'],
        ['Event::Open(1), ', ''],
        ['"events ', '"all '],
      ],
      says: 'all [Open(1), Paid(450), Sent { by: 9 }]',
      names: 'variant `Open` of `app::Event` (value 0) is gone',
    },
    accept: {
      what: 'a variant is no longer made',
      edits: [
        ['Event::Open(1), ', ''],
        ['"events ', '"all '],
      ],
      says: 'all [Open(1), Paid(450), Sent { by: 9 }]',
    },
  },
  {
    id: 'variant-content',
    program: EVENTS,
    before: EVENTS_SAY,
    refuse: {
      what: 'the content of a variant grows',
      edits: [
        ['Paid(u32)', 'Paid(u64)'],
        ['"events ', '"all '],
      ],
      says: 'all [Open(1), Paid(450), Sent { by: 9 }]',
      names: 'field `__0` of `app::Event::Paid` was u32 at offset 4, is u64 at offset 8',
    },
    accept: {
      what: 'a field of a variant is renamed',
      edits: [
        ['Sent { by: u16 }', 'Sent { via: u16 }'],
        ['Event::Sent { by: 9 }', 'Event::Sent { via: 9 }'],
      ],
      says: 'events [Open(1), Paid(450), Sent { via: 9 }]',
    },
  },
  {
    id: 'variant-content-same-size',
    program: EVENTS,
    before: EVENTS_SAY,
    refuse: {
      what: 'the content of a variant becomes another type of its size',
      edits: [
        ['Paid(u32)', 'Paid(f32)'],
        ['Event::Paid(450)', 'Event::Paid(450.0)'],
        ['"events ', '"all '],
      ],
      says: 'all [Open(1), Paid(450.0), Sent { by: 9 }]',
      names: 'field `__0` of `app::Event::Paid` was u32 at offset 4, is f32',
    },
    accept: {
      what: 'the content of a variant that is made from now on has another value',
      edits: [
        ['    format!', '    state.events.push(Event::Paid(451));\n    format!'],
        ['"events ', '"all '],
      ],
      says: 'all [Open(1), Paid(450), Sent { by: 9 }, Paid(451)]',
    },
  },
  {
    id: 'discriminants-written',
    program: CODES,
    before: CODES_SAY,
    refuse: {
      what: 'values that stand in the source change',
      edits: [
        ['Low = 1, High = 2', 'Low = 2, High = 1'],
        ['"codes ', '"all '],
      ],
      says: 'all [Low, High] 1',
      names: 'variant `Low` of `app::Code` was value 1, is value 2',
    },
    accept: {
      what: 'variants are written in another order with their values',
      edits: [
        ['Low = 1, High = 2', 'High = 2, Low = 1'],
        ['"codes ', '"all '],
      ],
      says: 'all [Low, High] 1',
    },
  },
  {
    id: 'discriminant-width',
    program: CODES,
    before: CODES_SAY,
    refuse: {
      what: 'the number behind an enumeration gets wider',
      edits: [
        ['repr(u8)', 'repr(u16)'],
        ['"codes ', '"all '],
      ],
      says: 'all [Low, High] 1',
      names: 'its size was 1 byte, is 2 bytes',
    },
    accept: {
      what: 'the number of a variant is shown wider',
      edits: [
        ['as u8)', 'as u16 + 256)'],
        ['"codes ', '"all '],
      ],
      says: 'all [Low, High] 257',
    },
  },
  {
    id: 'niche-lost',
    program: `
use std::num::NonZeroU32;
struct Meter { limit: Option<NonZeroU32>, level: u32 }
struct State { meter: Box<Meter> }
fn make() -> State {
    State { meter: Box::new(Meter { limit: NonZeroU32::new(5), level: 6 }) }
}
fn show(state: &mut State) -> String {
    format!("limit {:?}, level {}", state.meter.limit, state.meter.level)
}
`,
    before: 'limit Some(5), level 6',
    refuse: {
      what: 'an option loses the value that marked it as empty',
      edits: [
        ['limit: Option<NonZeroU32>', 'limit: Option<u32>'],
        ['limit: NonZeroU32::new(5)', 'limit: Some(5)'],
        ['"limit ', '"at most '],
      ],
      says: 'at most Some(5), level 6',
      names: /field `limit` of `app::Meter` was core::option::Option<core::num::nonzero::NonZero<u32>>/,
    },
    accept: {
      what: 'an option of that type is turned into the other one where it is shown',
      edits: [['state.meter.limit,', 'state.meter.limit.map(NonZeroU32::get).or(Some(1)).map(|x| x + 1),']],
      says: 'limit Some(6), level 6',
    },
  },
  {
    id: 'niche-of-content',
    program: `
#[derive(Debug)]
enum Slot { Full(bool), Empty }
struct State { slots: Vec<Slot> }
fn make() -> State {
    State { slots: vec![Slot::Full(true), Slot::Empty, Slot::Full(false)] }
}
fn show(state: &mut State) -> String {
    format!("slots {:?}", state.slots)
}
`,
    before: 'slots [Full(true), Empty, Full(false)]',
    refuse: {
      what: 'the content whose unused values served as discriminants has none any more',
      edits: [
        ['Full(bool)', 'Full(u8)'],
        ['Slot::Full(true), Slot::Empty, Slot::Full(false)', 'Slot::Full(1), Slot::Empty, Slot::Full(0)'],
        ['"slots ', '"all '],
      ],
      says: 'all [Full(1), Empty, Full(0)]',
      names: 'field `__0` of `app::Slot::Full` was bool at offset 0, is u8 at offset 1',
    },
    accept: {
      what: 'the content is shown as a number',
      edits: [
        [
          '    format!("slots {:?}", state.slots)',
          '    let full: u8 = state.slots.iter().map(|slot| if let Slot::Full(x) = slot { *x as u8 } else { 0 }).sum();\n    format!("slots {full}")',
        ],
      ],
      says: 'slots 1',
    },
  },
  {
    id: 'boxed-variant',
    program: `
#[derive(Debug)]
enum Tree { Leaf(u32), Node(Box<Tree>, Box<Tree>) }
struct State { tree: Tree }
fn make() -> State {
    State { tree: Tree::Node(Box::new(Tree::Leaf(1)), Box::new(Tree::Leaf(2))) }
}
fn sum(tree: &Tree) -> u32 {
    match tree {
        Tree::Leaf(x) => *x,
        Tree::Node(a, b) => sum(a) + sum(b),
    }
}
fn show(state: &mut State) -> String {
    format!("sum {}", sum(&state.tree))
}
`,
    before: 'sum 3',
    refuse: {
      what: 'a type that holds itself through boxes: its leaf grows',
      edits: [
        ['Leaf(u32)', 'Leaf(u32, u64)'],
        ['Tree::Leaf(1)', 'Tree::Leaf(1, 0)'],
        ['Tree::Leaf(2)', 'Tree::Leaf(2, 0)'],
        ['Tree::Leaf(x) => *x', 'Tree::Leaf(x, y) => *x + *y as u32'],
        ['"sum ', '"total '],
      ],
      says: 'total 3',
      names: 'field `__1` of `app::Tree::Leaf` (u64 at offset 8) is new',
    },
    accept: {
      what: 'a type that holds itself through boxes: what is done with its leaf changes',
      edits: [['=> *x', '=> *x * 10']],
      says: 'sum 30',
    },
  },
];
