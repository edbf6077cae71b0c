//! The moment at which a transaction becomes live: all cells are written while threads run.
//!
//! Usual way, the order in which the Linux kernel changes its own text: a one-byte breakpoint closes each entry; then
//! every thread is seen outside of the bytes to be changed (once is enough, nothing gets in any more); then the bytes
//! behind the first; then the first. A thread that comes to a closed entry waits in the breakpoint's handler and then
//! starts at the entry anew, so none runs new code before every entry is changed. Where breakpoints cannot be used (a
//! debugger is attached, or a thread blocks SIGTRAP, which would kill it) all running threads are held instead.

use super::memory::serialise_cores;
use super::syscalls::futex;
use super::threads::{self, action_of, Lookout};
use crate::cell::{guards, Cell};
use crate::forks;
use crate::waiting::wait_until;
use libc::{SIGTRAP, SIG_DFL, SIG_IGN};
use std::ptr::{addr_of, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Whether the entry in a cell is closed by a breakpoint while its other bytes change. Not where nobody may stand even at
/// the first byte: a thread that waited there would start anew in the middle of something else.
fn is_closed(cell: &Cell) -> bool {
    let guards_first = cell.guard.0 <= cell.address && cell.address < cell.guard.1;
    cell.is_code() && cell.old.len() > 1 && !guards_first
}

const BREAKPOINT: u8 = 0xcc;
/// How long threads may take to come out of the bytes to be changed.
const LIMIT: Duration = Duration::from_secs(2);
/// The entries that the newest commit has closed. Never freed, as a handler may be about to look: so a change of the
/// pointer also shows that the entries have changed meanwhile.
static CLOSED: AtomicPtr<Vec<usize>> = AtomicPtr::new(null_mut());
/// 1 while entries are closed: threads that come to one wait on this.
static ARMED: AtomicU32 = AtomicU32::new(0);

/// Writes all cells, or none; for how many nanoseconds threads were held.
pub fn commit(cells: &[Cell], lookout: &mut Lookout) -> Result<u64, String> {
    if !cells.iter().any(Cell::is_code) {
        cells.iter().for_each(|cell| cell.write(0, &cell.new));
        return Ok(0);
    }
    let guards = guards(cells);
    threads::prepare_signal().then_some(()).ok_or("the program uses all real-time signals")?;
    // A child forked in between would keep the breakpoints.
    if !forks::pause(LIMIT) {
        forks::resume();
        return Err("a fork is under way and does not end".into());
    }
    let start = Instant::now();
    // A thread may block SIGTRAP only in passing, while it makes a thread or a process.
    let breakpoints = wait_until(Duration::from_millis(5), Duration::from_micros(200), threads::all_take_traps);
    let way = if breakpoints { commit_by_breakpoints } else { commit_by_holding };
    let done = way(cells, &guards, lookout);
    let held = start.elapsed();
    forks::resume();
    let failed = || format!("after {} ms a thread was not seen outside of the bytes to be changed", held.as_millis());
    done.then_some(held.as_nanos() as u64).ok_or_else(failed)
}

fn commit_by_breakpoints(cells: &[Cell], guards: &[(u64, u64)], lookout: &mut Lookout) -> bool {
    let closed = || cells.iter().filter(|cell| is_closed(cell));
    if !is_installed() {
        unsafe { PREVIOUS = action_of(SIGTRAP) };
        threads::set_handler(SIGTRAP, on_breakpoint);
    }
    CLOSED.store(Box::into_raw(Box::new(closed().map(|cell| cell.address as usize).collect())), SeqCst);
    ARMED.store(1, SeqCst);
    closed().for_each(|cell| cell.write(0, &[BREAKPOINT]));
    serialise_cores();
    let seen = guards.is_empty() || lookout.see_all_outside(guards, Instant::now() + LIMIT);
    if seen {
        for cell in cells.iter().filter(|cell| cell.is_code()) {
            let from = usize::from(is_closed(cell));
            cell.write(from, &cell.new[from..]);
        }
        serialise_cores();
        closed().for_each(|cell| cell.write(0, &cell.new[..1]));
        cells.iter().filter(|cell| !cell.is_code()).for_each(|cell| cell.write(0, &cell.new));
    } else {
        closed().for_each(|cell| cell.write(0, &cell.old[..1]));
    }
    serialise_cores();
    ARMED.store(0, SeqCst);
    futex(&ARMED, libc::FUTEX_WAKE, i32::MAX as u32);
    seen
}

fn commit_by_holding(cells: &[Cell], guards: &[(u64, u64)], lookout: &mut Lookout) -> bool {
    let held = lookout.hold_all_outside(guards, Instant::now() + LIMIT);
    if held {
        cells.iter().for_each(|cell| cell.write(0, &cell.new));
        serialise_cores();
    }
    threads::release();
    held
}

/// What SIGTRAP did before. Only the agent's thread writes it, and only while our handler is not installed.
static mut PREVIOUS: libc::sigaction = unsafe { std::mem::zeroed() };

fn is_installed() -> bool {
    action_of(SIGTRAP).sa_sigaction == on_breakpoint as *const () as usize
}

/// Takes the breakpoint's handler away again, once no thread can be on its way into it. True when it is gone.
pub fn settle(lookout: &mut Lookout) -> bool {
    if !is_installed() {
        return true;
    }
    let alone = threads::prepare_signal() && lookout.see_all_outside(&[], Instant::now() + LIMIT);
    // Not one that the program has set meanwhile.
    alone && (!is_installed() || unsafe { libc::sigaction(SIGTRAP, addr_of!(PREVIOUS), null_mut()) == 0 })
}

unsafe extern "C" fn on_breakpoint(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // A breakpoint instruction, and nothing else, comes with this code.
    const SI_KERNEL: i32 = 0x80;
    let rip = &mut (*(context as *mut libc::ucontext_t)).uc_mcontext.gregs[libc::REG_RIP as usize];
    let entry = (*rip as usize).wrapping_sub(1);
    if (*info).si_code != SI_KERNEL || is_foreign(entry) {
        return forward(signal, info, context);
    }
    // Set first: whoever looks at this thread meanwhile finds it at the entry, not behind it.
    *rip = entry as i64;
    // Not where the breakpoint has been taken away since.
    while (entry as *const u8).read_volatile() == BREAKPOINT && ARMED.load(SeqCst) == 1 {
        futex(&ARMED, libc::FUTEX_WAIT, 1);
    }
}

/// Whether a breakpoint is none of ours; a place without one (any more) is not foreign.
unsafe fn is_foreign(entry: usize) -> bool {
    loop {
        let closed = CLOSED.load(SeqCst);
        match (entry as *const u8).read_volatile() {
            BREAKPOINT if closed.as_ref().is_some_and(|closed| closed.contains(&entry)) => return false,
            BREAKPOINT if CLOSED.load(SeqCst) == closed => return true,
            BREAKPOINT => (),
            // `int 3` in two bytes is never ours.
            0x03 => return *(entry as *const u8).sub(1) == 0xcd,
            _ => return false,
        }
    }
}

/// A trap of the program's own goes where it would have gone without us.
unsafe fn forward(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let handler = addr_of!(PREVIOUS).read_volatile().sa_sigaction;
    let sent = (*info).si_code <= 0;
    if handler == SIG_DFL || (handler == SIG_IGN && !sent) {
        // Ends the program as the trap itself would have, as soon as this handler returns.
        libc::signal(signal, SIG_DFL);
        libc::raise(signal);
    } else if handler != SIG_IGN {
        // The kernel gives these three to every handler, also to one that was set without SA_SIGINFO.
        std::mem::transmute::<usize, threads::Handler>(handler)(signal, info, context);
    }
}
