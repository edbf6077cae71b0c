// Edits of the program of many shapes, and what the guard must say of each: the types it must name, or that nothing there
// endangers a live value.

/** An edit, and the types that it must be refused for (a part of each message), or none. */
export interface GuardCase {
  readonly what: string;
  readonly edits: readonly (readonly [from: string, to: string])[];
  /** Name → what its message must be or match; in the order of names. */
  readonly refused: Readonly<Record<string, string | RegExp>>;
  /** Must be among the further reasons. */
  readonly because?: string;
}

const TICKET_TYPE = 'cents: u64,\n}';

export const GUARD_CASES: readonly GuardCase[] = [
  {
    what: 'the type of a field: named where it is, with those who hold it',
    edits: [
      [TICKET_TYPE, 'cents: u32,\n}'],
      ['self.ticket.cents', 'self.ticket.cents.into()'],
    ],
    refused: { 'app::Ticket': 'field `cents` of `app::Ticket` was u64 at offset 0, is u32 at offset 4' },
    because: '`app::Order` holds it by value',
  },
  {
    what: 'a field added where there was a gap: the size stays',
    edits: [
      [TICKET_TYPE, 'cents: u64, paid: bool,\n}'],
      ['open: true, cents: 450 }', 'open: true, paid: false, cents: 450 }'],
      ['cents: 1 }', 'cents: 1, paid: false }'],
    ],
    refused: { 'app::Ticket': /^field `paid` of `app::Ticket` \(bool at offset \d+\) is new$/ },
  },
  {
    what: 'a field removed',
    edits: [
      ["    note: &'static str,\n", ''],
      [', note: "x" }', ' }'],
    ],
    refused: { 'app::Order': /^field `note` of `app::Order` \(&str at offset \d+\) is gone$/ },
  },
  {
    what: 'fields of two sizes written in another order: the compiler puts them where they were',
    edits: [
      [
        '    number: u32,\n    open: bool,\n    cents: u64,\n}',
        '    cents: u64,\n    open: bool,\n    number: u32,\n}',
      ],
    ],
    refused: {},
  },
  {
    what: 'fields of one size written in another order: they change places',
    edits: [['    left: u16,\n    right: u16,\n', '    right: u16,\n    left: u16,\n']],
    refused: { 'app::Balance': 'field `left` of `app::Balance` moved from offset 0 to 2' },
  },
  {
    what: 'the type of a tuple field',
    edits: [
      ['struct Pair(u16, u16);', 'struct Pair(u16, i16);'],
      ['pair().0 + pair().1', 'pair().0 as i16 + pair().1'],
    ],
    refused: { 'app::Pair': 'field `__1` of `app::Pair` was u16 at offset 2, is i16' },
  },
  {
    what: 'a field that grows inside a generic type: the type that grew is named, not its holder',
    edits: [
      ['struct Pair(u16, u16);', 'struct Pair(u32, u16);'],
      ['pair().0 + pair().1', 'pair().0 + u32::from(pair().1)'],
    ],
    refused: { 'app::Pair': 'field `__0` of `app::Pair` was u16 at offset 0, is u32' },
    because: '`app::Wrapper<app::Pair>` holds it by value',
  },
  {
    what: 'a field of a generic type: all instances',
    edits: [['count: u8,\n}', 'count: u16,\n}']],
    refused: {
      'app::Wrapper<app::Pair>': /^field `count` .* was u8 at offset \d, is u16/,
      'app::Wrapper<u32>': 'field `count` of `app::Wrapper<u32>` was u8 at offset 4, is u16',
    },
  },
  {
    what: 'a field renamed: values stay valid',
    edits: [
      [TICKET_TYPE, 'price: u64,\n}'],
      ['open: true, cents: 450 }', 'open: true, price: 450 }'],
      ['cents: 1 }', 'price: 1 }'],
      ['self.ticket.cents', 'self.ticket.price'],
    ],
    refused: {},
  },
  {
    what: 'an array grows',
    edits: [
      ['table: [u8; 4]', 'table: [u8; 6]'],
      ['[1, 2, 3, 4]', '[1, 2, 3, 4, 5, 6]'],
    ],
    refused: { 'app::Meter': /^field `table` of `app::Meter` was \[u8; 4\] at offset \d, is \[u8; 6\]/ },
  },
  {
    what: 'a plain enumeration gets a variant: what Option marks as None is now a value',
    edits: [['    Green,\n}', '    Green,\n    Blue,\n}']],
    refused: { 'app::Colour': 'variant `Blue` of `app::Colour` (value 2) is new' },
    because: '`core::option::Option<app::Colour>` holds it by value',
  },
  {
    what: 'an enumeration gets a variant in the middle',
    edits: [['    Paid(u32),', '    Late,\n    Paid(u32),']],
    refused: { 'app::Event': /^variant `Late` of `app::Event` \(value 1\) is new$/ },
  },
  {
    what: 'the content of a variant changes',
    edits: [['    Paid(u32),', '    Paid(u64),']],
    refused: { 'app::Event': /^field `__0` of `app::Event::Paid` was u32 at offset 4, is u64 at offset 8$/ },
  },
  {
    what: 'an option loses the value that marked it as empty',
    edits: [
      ['small: Option<NonZeroU32>', 'small: Option<u32>'],
      ['NonZeroU32::new(black_box(0))', 'NonZeroU32::new(black_box(0)).map(NonZeroU32::get)'],
    ],
    refused: {
      'app::Meter': /^field `small` of `app::Meter` was core::option::Option<core::num::nonzero::NonZero<u32>>/,
    },
  },
  {
    what: 'a variant renamed: values stay valid',
    edits: [
      ['    Paid(u32),', '    Settled(u32),'],
      ['Event::Paid(', 'Event::Settled('],
    ],
    refused: {},
  },
  {
    what: 'a method added',
    edits: [
      ['impl Order {', 'impl Order {\n    fn half(&self) -> u64 {\n        self.ticket.cents / 2\n    }'],
      ['map(Order::total)', 'map(Order::half)'],
    ],
    refused: {},
  },
  {
    what: 'a new type',
    edits: [
      [
        'fn pair() -> Pair {',
        'struct Fresh { a: u8, b: u64 }\nfn pair() -> Pair {\n    let fresh = black_box(Fresh { a: 1, b: 2 });\n    println!("{} {}", fresh.a, fresh.b);',
      ],
    ],
    refused: {},
  },
  {
    what: 'a type removed',
    edits: [
      [
        'struct Meter {\n    small: Option<NonZeroU32>,\n    table: [u8; 4],\n}',
        'struct Gauge {\n    small: Option<NonZeroU32>,\n    table: [u8; 8],\n}',
      ],
      ['fn meter() -> Meter {\n    Meter {', 'fn meter() -> Gauge {\n    Gauge {'],
      ['[1, 2, 3, 4]', '[1; 8]'],
    ],
    refused: {},
  },
  {
    what: 'a body',
    edits: [['self.0.wrapping_mul(self.0)', 'self.0.wrapping_mul(self.0) ^ 1']],
    refused: {},
  },
  {
    what: 'a blank line above everything',
    edits: [['#[derive(Debug)]\nstruct Ticket', '\n#[derive(Debug)]\nstruct Ticket']],
    refused: {},
  },
  {
    what: 'what a closure captures: old values keep the old code under its old name',
    edits: [['|x: u32| x.wrapping_add(k)', '|x: u32| x.wrapping_add(k).wrapping_add(other as u32)']],
    refused: {},
  },
  {
    what: 'a closure inserted before another, with another capture',
    edits: [
      [
        '    let add = |x: u32|',
        '    let twice = |x: u32| x.wrapping_mul(other as u32);\n    let k = apply(&twice, k);\n    let add = |x: u32|',
      ],
    ],
    refused: {},
  },
  {
    what: 'a local held across an await: the future grew under its name',
    edits: [
      ['let before = black_box(k);', 'let before = black_box(k);\n    let more = black_box([k, k + 1, k + 2]);'],
      ['    black_box(before)\n', '    black_box(before) + more[1] + more[2]\n'],
    ],
    refused: { 'app::handler::{async_fn_env#0}': /^field `more` of `app::handler::\{async_fn_env#0\}::Suspend0` / },
  },
  {
    what: "a coroutine's body between its awaits",
    edits: [['    black_box(before)\n', '    black_box(before) + 1\n']],
    refused: {},
  },
  {
    what: 'a trait gets a method: objects made before have no slot for it',
    edits: [
      ['    fn name(&self)', '    fn edge(&self) -> u32 {\n        4\n    }\n    fn name(&self)'],
      ['shape.area(), shape.name()', 'shape.area() + shape.edge(), shape.name()'],
    ],
    refused: { '<app::Square as app::Shape>': 'its vtable had 40 bytes, has 48: a method came or went' },
  },
  {
    what: 'methods of a trait in another order: objects made before would call the wrong one',
    edits: [
      [
        '    fn area(&self) -> u32;\n    fn name(&self) -> &\'static str {\n        "shape"\n    }\n',
        '    fn name(&self) -> &\'static str {\n        "shape"\n    }\n    fn area(&self) -> u32;\n',
      ],
    ],
    refused: { '<app::Square as app::Shape>': 'slot 0 of its vtable was `area`, is `name`' },
  },
  {
    what: 'the body of a provided method is overridden',
    edits: [
      [
        '        self.0.wrapping_mul(self.0)\n    }',
        '        self.0.wrapping_mul(self.0)\n    }\n    fn name(&self) -> &\'static str {\n        "square"\n    }',
      ],
    ],
    refused: {},
  },
];

/** Under v0 mangling names hold neither captures nor the types of statics. */
export const V0_CASES: readonly GuardCase[] = [
  {
    what: 'what a closure captures: one name, so that old values would run new code',
    edits: [['|x: u32| x.wrapping_add(k)', '|x: u32| x.wrapping_add(k).wrapping_add(other as u32)']],
    refused: {
      'app::closures::{closure_env#0}': /^field `_ref__other` of `app::closures::\{closure_env#0\}` .* is new$/,
    },
  },
  {
    what: 'the type of a static that is written to',
    edits: [
      ['static mut LEVEL: u32 = 7;', 'static mut LEVEL: f32 = 7.0;'],
      ['LEVEL += 1 }', 'LEVEL += 1.0 }'],
    ],
    refused: { 'app::LEVEL': 'static `app::LEVEL` was u32, is f32' },
  },
  {
    what: 'a body',
    edits: [['self.0.wrapping_mul(self.0)', 'self.0.wrapping_mul(self.0) ^ 1']],
    refused: {},
  },
];
