// Types inside types: by value, in arrays and tuples, behind attributes that say where their parts lie.
import type { Pair } from '../pair.js';

const ORDERS = `
struct Ticket { number: u32, cents: u32 }
struct Order { ticket: Ticket, tip: u32 }
struct State { orders: Vec<Order> }
fn make() -> State {
    let order = |number| Order { ticket: Ticket { number, cents: 450 }, tip: 7 };
    State { orders: vec![order(1), order(2)] }
}
fn show(state: &mut State) -> String {
    let total: u32 = state.orders.iter().map(|order| order.ticket.cents + order.tip).sum();
    format!("total {total}, last {}", state.orders[1].ticket.number)
}
`;
const ORDERS_SAY = 'total 914, last 2';

const TABLE = `
const SIZE: usize = 4;
const STEP: usize = 4;
struct Table { cells: [u8; SIZE], sum: u8 }
struct State { table: Box<Table> }
fn make() -> State {
    State { table: Box::new(Table { cells: [1; SIZE], sum: 100 }) }
}
fn show(state: &mut State) -> String {
    let cells: u32 = state.table.cells.iter().step_by(STEP).map(|cell| u32::from(*cell)).sum();
    format!("cells {cells}, sum {}", state.table.sum)
}
`;

const RECORDS = `
#[repr(C)]
struct Record { kind: u8, value: u32, flag: u8 }
struct State { records: Vec<Record> }
fn make() -> State {
    State { records: vec![Record { kind: 1, value: 450, flag: 2 }, Record { kind: 3, value: 460, flag: 4 }] }
}
fn show(state: &mut State) -> String {
    let Record { kind, value, flag } = state.records[1];
    format!("{kind} {value} {flag}")
}
`;

