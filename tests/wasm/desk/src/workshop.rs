//! What an edit can meet in a module besides the desk: recursion, coins of several kinds, things that are dropped, futures
//! that wait, values of an unknown type, what the host gives. `// region …` marks what the edit matrix replaces.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    fn weather(day: u32) -> u32;
}

#[inline(never)]
pub fn answer(question: &str) -> String {
    match question {
        "depth" => depth(5).to_string(),
        "taxed" => format!("{} {}", taxed(1000), taxed_twice(1000)),
        "purse" => purse(),
        "shelf" => shelf(),
        "clear" => clear(),
        "begin" => begin(),
        "go-on" => go_on(),
        "unknown" => unknown(),
        "outlook" => outlook(),
        "share" => share(),
        "wide" => wide(7),
        "hand" => hand(),
        "late" => late(7),
        _ => String::new(),
    }
}

// region depth
fn depth(n: u64) -> u64 {
    if n == 0 { 0 } else { 1 + depth(n - 1) }
}
// endregion

// region rate
const RATE: u64 = 20;
// endregion

// region with-tax
#[inline(always)]
fn with_tax(cents: u64) -> u64 {
    cents + cents * RATE / 100
}
// endregion

fn taxed(cents: u64) -> u64 {
    with_tax(cents)
}

fn taxed_twice(cents: u64) -> u64 {
    with_tax(with_tax(cents))
}

// region coin
#[derive(Clone, Copy)]
enum Coin {
    Penny,
    Shilling(u32),
}
// endregion

static PURSE: Mutex<Vec<Coin>> = Mutex::new(Vec::new());

// region worth
fn worth(coin: Coin) -> u32 {
    match coin {
        Coin::Penny => 1,
        Coin::Shilling(count) => 12 * count,
    }
}
// endregion

/// Two coins more, and what all of them are worth.
fn purse() -> String {
    let mut coins = PURSE.lock().unwrap();
    coins.extend([Coin::Penny, Coin::Shilling(2)]);
    coins.iter().map(|coin| worth(*coin)).sum::<u32>().to_string()
}

static THROWN: AtomicU64 = AtomicU64::new(0);

struct Pot(u64);

// region throw
impl Drop for Pot {
    fn drop(&mut self) {
        THROWN.fetch_add(self.0, Relaxed);
    }
}
// endregion

static SHELF: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());

fn shelf() -> String {
    let mut shelf = SHELF.lock().unwrap();
    shelf.push(Box::new(vec![Pot(1), Pot(2)]));
    format!("{} on it", shelf.len())
}

fn clear() -> String {
    SHELF.lock().unwrap().clear();
    format!("{} thrown", THROWN.load(Relaxed))
}

/// Lets a traveller wait until the gate is open.
struct Gate;

static OPEN: AtomicBool = AtomicBool::new(false);

impl Future for Gate {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context) -> Poll<()> {
        if OPEN.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }
}

type Journey = Pin<Box<dyn Future<Output = String> + Send>>;
static JOURNEYS: Mutex<Vec<Journey>> = Mutex::new(Vec::new());

// region travel
async fn travel(from: u64) -> String {
    Gate.await;
    format!("from {from}")
}
// endregion

fn begin() -> String {
    OPEN.store(false, Relaxed);
    let mut journey: Journey = Box::pin(travel(7));
    let _ = journey.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let mut all = JOURNEYS.lock().unwrap();
    all.push(journey);
    format!("{} wait", all.len())
}

fn go_on() -> String {
    OPEN.store(true, Relaxed);
    let mut told = Vec::new();
    for mut journey in std::mem::take(&mut *JOURNEYS.lock().unwrap()) {
        match journey.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(text) => told.push(text),
            Poll::Pending => told.push(String::from("waits")),
        }
    }
    told.join(", ")
}

struct Ball {
    colour: &'static str,
}

static FOUND: Mutex<Option<Box<dyn Any + Send>>> = Mutex::new(None);

// region unknown
/// Put there by whichever code runs first, told by whichever runs now.
fn unknown() -> String {
    let mut found = FOUND.lock().unwrap();
    let any = found.get_or_insert_with(|| Box::new(Ball { colour: "red" }));
    any.downcast_ref::<Ball>().map_or(String::from("lost"), |ball| ball.colour.to_string())
}
// endregion

// region outlook
fn outlook() -> String {
    format!("{} degrees", unsafe { weather(1) })
}
// endregion

// region portion
fn portion(cents: u64) -> u64 {
    cents / 3
}
// endregion

// region share
fn share() -> String {
    portion(900).to_string()
}
// endregion

// region wide
fn wide(n: u64) -> String {
    n.to_string()
}
// endregion

thread_local! {
    static HAND: Cell<u64> = const { Cell::new(50) };
}

// region hand
fn hand() -> String {
    HAND.with(|hand| hand.set(hand.get() + 1));
    HAND.with(Cell::get).to_string()
}
// endregion

// region late
fn late(minutes: u64) -> String {
    format!("{minutes} minutes")
}
// endregion
