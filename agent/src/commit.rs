//! The moment at which a transaction becomes live: all cells are written while threads run.
//!
//! Usual way, the order in which the Linux kernel changes its own text: a one-byte breakpoint closes each entry; then
//! every thread is seen outside of the bytes to be changed (once is enough, nothing gets in any more); then the bytes
//! behind the first; then the first. A thread that comes to a closed entry waits in the breakpoint's handler and then
//! starts at the entry anew, so none runs new code before every entry is changed. Where breakpoints cannot be used (a
//! debugger is attached, or a thread blocks SIGTRAP, which would kill it) all running threads are held instead.

use crate::syscalls::{futex_wait, futex_wake, nap, now};
use crate::threads::{self, Lookout};
use crate::{memory, startup};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst};

/// A change of bytes, checked and ready.
pub struct Cell {
    pub address: u64,
    pub old: Vec<u8>,
    pub new: Vec<u8>,
    /// No thread may stand at these addresses; empty when start ≥ end.
    pub guard: (u64, u64),
    /// Rights of the pages it lies in.
    pub protection: i32,
}

impl Cell {
    fn is_code(&self) -> bool {
        self.protection & libc::PROT_EXEC != 0
    }

    /// Whether its entry is closed by a breakpoint while its other bytes change. Not where nobody may stand even at the
    /// first byte: a thread that waited there would start anew in the middle of something else.
    fn is_closed(&self) -> bool {
        let guards_first = self.guard.0 <= self.address && self.address < self.guard.1;
        self.is_code() && self.old.len() > 1 && !guards_first
    }
}

/// What a commit took.
pub struct Committed {
    pub retries: u32,
    pub held: u64,
}

const BREAKPOINT: u8 = 0xcc;
/// How long threads may take to come out of the bytes to be changed.
const LIMIT: u64 = 2_000_000_000;
/// How long to wait for a thread that blocks SIGTRAP only in passing (while it makes a thread or a process).
const MASK_PATIENCE: u64 = 5_000_000;
/// Breakpoints at a time; a transaction with more entries holds the threads instead.
const MAX_CLOSED: usize = 8192;

static CLOSED: [AtomicU64; MAX_CLOSED] = [const { AtomicU64::new(0) }; MAX_CLOSED];
static CLOSED_COUNT: AtomicUsize = AtomicUsize::new(0);
/// Odd while the table changes.
static CLOSED_VERSION: AtomicU32 = AtomicU32::new(0);
/// 1 while entries are closed: threads that come to one wait on this.
static ARMED: AtomicU32 = AtomicU32::new(0);
static HANDLER_INSTALLED: AtomicBool = AtomicBool::new(false);
static PREVIOUS_HANDLER: AtomicUsize = AtomicUsize::new(libc::SIG_DFL);
static PREVIOUS_FLAGS: AtomicI32 = AtomicI32::new(0);

/// Writes all cells, or none.
pub fn commit(cells: &[Cell], lookout: &mut Lookout) -> Result<Committed, String> {
    if cells.is_empty() {
        return Ok(Committed { retries: 0, held: 0 });
    }
    let guards: Vec<_> = cells.iter().map(|cell| cell.guard).filter(|guard| guard.0 < guard.1).collect();
    if cells.iter().all(|cell| !cell.is_code()) {
        cells.iter().for_each(|cell| write(cell, 0));
        return Ok(Committed { retries: 0, held: 0 });
    }
    if !threads::prepare_signal() {
        return Err("the program uses all real-time signals".into());
    }
    // A child forked in between would keep the breakpoints.
    if !startup::pause_forks(now() + LIMIT) {
        return Err("a fork is under way and does not end".into());
    }
    let start = now();
    let done = if may_use_breakpoints(cells) {
        commit_by_breakpoints(cells, &guards, lookout)
    } else {
        commit_by_holding(cells, &guards, lookout)
    };
    let held = now() - start;
    startup::resume_forks();
    match done {
        true => Ok(Committed { retries: lookout.retries, held }),
        false => Err(format!("after {} ms a thread was not seen outside of the bytes to be changed", held / 1_000_000)),
    }
}

