//! Waiting for something by looking again and again.

use std::time::{Duration, Instant};

/// Naps until it is `done`; false when it is not after `limit`.
pub fn wait_until(limit: Duration, nap: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(nap);
    }
    true
}
