// Edits of the order desk that go live, in the order in which one process must take them all.
import { CLOCK, COUNTERS, OFFERS, RECEIPTS, greeting, once, regions } from './edits.js';
import { type Row, desk } from './row.js';

/** The desk's functions, types, closures and libraries. */
export const CODE_ROWS: readonly Row[] = [
  {
    id: 'string',
    name: 'another string',
    action: greeting('good evening'),
    expect: ['patched'],
    before: [desk('greeting', 'good morning')],
    after: [desk('greeting', 'good evening')],
    functions: { 'receipts::greeting': 'redirected' },
    only: true,
  },
  {
    id: 'format',
    name: 'another format!',
    action: regions(RECEIPTS, {
      receipt: `
pub fn receipt(count: u64, cents: u64) -> String {
    format!("{count:>4} × {:>8.2} [{cents:#x}]", cents as f64 / 100.0)
}`,
    }),
    expect: ['patched'],
    before: [desk('receipt', '3 at 425')],
    after: [desk('receipt', '   3 ×     4.25 [0x1a9]')],
    functions: { 'receipts::receipt': 'redirected' },
  },
  {
    id: 'new-function',
    name: 'a new function',
    action: regions(RECEIPTS, {
      total: `
pub fn total(prices: &[u64]) -> String {
    let sum: u64 = prices.iter().sum();
    format!("total {} after {} off", sum - reduction(sum), reduction(sum))
}

fn reduction(sum: u64) -> u64 {
    sum / 10
}`,
    }),
    expect: ['patched'],
    before: [desk('total', 'total 749')],
    after: [desk('total', 'total 675 after 74 off')],
    functions: { 'receipts::total': 'redirected', 'receipts::reduction': 'added' },
  },
  {
    id: 'born-in-patch',
    name: 'second edit of a function born in a patch',
    action: once(RECEIPTS, ['sum / 10', 'sum / 5']),
    expect: ['patched'],
    after: [desk('total', 'total 600 after 149 off')],
    functions: { 'receipts::reduction': 'redirected' },
    only: true,
  },
  {
    id: 'closure',
    name: 'the body of a closure',
    action: once(RECEIPTS, ['(price * 2)', '(price * 3 + 1)']),
    expect: ['patched'],
    before: [desk('doubled', '2 4 6')],
    after: [desk('doubled', '4 7 10')],
  },
  {
    id: 'closure-before',
    name: 'a closure inserted before another',
    action: regions(RECEIPTS, {
      doubled: `
pub fn doubled(prices: &[u64]) -> String {
    let small = prices.iter().filter(|price| **price < 3).count();
    let list: Vec<String> = prices.iter().map(|price| (price * 3 + 1).to_string()).collect();
    format!("{small} of {}", list.join(" "))
}`,
    }),
    expect: ['patched'],
    after: [desk('doubled', '2 of 4 7 10')],
  },
  {
    id: 'one-reference',
    name: 'a closure that captures one reference',
    action: once(RECEIPTS, ['cents + *by', 'cents * *by']),
    expect: ['patched'],
    before: [desk('raised', '110')],
    after: [desk('raised', '2500')],
  },
  {
    id: 'generic',
    name: 'new generic instances',
    action: regions(RECEIPTS, {
      largest: `
pub fn largest_of() -> String {
    let places = std::collections::BTreeMap::from([(2u16, [1u8; 3]), (7, [9; 3])]);
    format!("{} {} {} {places:?}", largest(&[3u64, 9, 4]), largest(&[0.5f64, 2.25]), largest(&['a', 'q', 'c']))
}`,
    }),
    expect: ['patched'],
    before: [desk('largest', '9')],
    after: [desk('largest', '9 2.25 q {2: [1, 1, 1], 7: [9, 9, 9]}')],
  },
  {
    id: 'vtable',
    name: 'a new type with a vtable',
    action: regions(OFFERS, {
      special: `
pub fn special(cents: u64) -> String {
    let offers: Vec<Box<dyn Offer>> = vec![Box::new(Halved), Box::new(Flat(1))];
    offers.iter().map(|offer| format!("{}={}", offer.name(), offer.apply(cents))).collect::<Vec<_>>().join(" ")
}

struct Halved;

impl Offer for Halved {
    fn name(&self) -> String {
        String::from("halved")
    }
    fn apply(&self, cents: u64) -> u64 {
        cents / 2
    }
}`,
    }),
    expect: ['patched'],
    before: [desk('special', 'none on 1000')],
    after: [desk('special', 'halved=500 flat=999')],
    functions: { 'offers::special': 'redirected' },
  },
  {
    id: 'std-function',
    name: 'functions of std that the executable lacks',
    action: regions(RECEIPTS, {
      shout: `
pub fn shout(text: &str) -> String {
    let words: Vec<String> = text.to_uppercase().split_whitespace().map(String::from).collect();
    let number: f64 = text.split_whitespace().last().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    let wide = String::from_utf16_lossy(&[0x48, 0x69, 0xd83d, 0xde00]);
    format!("{} {} {wide} {}", words.join("/"), number * 2.0, number.sqrt() as f32)
}`,
    }),
    expect: ['patched'],
    before: [desk('shout', ' cafe 3.25 ')],
    after: [desk('shout', 'CAFE/3.25 6.5 Hi😀 1.8027756')],
    functions: { 'receipts::shout': 'redirected' },
  },
  {
    id: 'new-dependency',
    name: 'first use of a dependency that was never linked (rayon)',
    action: regions(RECEIPTS, {
      squares: `
pub fn squares(up_to: u64) -> String {
    use rayon::prelude::*;
    let sum: u64 = (1..=up_to).into_par_iter().map(|n| n * n).sum();
    format!("{sum} on {} threads", rayon::current_num_threads().min(1))
}`,
    }),
    expect: ['patched'],
    before: [desk('squares', '333833500')],
    after: [desk('squares', '333833500 on 1 threads')],
    threads: 'more',
  },
  {
    id: 'new-dependency-again',
    name: 'the new dependency keeps its threads through the next patch',
    action: once(RECEIPTS, ['n * n)', 'n * n + 1)']),
    expect: ['patched'],
    after: [desk('squares', '333834500 on 1 threads')],
    threads: 'same',
  },
];

