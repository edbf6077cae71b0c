// Generic types, constants as parameters, aliases, associated types, and types that take no room.
import type { Pair } from '../pair.js';

const WRAPPED = `
struct Wrapper<T> { inner: T, count: u8 }
struct State { small: Box<Wrapper<u8>>, large: Box<Wrapper<u32>> }
fn make() -> State {
    State { small: Box::new(Wrapper { inner: 1, count: 2 }), large: Box::new(Wrapper { inner: 3, count: 4 }) }
}
fn show(state: &mut State) -> String {
    format!("{} {} {} {}", state.small.inner, state.small.count, state.large.inner, state.large.count)
}
`;

const BUFFER = `
struct Buffer<const N: usize> { bytes: [u8; N], used: u8 }
impl<const N: usize> Buffer<N> {
    fn sum(&self) -> u32 {
        self.bytes.iter().map(|byte| u32::from(*byte)).sum()
    }
}
struct State { buffer: Box<Buffer<4>> }
fn make() -> State {
    State { buffer: Box::new(Buffer { bytes: [1; 4], used: 90 }) }
}
fn show(state: &mut State) -> String {
    format!("sum {} used {}", state.buffer.sum(), state.buffer.used)
}
`;

const ALIASES = `
type Level = u32;
struct Probe { level: Level, id: u8 }
struct State { probes: Vec<Probe> }
fn make() -> State {
    State { probes: vec![Probe { level: 450, id: 1 }, Probe { level: 460, id: 2 }] }
}
fn show(state: &mut State) -> String {
    format!("level {} of {}", state.probes[1].level, state.probes[1].id)
}
`;

const MARKED = `
use std::marker::PhantomData;
struct Metric;
struct Imperial;
struct Length<U> { amount: u32, unit: PhantomData<U> }
struct Raw { start: *const u8, of: PhantomData<u16> }
static WORDS: [u16; 2] = [3, 4];
struct State { length: Box<Length<Metric>>, raw: Raw }
fn make() -> State {
    State {
        length: Box::new(Length { amount: 450, unit: PhantomData }),
        raw: Raw { start: WORDS.as_ptr().cast(), of: PhantomData },
    }
}
fn read<T: Copy>(start: *const u8, _of: PhantomData<T>) -> T {
    unsafe { start.cast::<T>().read_unaligned() }
}
fn show(state: &mut State) -> String {
    let Length { amount, unit: PhantomData } = &*state.length;
    format!("{amount} {}", read(state.raw.start, state.raw.of))
}
`;

