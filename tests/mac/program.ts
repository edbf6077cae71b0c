// The program that the claims are shown on, and its versions: each is one save. It says a line with its pid, a count and
// words, a hundred times a second, while other threads call what is edited.

/** What a version has otherwise than the first. */
export interface Version {
  /** The body of the function that gives the words. */
  readonly word?: string;
  /** Functions and statics beside it. */
  readonly more?: string;
  /** The body of the function that all threads call all the time; its argument is `turn`. */
  readonly work?: string;
  /** Fields of a type whose values live. */
  readonly fields?: string;
}

/** How many threads call the edited function all the time. */
export const WORKERS = 4;

/** The source of a version. */
export function programSource({ word, more = '', work, fields = 'pub made: u64' }: Version = {}): string {
  return `use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

static SAVED: AtomicU64 = AtomicU64::new(40);
static DROPPED: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);
static KEPT: Mutex<Vec<Ticket>> = Mutex::new(Vec::new());
thread_local!(static OWN: Cell<u64> = const { Cell::new(7) });

#[derive(Clone, Default)]
pub struct Ticket {
    ${fields},
}

struct Guard;
impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Relaxed);
    }
}

#[inline(never)]
fn helper(number: u64) -> u64 {
    number + OWN.get()
}

/// Gives back twice what it is given in every version.
#[inline(never)]
fn work(turn: u64) -> u64 {
    ${work ?? 'turn + turn'}
}

fn worker() {
    for turn in 0u64.. {
        if work(turn) != turn * 2 {
            WRONG.fetch_add(1, Relaxed);
        }
        // Something is left for those who compile.
        if turn % 1024 == 0 {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}
${more}
#[inline(never)]
fn word(count: u64) -> String {
    ${word ?? 'format!("first {}", helper(count - count))'}
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    (0..${WORKERS}).for_each(|_| drop(std::thread::spawn(worker)));
    KEPT.lock().unwrap().push(Ticket::default());
    // Statics that are only read in patches must be there.
    std::hint::black_box((&SAVED, &WRONG, Guard));
    for count in 0u64.. {
        println!("{} {count} {}", std::process::id(), word(count));
        std::thread::sleep(Duration::from_millis(10));
    }
}
`;
}