fn may_use_breakpoints(cells: &[Cell]) -> bool {
    if cells.iter().filter(|cell| cell.is_closed()).count() > MAX_CLOSED || threads::is_traced() {
        return false;
    }
    let deadline = now() + MASK_PATIENCE;
    let mut buffer = vec![0; 1 << 16];
    while !threads::none_blocks(libc::SIGTRAP, &mut buffer) {
        if now() > deadline {
            return false;
        }
        nap(200_000);
    }
    true
}

fn commit_by_breakpoints(cells: &[Cell], guards: threads::Guards, lookout: &mut Lookout) -> bool {
    let closed = || cells.iter().filter(|cell| cell.is_closed());
    install_handler();
    CLOSED_VERSION.fetch_add(1, SeqCst);
    closed().zip(&CLOSED).for_each(|(cell, entry)| entry.store(cell.address, SeqCst));
    CLOSED_COUNT.store(closed().count(), SeqCst);
    CLOSED_VERSION.fetch_add(1, SeqCst);
    ARMED.store(1, SeqCst);
    closed().for_each(|cell| write_code(cell, 0, &[BREAKPOINT]));
    memory::serialise_cores();
    let seen = guards.is_empty() || lookout.see_all_outside(guards, now() + LIMIT);
    if seen {
        for cell in cells.iter().filter(|cell| cell.is_code()) {
            write_code(cell, usize::from(cell.is_closed()), &cell.new[usize::from(cell.is_closed())..]);
        }
        memory::serialise_cores();
        for cell in cells {
            if cell.is_closed() {
                write_code(cell, 0, &cell.new[..1]);
            } else if !cell.is_code() {
                write(cell, 0);
            }
        }
    } else {
        closed().for_each(|cell| write_code(cell, 0, &cell.old[..1]));
    }
    memory::serialise_cores();
    ARMED.store(0, SeqCst);
    futex_wake(&ARMED);
    seen
}

fn commit_by_holding(cells: &[Cell], guards: threads::Guards, lookout: &mut Lookout) -> bool {
    let held = lookout.hold_all_outside(guards, now() + LIMIT);
    if held {
        cells.iter().for_each(|cell| write(cell, 0));
        memory::serialise_cores();
    }
    threads::release();
    held
}

fn write(cell: &Cell, from: usize) {
    if cell.is_code() {
        write_code(cell, from, &cell.new[from..]);
    } else {
        memory::write_cell(cell.address, &cell.new, cell.protection);
    }
}

/// That this works was tried when the transaction was verified.
fn write_code(cell: &Cell, from: usize, bytes: &[u8]) {
    memory::write_code(cell.address + from as u64, bytes, cell.protection);
}

/// Takes the breakpoint's handler away again, once no thread can be on its way into it. True when it is gone.
pub fn settle(lookout: &mut Lookout) -> bool {
    if !HANDLER_INSTALLED.load(SeqCst) {
        return true;
    }
    if threads::prepare_signal() && lookout.see_all_outside(&[], now() + LIMIT) {
        unsafe {
            let mut current: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGTRAP, std::ptr::null(), &mut current);
            if current.sa_sigaction == on_breakpoint as *const () as usize {
                libc::sigaction(libc::SIGTRAP, PREVIOUS.load(), std::ptr::null_mut());
            }
        }
        HANDLER_INSTALLED.store(false, SeqCst);
    }
    !HANDLER_INSTALLED.load(SeqCst)
}

/// The whole of the action that was there before, for putting it back.
struct Previous(std::cell::UnsafeCell<std::mem::MaybeUninit<libc::sigaction>>);
// Only the agent's thread touches it.
unsafe impl Sync for Previous {}
static PREVIOUS: Previous = Previous(std::cell::UnsafeCell::new(std::mem::MaybeUninit::zeroed()));