export const NESTING_PAIRS: readonly Pair[] = [
  {
    id: 'nested-by-value',
    program: ORDERS,
    before: ORDERS_SAY,
    refuse: {
      what: 'a type that others hold by value gets a field',
      edits: [
        ['number: u32, cents: u32 }', 'number: u32, cents: u32, vat: u32 }'],
        ['number, cents: 450 }', 'number, cents: 450, vat: 0 }'],
        ['"total ', '"sum '],
      ],
      says: 'sum 914, last 2',
      names: 'IPBP3006 app::Ticket: field `vat` of `app::Ticket` (u32 at offset 8) is new',
    },
    accept: {
      what: 'a type that others hold by value gets a method',
      edits: [
        ['struct Order', 'impl Ticket { fn vat(&self) -> u32 { self.cents / 10 } }\nstruct Order'],
        ['order.ticket.cents + order.tip', 'order.ticket.cents + order.tip + order.ticket.vat()'],
      ],
      says: 'total 1004, last 2',
    },
  },
  {
    id: 'nested-two-deep',
    program: `
struct Inner { low: u16, high: u16 }
struct Middle { inner: Inner, id: u32 }
struct Outer { middle: [Middle; 2] }
struct State { outer: Box<Outer> }
fn make() -> State {
    let middle = |id| Middle { inner: Inner { low: 3, high: 40 }, id };
    State { outer: Box::new(Outer { middle: [middle(5), middle(6)] }) }
}
fn middle_of(outer: &Outer) -> &Middle {
    &outer.middle[1]
}
fn show(state: &mut State) -> String {
    let Middle { inner, id } = middle_of(&state.outer);
    format!("{} {} {id}", inner.low, inner.high)
}
`,
    before: '3 40 6',
    refuse: {
      what: 'a type two levels down grows, which only references lead to',
      edits: [
        ['low: u16, high: u16 }', 'low: u16, high: u32 }'],
        ['{} {} {id}', '{}, {}, {id}'],
      ],
      says: '3, 40, 6',
      names: 'field `high` of `app::Inner` was u16 at offset 2, is u32',
    },
    accept: {
      what: 'a reference leads to another element',
      edits: [
        ['&outer.middle[1]', '&outer.middle[0]'],
        ['{} {} {id}', '{}, {}, {id}'],
      ],
      says: '3, 40, 5',
    },
  },
  {
    id: 'array-length',
    program: TABLE,
    before: 'cells 1, sum 100',
    refuse: {
      what: 'a constant that is the length of an array in a field changes',
      edits: [
        ['SIZE: usize = 4', 'SIZE: usize = 8'],
        ['"cells ', '"all '],
      ],
      says: 'all 2, sum 100',
      names: 'field `cells` of `app::Table` was [u8; 4] at offset 0, is [u8; 8]',
    },
    accept: {
      what: 'a constant that a body uses changes',
      edits: [['STEP: usize = 4', 'STEP: usize = 2']],
      says: 'cells 2, sum 100',
    },
  },
  {
    id: 'tuple',
    program: `
struct State { pairs: Vec<(u32, u32)> }
fn make() -> State {
    State { pairs: vec![(1, 2), (3, 4)] }
}
fn show(state: &mut State) -> String {
    let (a, b) = state.pairs[1];
    format!("{a} {b}")
}
`,
    before: '3 4',
    refuse: {
      what: 'a part of a tuple that is stored grows',
      edits: [
        ['Vec<(u32, u32)>', 'Vec<(u32, u64)>'],
        ['{a} {b}', '{a}, {b}'],
      ],
      says: '3, 4',
      names:
        /field `pairs` of `app::State` was alloc::vec::Vec<\(u32, u32\), .*> at offset 0, is alloc::vec::Vec<\(u32, u64\)/,
    },
    accept: {
      what: 'a part of a tuple that is not stored grows',
      edits: [
        ['let (a, b) = state.pairs[1]', 'let (a, b) = (state.pairs[1].0, u64::from(state.pairs[1].1))'],
        ['{a} {b}', '{a}, {b}'],
      ],
      says: '3, 4',
    },
  },
  {
    id: 'tuple-struct',
    program: `
struct Point(i32, i32);
struct State { points: Vec<Point> }
fn make() -> State {
    State { points: vec![Point(1, 2), Point(3, 4)] }
}
fn show(state: &mut State) -> String {
    let Point(x, y) = &state.points[1];
    format!("at {x} {y}")
}
`,
    before: 'at 3 4',
    refuse: {
      what: 'a tuple structure gets a third part',
      edits: [
        ['Point(i32, i32)', 'Point(i32, i32, i32)'],
        ['Point(1, 2), Point(3, 4)', 'Point(1, 2, 0), Point(3, 4, 0)'],
        ['let Point(x, y)', 'let Point(x, y, _)'],
        ['"at ', '"now '],
      ],
      says: 'now 3 4',
      names: 'field `__2` of `app::Point` (i32 at offset 8) is new',
    },
    accept: {
      what: 'a tuple structure becomes one with named fields of the same types and places',
      edits: [
        ['struct Point(i32, i32);', 'struct Point { x: i32, y: i32 }'],
        ['Point(1, 2), Point(3, 4)', 'Point { x: 1, y: 2 }, Point { x: 3, y: 4 }'],
        ['let Point(x, y)', 'let Point { x, y }'],
        ['"at ', '"now '],
      ],
      says: 'now 3 4',
    },
  },
  {
    id: 'packed',
    program: RECORDS,
    before: '3 460 4',
    refuse: {
      what: 'gaps between fields are taken out',
      edits: [
        ['#[repr(C)]', '#[repr(C, packed)]'],
        ['{kind} {value} {flag}', '{kind}, {value}, {flag}'],
      ],
      says: '3, 460, 4',
      names: 'field `value` of `app::Record` moved from offset 4 to 1',
    },
    accept: {
      what: 'an attribute that only lints read',
      edits: [
        ['#[repr(C)]', '#[repr(C)]\n#[allow(dead_code)]\n#[must_use]'],
        ['{kind} {value} {flag}', '{kind}, {value}, {flag}'],
      ],
      says: '3, 460, 4',
    },
  },
  {
    id: 'repr-c-order',
    program: RECORDS,
    before: '3 460 4',
    refuse: {
      what: 'the compiler may order fields itself from now on',
      edits: [
        ['#[repr(C)]\n', ''],
        ['{kind} {value} {flag}', '{kind}, {value}, {flag}'],
      ],
      says: '3, 460, 4',
      names: 'field `value` of `app::Record` moved from offset 4 to 0',
    },
    accept: {
      what: 'a derived trait',
      edits: [
        ['#[repr(C)]', '#[repr(C)]\n#[derive(Clone, Copy)]'],
        ['= state.records[1]', '= state.records[0].clone()'],
      ],
      says: '1 450 2',
    },
  },
  {
    id: 'alignment',
    program: ORDERS,
    before: ORDERS_SAY,
    refuse: {
      what: 'values are aligned more strictly',
      edits: [
        ['struct Order', '#[repr(align(16))]\nstruct Order'],
        ['"total ', '"sum '],
      ],
      says: 'sum 914, last 2',
      names: 'its size was 12 bytes, is 16 bytes; its alignment was 4 bytes, is 16 bytes',
    },
    accept: {
      what: 'values are aligned as they are anyway',
      edits: [
        ['struct Order', '#[repr(align(4))]\nstruct Order'],
        ['"total ', '"sum '],
      ],
      says: 'sum 914, last 2',
    },
  },
  {
    id: 'union',
    program: `
#[derive(Clone, Copy)]
#[repr(C)]
union Word { whole: u32, bytes: [u8; 4] }
struct State { words: Vec<Word> }
fn make() -> State {
    State { words: vec![Word { whole: 1 }, Word { whole: 0x0203 }] }
}
fn show(state: &mut State) -> String {
    let word = state.words[1];
    unsafe { format!("{} {}", word.whole, word.bytes[0]) }
}
`,
    before: '515 3',
    refuse: {
      what: 'a union gets a larger member: all of its values grow',
      edits: [
        ['bytes: [u8; 4]', 'bytes: [u8; 4], long: u64'],
        ['{} {}', '{}, {}'],
      ],
      says: '515, 3',
      names: /of `app::Word` \(u64.*is new|its size was 4 bytes, is 8 bytes/,
    },
    accept: {
      what: 'a union gets a member that fits: values stay as they are',
      edits: [
        ['bytes: [u8; 4]', 'bytes: [u8; 4], halves: [u16; 2]'],
        ['word.bytes[0]', 'word.halves[0]'],
        ['{} {}', '{}, {}'],
      ],
      says: '515, 515',
    },
  },
  {
    id: 'owner',
    program: `
use std::rc::Rc;
struct Node { name: Box<str>, shared: Rc<u32> }
struct State { node: Box<Node> }
fn make() -> State {
    State { node: Box::new(Node { name: "oak".into(), shared: Rc::new(70) }) }
}
fn show(state: &mut State) -> String {
    format!("{} {}", state.node.name, state.node.shared)
}
`,
    before: 'oak 70',
    refuse: {
      what: 'one owner instead of several: a pointer of the same size leads to a value without counts',
      edits: [
        ['shared: Rc<u32>', 'shared: Box<u32>'],
        ['Rc::new(70)', 'Box::new(70)'],
        ['{} {}', '{}, {}'],
      ],
      says: 'oak, 70',
      names: /field `shared` of `app::Node` was alloc::rc::Rc<u32, .*> at offset \d+, is alloc::boxed::Box<u32/,
    },
    accept: {
      what: 'one more owner of a value',
      edits: [
        ['{} {}"', '{} {} of {}"'],
        ['state.node.shared)', 'state.node.shared, Rc::strong_count(&other))'],
        ['    format!', '    let other = Rc::clone(&state.node.shared);\n    format!'],
      ],
      says: 'oak 70 of 2',
    },
  },
];
