//! Holding all threads of the program but the agent's, outside of the bytes that are to be changed.

use super::mach::{self, Port};
use std::time::{Duration, Instant};

/// Most threads that a program may have.
const SLOTS: usize = 4096;

/// Suspends threads, allocating nothing: one of them may be in the middle of that.
pub struct Lookout {
    held: Vec<Port>,
    /// How often some thread stood inside a guard.
    pub retries: u32,
}

impl Lookout {
    pub fn new() -> Self {
        Lookout { held: Vec::with_capacity(SLOTS), retries: 0 }
    }

    /// Waits until every other thread is held, none of them inside a guard. [`Lookout::release`] must follow, also after
    /// false (not before `deadline`). A thread that is blocked in the kernel stays so and sees nothing of it: run in our
    /// loader, not run on a Mac.
    pub fn hold_all_outside(&mut self, guards: &[(u64, u64)], deadline: Instant) -> bool {
        loop {
            let inside = |pc: u64| guards.iter().any(|(from, to)| pc >= *from && pc < *to);
            let all = self.hold_all();
            if all && !self.held.iter().any(|thread| mach::program_counter(*thread).is_some_and(inside)) {
                return true;
            }
            self.release();
            self.retries += 1;
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_micros(u64::from(20 + 10 * (self.retries % 16))));
        }
    }

    /// False when there are more threads than slots, or the system does not list them.
    fn hold_all(&mut self) -> bool {
        let own = mach::own_thread();
        // Listed again until nobody new is there: one that was not held yet may have made others.
        let mut fresh = true;
        let mut listed = true;
        while fresh && listed {
            fresh = false;
            listed = mach::each_thread(|thread| {
                if thread == own || self.held.contains(&thread) || self.held.len() == SLOTS || !mach::suspend(thread) {
                    mach::release(thread);
                } else {
                    self.held.push(thread);
                    fresh = true;
                }
            });
        }
        mach::release(own);
        listed && self.held.len() < SLOTS
    }

    /// Lets all go on that are held.
    pub fn release(&mut self) {
        for thread in self.held.drain(..) {
            mach::resume(thread);
            mach::release(thread);
        }
    }
}
