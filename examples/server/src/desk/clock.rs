//! The clock: three hands, each a thread in a loop that never returns, each with a thread-local count of its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

const HANDS: usize = 3;

pub static TICKS: AtomicU64 = AtomicU64::new(0);
static PACES: [AtomicU64; HANDS] = [const { AtomicU64::new(0) }; HANDS];
static OWN: [AtomicU64; HANDS] = [const { AtomicU64::new(0) }; HANDS];

thread_local! {
    static TURNS: Cell<u64> = const { Cell::new(100) };
}

/// Starts the hands.
pub fn start() {
    for hand in 0..HANDS {
        thread::Builder::new().name(format!("hand {hand}")).spawn(move || turn(hand)).expect("a hand starts");
    }
}

fn turn(hand: usize) -> ! {
    loop {
        tick(hand);
        thread::sleep(Duration::from_millis(5));
    }
}

// region tick
fn tick(hand: usize) {
    TICKS.fetch_add(1, Relaxed);
    TURNS.with(|turns| turns.set(turns.get() + 1));
    OWN[hand].store(TURNS.with(Cell::get), Relaxed);
    PACES[hand].store(1, Relaxed);
}
// endregion

/// Ticks of all hands, what pace each hand last went at, and each hand's own thread-local count.
pub fn read() -> String {
    let list =
        |from: &[AtomicU64; HANDS]| from.iter().map(|n| n.load(Relaxed).to_string()).collect::<Vec<_>>().join(",");
    format!("ticks={} paces={} turns={}", TICKS.load(Relaxed), list(&PACES), list(&OWN))
}
