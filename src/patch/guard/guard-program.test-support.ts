// A small Rust program with values of many shapes, for the tests of the guard.

/** The program before the edits. */
export const SHAPES_PROGRAM = `
use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
struct Ticket {
    number: u32,
    open: bool,
    cents: u64,
}

struct Pair(u16, u16);

struct Balance {
    left: u16,
    right: u16,
}

struct Order {
    ticket: Ticket,
    note: &'static str,
}

struct Ledger {
    orders: Vec<Order>,
    next: Option<Box<Ledger>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Colour {
    Red,
    Green,
}

#[derive(Debug)]
enum Event {
    Open,
    Paid(u32),
    Sent { by: Option<Box<u8>> },
}

struct Meter {
    small: Option<NonZeroU32>,
    table: [u8; 4],
}

trait Shape {
    fn area(&self) -> u32;
    fn name(&self) -> &'static str {
        "shape"
    }
}

struct Square(u32);
impl Shape for Square {
    fn area(&self) -> u32 {
        self.0.wrapping_mul(self.0)
    }
}

struct Wrapper<T> {
    inner: T,
    count: u8,
}

static TICKETS: Mutex<Vec<Ticket>> = Mutex::new(Vec::new());
static mut LEVEL: u32 = 7;
thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(3) };
}

impl Order {
    fn total(&self) -> u64 {
        self.ticket.cents
    }
}

fn book(number: u32) -> usize {
    let mut tickets = TICKETS.lock().unwrap();
    tickets.push(Ticket { number, open: true, cents: 450 });
    println!("{:?}", tickets.last());
    tickets.len()
}

fn ledger(depth: u32) -> Ledger {
    let order = Order { ticket: Ticket { number: depth, open: false, cents: 1 }, note: "x" };
    Ledger { orders: vec![order], next: (depth > 0).then(|| Box::new(ledger(depth - 1))) }
}

fn sum(ledger: &Ledger) -> u64 {
    ledger.orders.iter().map(Order::total).sum::<u64>() + ledger.next.as_deref().map_or(0, sum)
}

fn colours() -> (Option<Colour>, Colour) {
    (black_box(Some(Colour::Red)), black_box(Colour::Green))
}

fn events() -> Vec<Event> {
    vec![Event::Open, Event::Paid(black_box(3)), Event::Sent { by: None }]
}

fn meter() -> Meter {
    Meter { small: NonZeroU32::new(black_box(0)), table: [1, 2, 3, 4] }
}

fn pair() -> Pair {
    Pair(black_box(1), 2)
}

fn balance() -> Balance {
    Balance { left: black_box(1), right: 2 }
}

fn wrapped() -> (Wrapper<u32>, Wrapper<Pair>) {
    (Wrapper { inner: 5, count: 1 }, Wrapper { inner: pair(), count: 2 })
}

fn apply(f: &dyn Fn(u32) -> u32, k: u32) -> u32 {
    f(k)
}

fn closures(k: u32, other: u64) -> u32 {
    let add = |x: u32| x.wrapping_add(k);
    apply(&add, k).wrapping_add(black_box(other) as u32)
}

struct Pause(bool);
impl Future for Pause {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        Poll::Pending
    }
}

async fn handler(k: u32) -> u32 {
    let before = black_box(k);
    Pause(false).await;
    black_box(before)
}

fn run(mut future: Pin<Box<dyn Future<Output = u32>>>) -> u32 {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

fn main() {
    let shape: Box<dyn Shape> = Box::new(Square(black_box(2)));
    println!("{} {} {}", shape.area(), shape.name(), book(1));
    println!("{} {:?} {:?}", sum(&ledger(2)), colours(), events());
    let meter = meter();
    println!("{:?} {:?} {}", meter.small, meter.table, pair().0 + pair().1);
    println!("{} {}", balance().left, balance().right);
    let (first, second) = wrapped();
    println!("{} {} {} {}", first.inner, first.count, second.inner.0, second.count);
    println!("{} {}", closures(1, 2), run(Box::pin(handler(3))));
    unsafe { LEVEL += 1 };
    println!("{} {}", unsafe { LEVEL }, DEPTH.with(Cell::get));
}
`;