/** Statics, thread-locals and tables. */
export const STATE_ROWS: readonly Row[] = [
  {
    id: 'statics',
    name: 'statics and thread-locals keep their values, private ones too; a new initialiser is reported',
    action: once(
      COUNTERS,
      ['AtomicU64::new(1000)', 'AtomicU64::new(9000)'],
      ['"orders={orders} ', '"ORDERS={orders} '],
    ),
    expect: ['patched'],
    after: [],
    functions: { 'counters::count': 'redirected' },
    data: { 'counters::ORDERS': 'initialiser-changed' },
  },
  {
    id: 'new-statics',
    name: 'new static and new thread_local, const non-zero and lazy with Drop',
    action: regions(RECEIPTS, {
      loyalty: `
static STAMPS: AtomicU64 = AtomicU64::new(3);
static BOOK: std::sync::LazyLock<std::sync::Mutex<Vec<String>>> =
    std::sync::LazyLock::new(|| std::sync::Mutex::new(vec![String::from("first")]));
static CLOSED: AtomicU64 = AtomicU64::new(0);

struct Slip(u64);

impl Drop for Slip {
    fn drop(&mut self) {
        CLOSED.fetch_add(self.0, Relaxed);
    }
}

thread_local! {
    static HELD: std::cell::Cell<u64> = const { std::cell::Cell::new(5) };
    static SLIP: std::cell::RefCell<Slip> = std::cell::RefCell::new(Slip(30));
}

fn use_slip() -> (u64, u64) {
    HELD.with(|held| held.set(held.get() + 1));
    SLIP.with(|slip| slip.borrow_mut().0 += 1);
    (HELD.with(|held| held.get()), SLIP.with(|slip| slip.borrow().0))
}

pub fn loyalty() -> String {
    let stamps = STAMPS.fetch_add(1, Relaxed) + 1;
    let mut book = BOOK.lock().unwrap();
    book.push(format!("entry {stamps}"));
    let (held, slip) = use_slip();
    let (other_held, other_slip) = std::thread::spawn(use_slip).join().unwrap();
    let (book, closed) = (book.len(), CLOSED.load(Relaxed));
    format!("stamps {stamps} book {book} held {held} slip {slip} other {other_held} {other_slip} closed {closed}")
}`,
    }),
    expect: ['patched'],
    before: [desk('loyalty', 'no card')],
    after: [
      desk('loyalty', 'stamps 4 book 2 held 6 slip 31 other 6 31 closed 31'),
      desk('loyalty', 'stamps 5 book 3 held 7 slip 32 other 6 31 closed 62'),
    ],
    data: { 'receipts::STAMPS': 'added', 'receipts::BOOK': 'added' },
  },
  {
    id: 'new-statics-kept',
    name: 'statics and thread-locals born in a patch keep their values through the next',
    action: once(RECEIPTS, ['"stamps {stamps} book', '"STAMPS {stamps} book']),
    expect: ['patched'],
    after: [desk('loyalty', 'STAMPS 6 book 4 held 8 slip 33 other 6 31 closed 93')],
  },
  {
    id: 'table',
    name: 'the new content of a read-only table is seen by a function that nobody edited',
    action: regions(RECEIPTS, {
      'menu-table': 'static MENU: [(&str, u64); 3] = [("tea", 275), ("goulash", 690), ("cake", 399)];',
    }),
    expect: ['patched'],
    before: [desk('menu', 'tea=250 soup=480 cake=399')],
    after: [desk('menu', 'tea=275 goulash=690 cake=399')],
  },
];

