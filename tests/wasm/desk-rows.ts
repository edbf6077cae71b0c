// The edit matrix for modules: the order desk's own rows as far as a module has what they edit, then rows of its own.
import { DESK_ROWS } from '../matrix/all-rows.js';
import { RECEIPTS, once, regions } from '../matrix/edits.js';
import { type Check, type Row, desk } from '../matrix/row.js';

export const WORKSHOP = 'src/workshop.rs';

/** What needs threads, or a panic that somebody catches, neither of which a module of this kind has. */
const ELSEWHERE = /^(?:new-dependency|new-statics|panic|loop-thread|signature)/;
const ASKED_ELSEWHERE = /\/(?:squares|clock|careful|loyalty)$/;

const answered = ({ after, ...row }: Row): Row => ({
  ...row,
  after: after.filter((check: Check) => !ASKED_ELSEWHERE.test(check.ask)),
});

/** Rows of the desk, in its order. */
const DESK: readonly Row[] = DESK_ROWS.filter(({ id }) => !ELSEWHERE.test(id)).map(answered);
const firstBack = DESK.findIndex(({ action }) => action.kind === 'revert');

const STATICS: readonly Row[] = [
  {
    id: 'new-statics',
    name: 'new statics and new thread_locals, constant and lazy',
    action: regions(RECEIPTS, {
      loyalty: `
static STAMPS: AtomicU64 = AtomicU64::new(3);
static BOOK: std::sync::LazyLock<std::sync::Mutex<Vec<String>>> =
    std::sync::LazyLock::new(|| std::sync::Mutex::new(vec![String::from("first")]));

thread_local! {
    static HELD: std::cell::Cell<u64> = const { std::cell::Cell::new(5) };
    static SLIP: std::cell::RefCell<Vec<u64>> = std::cell::RefCell::new(vec![30]);
}

pub fn loyalty() -> String {
    let stamps = STAMPS.fetch_add(1, Relaxed) + 1;
    let mut book = BOOK.lock().unwrap();
    book.push(format!("entry {stamps}"));
    HELD.with(|held| held.set(held.get() + 1));
    let slip = SLIP.with(|slip| {
        slip.borrow_mut().push(stamps);
        slip.borrow().iter().sum::<u64>()
    });
    format!("stamps {stamps} book {} held {} slip {slip}", book.len(), HELD.with(|held| held.get()))
}`,
    }),
    expect: ['patched'],
    before: [desk('loyalty', 'no card')],
    after: [desk('loyalty', 'stamps 4 book 2 held 6 slip 34'), desk('loyalty', 'stamps 5 book 3 held 7 slip 39')],
    data: { 'receipts::STAMPS': 'added', 'receipts::BOOK': 'added' },
  },
  {
    id: 'new-statics-kept',
    name: 'statics and thread-locals born in a patch keep their values through the next',
    action: once(RECEIPTS, ['"stamps {stamps} book', '"STAMPS {stamps} book']),
    expect: ['patched'],
    after: [desk('loyalty', 'STAMPS 6 book 4 held 8 slip 45')],
  },
  {
    id: 'thread-local',
    name: 'a thread-local that there is keeps its value',
    action: once(WORKSHOP, ['hand.get() + 1', 'hand.get() + 10']),
    expect: ['patched'],
    before: [desk('hand', '51'), desk('hand', '52')],
    after: [desk('hand', '62')],
  },
];