impl Previous {
    fn load(&self) -> *const libc::sigaction {
        self.0.get() as *const libc::sigaction
    }
}

fn install_handler() {
    unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGTRAP, std::ptr::null(), &mut current);
        let ours = on_breakpoint as *const () as usize;
        if current.sa_sigaction == ours {
            return;
        }
        *(PREVIOUS.0.get() as *mut libc::sigaction) = current;
        PREVIOUS_FLAGS.store(current.sa_flags, SeqCst);
        PREVIOUS_HANDLER.store(current.sa_sigaction, SeqCst);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ours;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART | libc::SA_NODEFER;
        // No other signal meanwhile, ours neither: an alternate stack may have room for one frame only (overflowing it
        // kills; seen). A thread that waits here is blocked in the kernel, so it need not be asked.
        libc::sigfillset(&mut action.sa_mask);
        // Nor does a thread in here count as one that blocks SIGTRAP.
        libc::sigdelset(&mut action.sa_mask, libc::SIGTRAP);
        libc::sigaction(libc::SIGTRAP, &action, std::ptr::null_mut());
        HANDLER_INSTALLED.store(true, SeqCst);
    }
}

/// What a trap was.
enum Trap {
    /// A breakpoint at a closed entry.
    Closed,
    /// One that has been taken away since.
    Past,
    Foreign,
}

unsafe extern "C" fn on_breakpoint(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // A breakpoint instruction, and nothing else, comes with this code.
    const SI_KERNEL: i32 = 0x80;
    let registers = &mut (*(context as *mut libc::ucontext_t)).uc_mcontext.gregs;
    let entry = (registers[libc::REG_RIP as usize] as u64).wrapping_sub(1);
    match if (*info).si_code == SI_KERNEL { classify(entry) } else { Trap::Foreign } {
        Trap::Foreign => forward(signal, info, context),
        Trap::Past => registers[libc::REG_RIP as usize] = entry as i64,
        Trap::Closed => {
            // Set first: whoever looks at this thread meanwhile finds it at the entry, not behind it.
            registers[libc::REG_RIP as usize] = entry as i64;
            while ARMED.load(SeqCst) == 1 {
                futex_wait(&ARMED, 1);
            }
        }
    }
}

unsafe fn classify(entry: u64) -> Trap {
    loop {
        let version = CLOSED_VERSION.load(SeqCst);
        let bytes = [((entry as usize - 1) as *const u8).read_volatile(), (entry as *const u8).read_volatile()];
        // `int 3` in two bytes is never ours.
        if bytes == [0xcd, 0x03] {
            return Trap::Foreign;
        }
        if bytes[1] != BREAKPOINT {
            return Trap::Past;
        }
        let count = CLOSED_COUNT.load(SeqCst).min(MAX_CLOSED);
        if CLOSED[..count].iter().any(|closed| closed.load(SeqCst) == entry) {
            return Trap::Closed;
        }
        if version % 2 == 0 && CLOSED_VERSION.load(SeqCst) == version {
            return Trap::Foreign;
        }
    }
}

/// A trap of the program's own goes where it would have gone without us.
unsafe fn forward(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let handler = PREVIOUS_HANDLER.load(SeqCst);
    let sent = (*info).si_code <= 0;
    if handler == libc::SIG_IGN && sent {
        return;
    }
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        // Ends the program as the trap itself would have, as soon as this handler returns.
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(signal, &action, std::ptr::null_mut());
        libc::raise(signal);
    } else if PREVIOUS_FLAGS.load(SeqCst) & libc::SA_SIGINFO != 0 {
        type Action = unsafe extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);
        std::mem::transmute::<usize, Action>(handler)(signal, info, context);
    } else {
        std::mem::transmute::<usize, unsafe extern "C" fn(i32)>(handler)(signal);
    }
}