export const GENERIC_PAIRS: readonly Pair[] = [
  {
    id: 'generic-field',
    program: WRAPPED,
    before: '1 2 3 4',
    refuse: {
      what: 'a field of a generic type: all instances change',
      edits: [
        ['count: u8 }', 'count: u16 }'],
        ['{} {} {} {}', '{}, {}, {}, {}'],
      ],
      says: '1, 2, 3, 4',
      names: 'field `count` of `app::Wrapper<u8>` was u8 at offset 1, is u16',
    },
    accept: {
      what: 'an instance of a generic type that only new code uses',
      edits: [
        ['    format!', '    let wide = Wrapper { inner: 5u64, count: 6 };\n    format!'],
        ['{} {} {} {}"', '{} {} {} {} {}"'],
        ['state.large.count)', 'state.large.count, wide.inner + u64::from(wide.count))'],
      ],
      says: '1 2 3 4 11',
    },
  },
  {
    id: 'generic-argument',
    program: WRAPPED,
    before: '1 2 3 4',
    refuse: {
      what: 'a field becomes another instance of a generic type',
      edits: [
        ['small: Box<Wrapper<u8>>', 'small: Box<Wrapper<u32>>'],
        ['{} {} {} {}', '{}, {}, {}, {}'],
      ],
      says: '1, 2, 3, 4',
      names: /field `small` of `app::State` was alloc::boxed::Box<app::Wrapper<u8>.* is .*<app::Wrapper<u32>/,
    },
    accept: {
      what: 'a generic parameter gets a bound',
      edits: [
        ['struct Wrapper<T> {', 'struct Wrapper<T: Copy> {'],
        ['{} {} {} {}', '{}, {}, {}, {}'],
      ],
      says: '1, 2, 3, 4',
    },
  },
  {
    id: 'const-argument',
    program: BUFFER,
    before: 'sum 4 used 90',
    refuse: {
      what: 'the constant argument of a stored type grows',
      edits: [
        ['Box<Buffer<4>>', 'Box<Buffer<6>>'],
        ['[1; 4]', '[1; 6]'],
        ['"sum ', '"total '],
      ],
      says: 'total 4 used 90',
      names: /field `buffer` of `app::State` was .*Buffer<4>.* is .*Buffer<6>/,
    },
    accept: {
      what: 'another constant argument where a value is only passing',
      edits: [
        ['"sum {}', '"sum {} {}'],
        ['state.buffer.sum(),', 'state.buffer.sum(), Buffer { bytes: [2; 6], used: 0 }.sum(),'],
      ],
      says: 'sum 4 12 used 90',
    },
  },
  {
    id: 'alias',
    program: ALIASES,
    before: 'level 460 of 2',
    refuse: {
      what: 'an alias means a larger type',
      edits: [
        ['type Level = u32', 'type Level = u64'],
        ['"level ', '"height '],
      ],
      says: 'height 460 of 2',
      names: 'field `level` of `app::Probe` was u32 at offset 0, is u64',
    },
    accept: {
      what: 'an alias gets another name',
      edits: [
        ['type Level = u32', 'type Height = u32'],
        ['level: Level', 'level: Height'],
        ['"level ', '"height '],
      ],
      says: 'height 460 of 2',
    },
  },
  {
    id: 'associated-type',
    program: `
trait Scale { type Unit; const FACTOR: u32; }
struct Coarse;
impl Scale for Coarse { type Unit = u16; const FACTOR: u32 = 10; }
struct Reading<S: Scale> { unit: S::Unit, id: u16 }
struct State { reading: Box<Reading<Coarse>> }
fn make() -> State {
    State { reading: Box::new(Reading { unit: 45, id: 2 }) }
}
fn show(state: &mut State) -> String {
    format!("{} of {}", u64::from(state.reading.unit) * u64::from(Coarse::FACTOR), state.reading.id)
}
`,
    before: '450 of 2',
    refuse: {
      what: 'an associated type that is stored changes',
      edits: [
        ['type Unit = u16', 'type Unit = u32'],
        ['{} of {}', '{} from {}'],
      ],
      says: '450 from 2',
      names: 'field `unit` of `app::Reading<app::Coarse>` was u16 at offset 0, is u32',
    },
    accept: {
      what: 'an associated constant changes',
      edits: [['FACTOR: u32 = 10', 'FACTOR: u32 = 100']],
      says: '4500 of 2',
    },
  },
  {
    id: 'marker-of-contents',
    program: MARKED,
    before: '450 3',
    refuse: {
      what: 'a marker says that a raw pointer leads to something else',
      edits: [
        ['of: PhantomData<u16>', 'of: PhantomData<u32>'],
        ['{amount} {}', '{amount}, {}'],
      ],
      says: '450, 3',
      names:
        'field `of` of `app::Raw` was core::marker::PhantomData<u16> at offset 8, is core::marker::PhantomData<u32>',
    },
    accept: {
      what: 'a value that takes no room and says nothing of others is added',
      edits: [
        ['struct Raw { start: *const u8, ', 'struct Raw { start: *const u8, unit: Metric, '],
        ['Raw { start: WORDS', 'Raw { unit: Metric, start: WORDS'],
        ['{amount} {}', '{amount}, {}'],
      ],
      says: '450, 3',
    },
  },
  {
    id: 'newtype',
    program: `
struct Fish { hp: u32, age: u32 }
struct State { fish: Vec<Fish> }
fn make() -> State {
    State { fish: vec![Fish { hp: 0, age: 3 }, Fish { hp: 8, age: 4 }] }
}
fn show(state: &mut State) -> String {
    format!("hp {:?} {:?}", state.fish[0].hp, state.fish[1].hp)
}
`,
    before: 'hp 0 8',
    refuse: {
      what: 'a number may no longer be zero',
      edits: [
        ['struct Fish { hp: u32', 'struct Fish { hp: std::num::NonZeroU32'],
        ['Fish { hp: 0,', 'Fish { hp: std::num::NonZeroU32::MIN,'],
        ['Fish { hp: 8,', 'Fish { hp: std::num::NonZeroU32::MAX,'],
        ['state.fish[0].hp,', 'Some(state.fish[0].hp),'],
      ],
      says: 'hp Some(0) 8',
      names: /field `hp` of `app::Fish` was u32 at offset 0, is core::num::nonzero::NonZero<u32>/,
    },
    accept: {
      what: 'a number gets a type of its own around it',
      edits: [
        ['struct Fish { hp: u32', '#[derive(Debug)]\nstruct Hp(u32);\nstruct Fish { hp: Hp'],
        ['Fish { hp: 0,', 'Fish { hp: Hp(0),'],
        ['Fish { hp: 8,', 'Fish { hp: Hp(8),'],
      ],
      says: 'hp Hp(0) Hp(8)',
    },
  },
  {
    id: 'no-room',
    program: `
#[derive(Clone)]
struct Mark;
struct Item { mark: Mark, price: u16, count: u16 }
struct State { items: Vec<Item> }
fn make() -> State {
    State { items: vec![Item { mark: Mark, price: 45, count: 2 }, Item { mark: Mark, price: 46, count: 3 }] }
}
fn show(state: &mut State) -> String {
    let Item { mark, price, count } = &state.items[1];
    let _kept = mark.clone();
    format!("{count} at {price}")
}
`,
    before: '3 at 46',
    refuse: {
      what: 'a type that took no room does now',
      edits: [
        ['struct Mark;', '#[derive(Default)]\nstruct Mark(u16);'],
        ['mark: Mark, price: 45', 'mark: Mark(0), price: 45'],
        ['mark: Mark, price: 46', 'mark: Mark(0), price: 46'],
        ['{count} at', '{count} for'],
      ],
      says: '3 for 46',
      names: 'field `__0` of `app::Mark` (u16 at offset 0) is new',
    },
    accept: {
      what: 'another type that takes no room',
      edits: [
        ['struct Mark;', 'struct Mark;\n#[derive(Clone)]\nstruct Sign;'],
        ['mark: Mark, price: u16', 'mark: Sign, price: u16'],
        ['mark: Mark, price: 45', 'mark: Sign, price: 45'],
        ['mark: Mark, price: 46', 'mark: Sign, price: 46'],
        ['{count} at', '{count} for'],
      ],
      says: '3 for 46',
    },
  },
];
