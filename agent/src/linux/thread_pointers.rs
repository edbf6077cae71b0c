//! Where other threads have their thread-locals: thread pointers (x86-64 psABI, TLS variant II), found without disturbing
//! the threads. No call tells them, so this knows how each C library keeps its threads, and checks what it finds.

use super::memory;
use std::arch::asm;

/// The calling thread's.
pub fn own() -> u64 {
    let pointer: u64;
    unsafe { asm!("mov {}, qword ptr fs:[0]", out(reg) pointer, options(nostack, readonly)) };
    pointer
}

/// The word at `address`, where there is one.
fn word(address: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    memory::read(address, &mut bytes).then(|| u64::from_le_bytes(bytes))
}

#[cfg(not(target_env = "musl"))]
mod way {
    use super::super::syscalls::call;
    use super::super::threads;
    use super::word;
    use crate::waiting::wait_until;
    use std::time::Duration;

    const NAP: Duration = Duration::from_micros(50);

    /// The head of a thread's list of robust mutexes lies inside glibc's record of that thread, which the thread pointer
    /// points to: at the same distance in all threads. Asking for it does not disturb the thread.
    pub struct ThreadPointers {
        distance: u64,
    }

    impl ThreadPointers {
        pub fn find() -> Option<Self> {
            robust_list(0).map(|list| ThreadPointers { distance: list.wrapping_sub(super::own()) })
        }

        /// None for threads that have ended, have no user code at all (io_uring's workers), or were not made by the C
        /// library, as far as can be told by waiting: a new thread registers its list first thing.
        pub fn of(&self, thread: i32) -> Option<u64> {
            let mut list = None;
            wait_until(Duration::from_millis(200), NAP, || {
                list = robust_list(thread);
                list.is_some() || threads::look(thread) == Some(0)
            });
            let pointer = list?.wrapping_sub(self.distance);
            // A thread pointer points to itself: tells another C library's list apart.
            (word(pointer) == Some(pointer)).then_some(pointer)
        }
    }

    fn robust_list(thread: i32) -> Option<u64> {
        let (mut head, mut length) = (0u64, 0usize);
        let arguments = [thread as usize, &mut head as *mut _ as usize, &mut length as *mut _ as usize];
        let result = unsafe { call(libc::SYS_get_robust_list, arguments) };
        (result == 0 && head != 0).then_some(head)
    }
}

#[cfg(target_env = "musl")]
mod way {
    use super::super::syscalls::call;
    use super::super::threads;
    use super::word;
    use std::collections::HashMap;

    // `struct pthread` of musl since 1.1.22 (src/internal/pthread_impl.h): self, dtv, prev, next, sysinfo, canary, tid.
    const PREVIOUS: u64 = 16;
    const NEXT: u64 = 24;
    const THREAD: u64 = 48;
    /// More than the lookout's: whatever is longer is no list.
    const LONGEST: usize = 1 << 16;
    /// How often the list is read while threads come and go.
    const TRIES: usize = 100;

    /// musl keeps its threads in a ring. It is read as it is, without its lock: a ring that does not hold together, as
    /// a thread was just put in or taken out, or that lacks one which is alive, is read again.
    pub struct ThreadPointers {
        by_thread: HashMap<i32, u64>,
    }

    impl ThreadPointers {
        pub fn find() -> Option<Self> {
            (0..TRIES).find_map(|_| {
                let by_thread = ring()?;
                let mut whole = true;
                threads::each_thread(|thread| {
                    whole &= by_thread.contains_key(&thread) || threads::look(thread) == Some(0);
                });
                if !whole {
                    std::thread::yield_now();
                }
                whole.then_some(ThreadPointers { by_thread })
            })
        }

        pub fn of(&self, thread: i32) -> Option<u64> {
            // It may have ended since, and its memory may be another's.
            let is_there = |at: &u64| word(*at) == Some(*at) && name(*at) == Some(thread);
            self.by_thread.get(&thread).copied().filter(is_there)
        }
    }

    /// The number of the thread whose record is there.
    fn name(at: u64) -> Option<i32> {
        word(at + THREAD).map(|word| word as i32)
    }

    fn ring() -> Option<HashMap<i32, u64>> {
        let (start, mut at) = (super::own(), super::own());
        let mut found = HashMap::new();
        loop {
            let next = word(at + NEXT)?;
            // Every thread pointer points to itself, and both neighbours know each other.
            (word(at)? == at && word(next + PREVIOUS)? == at && found.len() < LONGEST).then_some(())?;
            found.insert(name(at)?, at);
            at = next;
            if at == start {
                let own = unsafe { call(libc::SYS_gettid, []) } as i32;
                return found.contains_key(&own).then_some(found);
            }
        }
    }
}

/// The thread pointers of all threads but the calling one, as of [`ThreadPointers::find`].
pub use way::ThreadPointers;
