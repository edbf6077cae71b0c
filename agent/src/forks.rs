//! Forks of the program: none happens while cells are being written, and the child keeps nothing of the agent.

use crate::platform;
use crate::startup::CONNECTION;
use crate::waiting::wait_until;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

/// 1 while a commit is under way: forks wait on this.
static COMMITTING: AtomicU32 = AtomicU32::new(0);
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Once, when the agent comes into the program.
pub fn watch() {
    unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) };
}

/// Keeps new forks waiting until [`resume`], and waits for those under way. False when one does not end in time.
pub fn pause(limit: Duration) -> bool {
    COMMITTING.store(1, SeqCst);
    wait_until(limit, Duration::from_micros(50), || FORKS.load(SeqCst) == 0)
}

pub fn resume() {
    COMMITTING.store(0, SeqCst);
    platform::wake_all(&COMMITTING);
}

unsafe extern "C" fn before() {
    FORKS.fetch_add(1, SeqCst);
    while COMMITTING.load(SeqCst) == 1 {
        FORKS.fetch_sub(1, SeqCst);
        platform::wait_while(&COMMITTING, 1);
        FORKS.fetch_add(1, SeqCst);
    }
}

unsafe extern "C" fn after_in_parent() {
    FORKS.fetch_sub(1, SeqCst);
}

/// The child has no agent thread. While the connection is open in it, the host does not see the program's end.
unsafe extern "C" fn after_in_child() {
    FORKS.store(0, SeqCst);
    unsafe { libc::close(CONNECTION.swap(-1, SeqCst)) };
    platform::after_fork_in_child();
}
