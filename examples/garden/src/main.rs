//! A water garden in the terminal: every fish is a thread, the weed sways, bubbles rise.
//!
//! Run it with `npx ipbp run` in this directory, then edit `src/paint.rs` or `src/fish.rs` and save: the garden goes
//! on with the same fish at the same place, and the new code. There is nothing of ipbp in this program.
//!
//! Where the output is no terminal, it prints a line of plain text four times a second instead.

mod bubbles;
mod canvas;
mod fish;
mod paint;
mod weather;

use std::io::{IsTerminal, stdout};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Counts the frames since the program started. It starts again at 1 only when the program does.
static TICK: AtomicU64 = AtomicU64::new(0);

fn main() {
    fish::release(7);
    weather::begin();
    let seen = stdout().is_terminal();
    if seen {
        canvas::make_room();
    }
    loop {
        let tick = TICK.fetch_add(1, Relaxed) + 1;
        bubbles::rise(tick);
        if seen {
            paint::scene(tick).show();
        } else if tick.is_multiple_of(3) {
            println!("{}", paint::status_text(tick));
        }
        thread::sleep(Duration::from_millis(80));
    }
}