const CODE: readonly Row[] = [
  {
    id: 'recursion',
    name: 'a function that calls itself',
    action: once(WORKSHOP, ['1 + depth(n - 1)', '2 + depth(n - 1)']),
    expect: ['patched'],
    before: [desk('depth', '5')],
    after: [desk('depth', '10')],
  },
  {
    id: 'constant',
    name: 'a constant that is used in an inlined function',
    action: once(WORKSHOP, ['RATE: u64 = 20', 'RATE: u64 = 50']),
    expect: ['patched'],
    before: [desk('taxed', '1200 1440')],
    after: [desk('taxed', '1500 2250')],
  },
  {
    id: 'inlined',
    name: 'a function that is inlined everywhere',
    action: once(WORKSHOP, ['cents + cents * RATE / 100', 'cents + cents * RATE / 100 + 1']),
    expect: ['patched'],
    after: [desk('taxed', '1501 2252')],
  },
  {
    id: 'match',
    name: 'the arms of a match; values from before are matched by them',
    action: once(WORKSHOP, ['Coin::Penny => 1', 'Coin::Penny => 1000']),
    expect: ['patched'],
    before: [desk('purse', '25')],
    after: [desk('purse', '2048')],
  },
  {
    id: 'variant',
    name: 'one more variant of an enum whose values live: refused',
    action: once(
      WORKSHOP,
      ['    Shilling(u32),\n', '    Shilling(u32),\n    Guinea(u64),\n'],
      ['=> 12 * count,\n', '=> 12 * count,\n        Coin::Guinea(count) => 252 * count as u32,\n'],
      ['Coin::Shilling(2)]', 'Coin::Guinea(2)]'],
    ),
    expect: ['refused'],
    after: [desk('purse', '3072')],
    says: /IPBP3006.*Coin/,
  },
  {
    id: 'variant-back',
    name: 'the enum as it was',
    action: once(
      WORKSHOP,
      ['    Shilling(u32),\n    Guinea(u64),\n', '    Shilling(u32),\n'],
      ['=> 12 * count,\n        Coin::Guinea(count) => 252 * count as u32,\n', '=> 12 * count,\n'],
      ['Coin::Guinea(2)]', 'Coin::Shilling(2)]'],
    ),
    expect: ['unchanged'],
    after: [desk('purse', '4096')],
  },
  {
    id: 'drop',
    name: 'what happens at the end of values that were made before',
    action: once(WORKSHOP, ['THROWN.fetch_add(self.0, Relaxed)', 'THROWN.fetch_add(self.0 * 100, Relaxed)']),
    expect: ['patched'],
    before: [desk('shelf', '1 on it'), desk('clear', '3 thrown'), desk('shelf', '1 on it')],
    after: [desk('clear', '303 thrown')],
  },
  {
    id: 'signature',
    name: 'another signature, and callers with it',
    action: regions(WORKSHOP, {
      portion: `
fn portion(cents: u64, guests: u32, name: &str) -> (u64, usize) {
    (cents / u64::from(guests), name.len())
}`,
      share: `
fn share() -> String {
    format!("{:?}", portion(900, 9, "nine"))
}`,
    }),
    expect: ['patched'],
    before: [desk('share', '300')],
    after: [desk('share', '(100, 4)')],
  },
  {
    id: 'signature-again',
    name: 'a body behind the new signature',
    action: once(WORKSHOP, ['name.len())', 'name.len() + 1)']),
    expect: ['patched'],
    after: [desk('share', '(100, 5)')],
  },
  {
    id: 'type-id',
    name: 'a value of an unknown type, made before, is still of that type',
    action: once(WORKSHOP, ['ball.colour.to_string()', 'format!("a {} ball", ball.colour)']),
    expect: ['patched'],
    before: [desk('unknown', 'red')],
    after: [desk('unknown', 'a red ball')],
  },
  {
    id: 'host-function',
    name: 'one more call of a function of the host',
    action: once(WORKSHOP, [
      'format!("{} degrees", unsafe { weather(1) })',
      'format!("{} then {} degrees", unsafe { weather(1) }, unsafe { weather(2) })',
    ]),
    expect: ['patched'],
    before: [desk('outlook', '21 degrees')],
    after: [desk('outlook', '21 then 22 degrees')],
  },
  {
    id: 'new-host-function',
    name: 'a function of the host that the module does not import: refused, naming both',
    action: regions(WORKSHOP, {
      outlook: `
#[link(wasm_import_module = "almanac")]
unsafe extern "C" {
    fn moon(day: u32) -> u32;
}

fn outlook() -> String {
    format!("{} degrees, moon {}", unsafe { weather(1) }, unsafe { moon(1) })
}`,
    }),
    expect: ['refused'],
    after: [desk('outlook', '21 then 22 degrees')],
    says: /almanac.*moon|moon.*almanac/,
  },
  {
    id: 'host-function-back',
    name: 'without it again',
    action: regions(WORKSHOP, {
      outlook: `
fn outlook() -> String {
    format!("{} then {} degrees", unsafe { weather(1) }, unsafe { weather(2) })
}`,
    }),
    expect: ['unchanged', 'patched'],
    after: [desk('outlook', '21 then 22 degrees')],
  },
  {
    id: 'builtins',
    name: 'wide numbers and mathematics, for which the compiler calls functions that the module lacks',
    action: regions(WORKSHOP, {
      wide: `
fn wide(n: u64) -> String {
    let big = u128::from(n).pow(40) / 1_000_000_007;
    format!("{big} {:.4} {:.4}", (n as f64).sin(), (n as f64).powf(0.3))
}`,
    }),
    expect: ['patched'],
    before: [desk('wide', '7')],
    after: [desk('wide', '6366805716341387971351719 0.6570 1.7928')],
  },
];

const EARLY = `extern "C" fn early() {
    THROWN.fetch_add(1, Relaxed);
}

#[used]
#[unsafe(link_section = ".init_array")]
static EARLY: extern "C" fn() = early;

// region hand
`;

const CONSTRUCTORS: readonly Row[] = [
  {
    id: 'constructor',
    name: 'a function that is to run before the program: refused',
    action: once(WORKSHOP, ['// region hand\n', EARLY]),
    expect: ['refused'],
    after: [],
    says: /IPBP3024.*early/,
  },
  {
    id: 'constructor-back',
    name: 'without it again',
    action: once(WORKSHOP, [EARLY, '// region hand\n']),
    expect: ['unchanged'],
    after: [],
  },
];

const FUTURES: readonly Row[] = [
  {
    id: 'future-body',
    name: 'what follows an .await, of a future that waits',
    action: once(WORKSHOP, ['format!("from {from}")', 'format!("come from {from}")']),
    expect: ['patched'],
    before: [desk('begin', '1 wait'), desk('go-on', 'from 7'), desk('begin', '1 wait')],
    after: [desk('go-on', 'come from 7')],
  },
  {
    id: 'future-local',
    name: 'one more local held across an .await: what waits ends as it began, new ones take the new code',
    action: regions(WORKSHOP, {
      travel: `
async fn travel(from: u64) -> String {
    let stops = [from + 1; 5];
    Gate.await;
    format!("over {} from {from}", stops.iter().sum::<u64>())
}`,
    }),
    expect: ['patched'],
    before: [desk('begin', '1 wait')],
    after: [desk('begin', '2 wait'), desk('go-on', 'come from 7, over 40 from 7')],
  },
];

/** All rows; the way back comes last. */
export const MODULE_ROWS: readonly Row[] = [
  ...DESK.slice(0, firstBack),
  ...STATICS,
  ...CODE,
  ...CONSTRUCTORS,
  ...FUTURES,
  ...DESK.slice(firstBack),
];
