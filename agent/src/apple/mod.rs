//! Apple's systems on x86_64 and arm64: all that the rest of the agent leaves to the system. The same names are in
//! `linux/mod.rs`. Patches come as libraries only, and thread-locals with them; beside the program is only mapped what jumps
//! over its entries lead through.

pub mod c_library;
pub mod commit;
pub mod images;
pub mod library_file;
mod mach;
pub mod memory;
pub mod thread_locals;
pub mod threads;
pub mod unwinder;

use crate::connection::Abilities;
use crate::startup;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Libraries that the loader puts into every program, and what is between them (dyld(1)).
pub const PRELOAD: &str = "DYLD_INSERT_LIBRARIES";
pub const PRELOAD_SEPARATORS: [char; 1] = [':'];

pub fn abilities() -> Abilities {
    Abilities { pages: false, libraries: true, code: memory::can_write_code() == Some(true) }
}

/// At the end of the agent's constructor, which runs before those of the program: the loader calls `main` by itself, so
/// nothing later is told to the agent. Its thread waits for the loader wherever that is not done yet.
pub fn loaded() {
    startup::start_thread(false);
}

/// First thing in the agent's thread.
pub fn begin_thread() {}

/// False where the system has no random bytes.
pub fn fill_with_chance(bytes: &mut [u8]) -> bool {
    unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) == 0 }
}

/// Sleeps while a word has some value, until [`wake_all`]; may come back before (the caller looks again). The system has
/// no public call for it before macOS 14.4.
pub fn wait_while(_: &AtomicU32, _: u32) {
    std::thread::sleep(Duration::from_micros(50));
}

/// Nobody waits for longer than a nap.
pub fn wake_all(_: &AtomicU32) {}

pub fn after_fork_in_child() {
    library_file::forget();
}