/** Unwinding, and everything that stands since before the patch. */
export const LIVE_ROWS: readonly Row[] = [
  {
    id: 'panic',
    name: 'a patched function panics: Drop runs, an old catch_unwind catches',
    action: regions(RECEIPTS, {
      risky: `
fn risky(count: u64) -> u64 {
    let _broom = Broom;
    if count > 2 {
        panic!("too many: {count}");
    }
    count * 2
}`,
    }),
    expect: ['patched'],
    before: [desk('careful', 'result=6 swept=1')],
    after: [desk('careful', 'panicked swept=2')],
  },
  {
    id: 'panic-through',
    name: 'panic → Drop → catch_unwind, all of them patched',
    action: regions(RECEIPTS, {
      broom: `
impl Drop for Broom {
    fn drop(&mut self) {
        SWEPT.fetch_add(10, Relaxed);
    }
}`,
      careful: `
pub fn careful(count: u64) -> String {
    let outcome = catch_unwind(AssertUnwindSafe(|| risky(count + 1)));
    let swept = SWEPT.load(Relaxed);
    match outcome {
        Ok(result) => format!("result={result} swept={swept}"),
        Err(payload) => format!("caught {:?} swept={swept}", payload.downcast_ref::<String>()),
    }
}`,
    }),
    expect: ['patched'],
    after: [desk('careful', 'caught Some("too many: 4") swept=12')],
  },
  {
    id: 'old-vtable',
    name: 'the method of a Box<dyn Trait> made at the start',
    action: regions(OFFERS, {
      flat: `
impl Offer for Flat {
    fn name(&self) -> String {
        String::from("flat rate")
    }
    fn apply(&self, cents: u64) -> u64 {
        cents - self.0 * 2
    }
}`,
    }),
    expect: ['patched'],
    before: [desk('offers', 'flat=950 share of 10=900')],
    after: [desk('offers', 'flat rate=900 share of 10=900')],
  },
  {
    id: 'old-pointer',
    name: 'a function behind a pointer stored at the start; the pointer stays equal',
    action: once(OFFERS, ['cents + 1\n', 'cents + 7\n']),
    expect: ['patched'],
    before: [desk('steps', '11 10 same=true')],
    after: [desk('steps', '17 10 same=true')],
  },
  {
    id: 'old-closure',
    name: 'a boxed closure made at the start',
    action: once(OFFERS, ['|cents| cents + bonus)', '|cents| cents + bonus * 2)']),
    expect: ['patched'],
    before: [desk('callbacks', '12 30')],
    after: [desk('callbacks', '14 50')],
  },
  {
    id: 'loop-thread',
    name: 'three threads in a loop that never returns',
    action: once(CLOCK, ['store(1, Relaxed)', 'store(7, Relaxed)']),
    expect: ['patched'],
    before: [desk('clock', /paces=1,1,1 /)],
    after: [desk('clock', /paces=7,7,7 /, 2000)],
    functions: { 'clock::tick': 'redirected' },
    only: true,
    inLoop: true,
  },
];
