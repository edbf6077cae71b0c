//! Threads of all kinds around a few functions that are patched again and again (`work.rs`). Everything that the test
//! wants to know stands in one static, which it reads from outside: no thread is disturbed by being asked. Plain rustc
//! builds it. It ends with its standard input.
mod work;

use std::hint::black_box;
use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Barrier;

/// Slots: 0 to 7 the hot threads', 8 that of the thread in `run`.
#[repr(C)]
struct Board {
    /// The newest number that each slot's thread got.
    seen: [AtomicU32; 9],
    /// System calls that ended with EINTR.
    interrupted: AtomicU32,
    /// System calls that waited and ended otherwise.
    waited: AtomicU32,
    /// A number was lower than the one before it in the same thread.
    backwards: AtomicU32,
}

static BOARD: Board = Board {
    seen: [const { AtomicU32::new(0) }; 9],
    interrupted: AtomicU32::new(0),
    waited: AtomicU32::new(0),
    backwards: AtomicU32::new(0),
};

const BLOCKED: usize = 50;
static READY: Barrier = Barrier::new(BLOCKED + 1);

#[repr(C)]
struct Timespec(i64, i64);

extern "C" {
    fn pipe(ends: *mut i32) -> i32;
    fn read(file: i32, into: *mut u8, length: usize) -> isize;
    fn epoll_create1(flags: i32) -> i32;
    fn epoll_wait(file: i32, events: *mut u8, count: i32, timeout: i32) -> i32;
    fn nanosleep(time: *const Timespec, rest: *mut Timespec) -> i32;
    fn syscall(number: i64, ...) -> i64;
}

const FUTEX: i64 = 202;
const FUTEX_WAIT_PRIVATE: i32 = 128;

/// What a patched function gives its number to.
#[inline(never)]
pub fn pass(number: u32) -> u32 {
    black_box(number)
}

/// The same by way of memory, text and a `Result`.
#[inline(never)]
pub fn in_words(number: u32) -> u32 {
    format!("{}", pass(number)).parse().unwrap()
}

#[inline(never)]
pub fn publish(slot: usize, number: u32) {
    let before = BOARD.seen[slot].swap(number, SeqCst);
    if number < before {
        BOARD.backwards.fetch_add(1, SeqCst);
    }
}

/// Sleeps by the system call itself: the standard library hides EINTR.
#[inline(never)]
pub fn nap() {
    count(unsafe { nanosleep(&Timespec(0, 4_000_000), std::ptr::null_mut()) } as i64);
}

fn count(result: i64) {
    if result < 0 && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted {
        BOARD.interrupted.fetch_add(1, SeqCst);
    } else {
        BOARD.waited.fetch_add(1, SeqCst);
    }
}

fn block(kind: usize) {
    READY.wait();
    let mut room = [0u8; 64];
    let never = AtomicU32::new(0);
    loop {
        count(unsafe {
            match kind % 4 {
                0 => {
                    let mut ends = [0; 2];
                    pipe(ends.as_mut_ptr());
                    read(ends[0], room.as_mut_ptr(), 1) as i64
                }
                1 => epoll_wait(epoll_create1(0), room.as_mut_ptr(), 1, -1) as i64,
                2 => nanosleep(&Timespec(1_000_000, 0), std::ptr::null_mut()) as i64,
                _ => syscall(FUTEX, never.as_ptr(), FUTEX_WAIT_PRIVATE, 0, 0usize),
            }
        });
    }
}

fn main() {
    for kind in 0..BLOCKED {
        std::thread::spawn(move || block(kind));
    }
    READY.wait();
    for (slot, hot) in work::HOT.iter().enumerate() {
        std::thread::spawn(move || loop {
            publish(slot, hot());
        });
    }
    std::thread::spawn(|| work::run());
    println!("{:x} {}", &raw const BOARD as usize, in_words(BLOCKED as u32));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
