//! Linux on x86_64: all that the rest of the agent leaves to the system. The same names are in `apple/mod.rs`.

pub mod c_library;
pub mod commit;
pub mod images;
pub mod library_file;
pub mod memory;
mod syscalls;
pub mod thread_locals;
mod thread_pointers;
pub mod threads;
pub mod unwinder;

use crate::connection::Abilities;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Libraries that the loader puts into every program, and what is between them (ld.so(8)).
pub const PRELOAD: &str = "LD_PRELOAD";
pub const PRELOAD_SEPARATORS: [char; 2] = [':', ' '];

pub fn abilities() -> Abilities {
    Abilities { pages: true, libraries: cfg!(not(feature = "linked")), code: true }
}

/// At the end of the agent's constructor. Its thread starts later: see [`c_library`].
pub fn loaded() {}

/// First thing in the agent's thread.
pub fn begin_thread() {
    // Naps of some microseconds are meant as such.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
}

/// False where the system has no random bytes.
pub fn fill_with_chance(bytes: &mut [u8]) -> bool {
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) == bytes.len() as isize }
}

/// Sleeps while `word` is `value`, until [`wake_all`]; may come back before (the caller looks again).
pub fn wait_while(word: &AtomicU32, value: u32) {
    syscalls::futex(word, libc::FUTEX_WAIT, value);
}

pub fn wake_all(word: &AtomicU32) {
    syscalls::futex(word, libc::FUTEX_WAKE, i32::MAX as u32);
}

/// The memory file would still be the parent's memory.
pub fn after_fork_in_child() {
    syscalls::close(memory::MEMORY_FILE.swap(-1, SeqCst) as isize);
}
