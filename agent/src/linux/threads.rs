//! Where the threads of the program stand. A thread that is blocked in the kernel is only looked at, through /proc; one
//! that runs is watched for a moment, as it may block by itself, and only then asked by a signal.

use super::syscalls::{self, call, futex};
use std::ffi::CStr;
use std::io::Write;
use std::mem::zeroed;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Most threads that a program may have.
const SLOTS: usize = 4096;

/// What each thread is asked: the question's number; in its place comes the answer: where the thread stood, with the
/// highest bit set. One word, so that a late answer to an earlier question is not taken for one to this.
static SLOT_WORDS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
const ANSWERED: u64 = 1 << 63;
/// The signal that asks; 0: none was chosen yet.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Threads that were asked a later question than this one stay in the handler; 0: they go on at once. So one that takes
/// a signal of an earlier round only now is not held: nobody would look at its answer.
static HOLD: AtomicU32 = AtomicU32::new(0);
/// How many threads are in the part of the handler that holds them.
static HELD: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy, PartialEq)]
enum State {
    Unknown,
    /// Asked, through the slot of the same index.
    Asked,
    /// Seen outside of all guards (in a round that holds: and is in the handler).
    Safe,
}

/// Looks at threads round after round, allocating nothing: none may stand within the guards, ranges of addresses.
pub struct Lookout {
    /// The threads of one round.
    watched: Vec<(i32, State)>,
    questions: u64,
    /// How often some thread stood inside a guard.
    pub retries: u32,
}

impl Lookout {
    pub fn new() -> Self {
        Lookout { watched: Vec::with_capacity(SLOTS + 1), questions: 1, retries: 0 }
    }

    /// Waits until every thread has been seen outside of the guards at some moment since the call. That is enough where
    /// nothing can get into a guard any more. False when one did not come out before `deadline`.
    pub fn see_all_outside(&mut self, guards: &[(u64, u64)], deadline: Instant) -> bool {
        self.round(guards, false, deadline) == Some(true)
    }

    /// Waits until every running thread is held in the signal's handler and every other one is blocked in the kernel,
    /// all outside of the guards. [`release`] must follow, also after false (not before `deadline`).
    pub fn hold_all_outside(&mut self, guards: &[(u64, u64)], deadline: Instant) -> bool {
        while Instant::now() < deadline {
            HOLD.store((self.questions as u32).max(1), SeqCst);
            if let Some(done) = self.round(guards, true, deadline) {
                return done;
            }
            release();
            std::thread::sleep(Duration::from_micros(u64::from(20 + 10 * (self.retries % 16))));
        }
        false
    }

    /// One round. None: in one that holds, a thread stands inside; all have to be let go.
    fn round(&mut self, guards: &[(u64, u64)], holds: bool, deadline: Instant) -> Option<bool> {
        // Until then a running thread is not asked.
        let watch_until = Instant::now() + Duration::from_micros(300);
        self.watched.clear();
        loop {
            // Listed again until nobody new is there: the kernel may skip one when others end meanwhile.
            let Some(fresh) = self.list_new() else { return Some(false) };
            let mut open = false;
            for (index, slot) in SLOT_WORDS.iter().enumerate().take(self.watched.len()) {
                let (thread, state) = self.watched[index];
                if state == State::Safe {
                    continue;
                }
                // The answer is read last: who answers and then blocks is not taken for one that is blocked elsewhere.
                let (looked, word) = (look(thread), slot.load(SeqCst));
                let answer = (state == State::Asked && word & ANSWERED != 0).then_some(word & !ANSWERED);
                match answer.or(looked) {
                    None => {
                        open = true;
                        if state == State::Unknown && Instant::now() > watch_until && self.ask(thread, index) {
                            self.watched[index].1 = State::Asked;
                        }
                    }
                    Some(pc) if guards.iter().any(|(from, to)| pc >= *from && pc < *to) => {
                        self.retries += 1;
                        if holds {
                            return None;
                        }
                        open = true;
                        self.watched[index].1 = State::Unknown;
                    }
                    // One that is only blocked may be about to wake: if threads are held it is looked at until the end
                    // and, if it was asked before it blocked, held by the handler then.
                    Some(_) if holds && answer.is_none() => (),
                    Some(_) => self.watched[index].1 = State::Safe,
                }
            }
            let all = !open && !fresh;
            if all || Instant::now() > deadline {
                return Some(all);
            }
            if open {
                std::thread::sleep(Duration::from_micros(if holds { 10 } else { 20 }));
            }
        }
    }

    /// Adds the threads that are not watched yet; whether there were any. None when there are more than slots: what
    /// cannot be watched cannot be called safe.
    fn list_new(&mut self) -> Option<bool> {
        let before = self.watched.len();
        each_thread(|thread| {
            if self.watched.len() <= SLOTS && !self.watched[..before].iter().any(|watched| watched.0 == thread) {
                self.watched.push((thread, State::Unknown));
            }
        });
        (self.watched.len() <= SLOTS).then_some(self.watched.len() > before)
    }

    fn ask(&mut self, thread: i32, index: usize) -> bool {
        self.questions += 1;
        SLOT_WORDS[index].store(self.questions, SeqCst);
        let (process, signal) = (std::process::id(), SIGNAL.load(SeqCst));
        let value = self.questions << 16 | index as u64;
        // siginfo_t as the kernel wants it: signal, errno, code, padding, pid, uid, value.
        let mut info = [0u32; 32];
        info[..6].copy_from_slice(&[signal as u32, 0, libc::SI_QUEUE as u32, 0, process, 0]);
        (info[6], info[7]) = (value as u32, (value >> 32) as u32);
        let arguments = [process as usize, thread as usize, signal as usize, info.as_ptr() as usize];
        unsafe { call(libc::SYS_rt_tgsigqueueinfo, arguments) == 0 }
    }
}

/// Lets all go on that are held, and waits until they do: one that is only just being woken still looks like one that is
/// blocked in the kernel, wherever it was interrupted (crashed in 3 of 5 runs of 2000 patches).
pub fn release() {
    HOLD.store(0, SeqCst);
    futex(&HOLD, libc::FUTEX_WAKE, i32::MAX as u32);
    while HELD.load(SeqCst) != 0 {
        std::thread::sleep(Duration::from_micros(10));
    }
}

/// Where a thread that is blocked in the kernel goes on in the program, found without disturbing it
/// (proc_pid_syscall(5)); 0: nowhere, it has ended or has no code there. None while it runs.
pub fn look(thread: i32) -> Option<u64> {
    let mut buffer = [0; 256];
    let Some(text) = read_of_thread(thread, "syscall", &mut buffer) else {
        let gone = unsafe { call(libc::SYS_tgkill, [std::process::id() as usize, thread as usize, 0]) } != 0;
        return gone.then_some(0);
    };
    let mut words = text.trim_ascii().split(|byte| *byte == b' ');
    let (call, last) = (words.next()?, words.next_back()?);
    let pc = parse_hex(last.strip_prefix(b"0x")?);
    // −1: not in a system call but in a fault, maybe of a signal's handler: where it goes on behind that is not shown.
    (call != b"-1" || pc == 0).then_some(pc)
}

/// Whether a breakpoint now reaches its handler in every thread: none blocks SIGTRAP, none has a debugger (or strace).
pub fn all_take_traps() -> bool {
    let mut free = true;
    each_thread(|thread| {
        let mut buffer = [0; 4096];
        let text = read_of_thread(thread, "status", &mut buffer).unwrap_or_default();
        let field = |name: &[u8]| {
            let start = text.windows(name.len()).position(|window| window == name)? + name.len();
            text[start..].split(|byte| *byte == b'\n').next().map(parse_hex)
        };
        let blocked = field(b"\nSigBlk:\t").unwrap_or(0);
        free &= blocked >> (libc::SIGTRAP - 1) & 1 == 0 && field(b"\nTracerPid:\t").unwrap_or(0) == 0;
    });
    free
}

pub type Handler = unsafe extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// Chooses the signal that asks threads: the highest real-time one that the program has not used. It stays ours for
/// good, as it may still be pending somewhere. False when there is none.
pub fn prepare_signal() -> bool {
    let chosen = SIGNAL.load(SeqCst);
    let does = |signal: &i32, handler: usize| action_of(*signal).sa_sigaction == handler;
    if chosen != 0 && does(&chosen, on_question as *const () as usize) {
        return true;
    }
    let free = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev().find(|signal| does(signal, libc::SIG_DFL));
    SIGNAL.store(free.unwrap_or(0), SeqCst);
    free.is_some_and(|signal| set_handler(signal, on_question))
}

pub fn action_of(signal: i32) -> libc::sigaction {
    unsafe {
        let mut action = zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action);
        action
    }
}

pub fn set_handler(signal: i32, handler: Handler) -> bool {
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = handler as usize;
        // Coroutine stacks may be too small for a signal's frame; SA_RESTART for calls that can be restarted.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART | libc::SA_NODEFER;
        // No other signal meanwhile, ours neither: an alternate stack may have room for one frame only (overflowing it
        // kills; seen). A thread that waits in a handler is blocked in the kernel, so it need not be asked.
        libc::sigfillset(&mut action.sa_mask);
        // Nor does a thread in one count as one that blocks SIGTRAP.
        libc::sigdelset(&mut action.sa_mask, libc::SIGTRAP);
        libc::sigaction(signal, &action, std::ptr::null_mut()) == 0
    }
}

/// In the asked thread: says where it stood, and stays if all are held.
unsafe extern "C" fn on_question(_: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    if (*info).si_code != libc::SI_QUEUE {
        return;
    }
    let value = (*info).si_value().sival_ptr as u64;
    let registers = &mut (*(context as *mut libc::ucontext_t)).uc_mcontext.gregs;
    let pc = registers[libc::REG_RIP as usize] as u64;
    HELD.fetch_add(1, SeqCst);
    let hold = HOLD.load(SeqCst);
    // Not when the round that asked has ended without the answer.
    let slot = &SLOT_WORDS[(value & 0xffff) as usize % SLOTS];
    if slot.compare_exchange(value >> 16, pc | ANSWERED, SeqCst, SeqCst).is_ok() {
        let is_later = ((value >> 16) as u32).wrapping_sub(hold) as i32 > 0;
        while hold != 0 && is_later && HOLD.load(SeqCst) == hold {
            futex(&HOLD, libc::FUTEX_WAIT, hold);
        }
    }
    HELD.fetch_sub(1, SeqCst);
    resume_wait(registers);
}

/// Calls that end with EINTR after a handler has run, whatever SA_RESTART says (signal(7)): poll, ppoll, select,
/// pselect6, epoll_wait, epoll_pwait, epoll_pwait2, nanosleep, clock_nanosleep, futex, rt_sigtimedwait, rt_sigsuspend,
/// pause, semop, semtimedop, msgrcv, io_getevents.
const NEVER_RESTARTED: [u32; 17] = [7, 271, 23, 270, 232, 281, 441, 35, 230, 202, 128, 130, 34, 65, 220, 70, 208];

/// A thread that ran when it was asked may have begun to wait before the signal came, and would now see EINTR. It is
/// sent back to begin that wait again, as if the signal had come just before it. The call's number is no longer in a
/// register, so it is taken from the instruction `mov eax, number` that precedes `syscall` in the C library.
unsafe fn resume_wait(registers: &mut [i64; 23]) {
    let (rip, rax) = (libc::REG_RIP as usize, libc::REG_RAX as usize);
    let pc = registers[rip] as u64;
    // Not across the start of the page: only the page that the thread stands in is known to be mapped.
    if registers[rax] != -i64::from(libc::EINTR) || pc % super::memory::PAGE < 7 {
        return;
    }
    if let [0xb8, a, b, c, d, 0x0f, 0x05] = *((pc - 7) as *const [u8; 7]) {
        let number = u32::from_le_bytes([a, b, c, d]);
        if NEVER_RESTARTED.contains(&number) {
            registers[rax] = i64::from(number);
            registers[rip] = (pc - 2) as i64;
        }
    }
}

/// All threads but the calling one, which is the agent's.
pub fn each_thread(mut visit: impl FnMut(i32)) {
    let own = unsafe { call(libc::SYS_gettid, []) } as i32;
    let directory = syscalls::open(c"/proc/self/task");
    let mut buffer = [0; 1 << 16];
    while let Some(mut rest @ [_, ..]) = syscalls::read(libc::SYS_getdents64, directory, &mut buffer) {
        // struct linux_dirent64: u64 inode, i64 offset, u16 length of the record, u8 type, the name.
        while let Some(size) = rest.get(16..18) {
            let name = CStr::from_bytes_until_nul(&rest[19..]).unwrap_or_default();
            // "." and ".." are no numbers.
            let thread = name.to_str().ok().and_then(|name| name.parse().ok());
            thread.filter(|thread| *thread != own).map(&mut visit);
            rest = &rest[usize::from(u16::from_le_bytes([size[0], size[1]]))..];
        }
    }
    syscalls::close(directory);
}

/// The start of a file that /proc has of a thread, read without allocating.
fn read_of_thread<'a>(thread: i32, name: &str, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut path = [0; 64];
    write!(&mut path[..], "/proc/self/task/{thread}/{name}\0").ok()?;
    let file = syscalls::open(CStr::from_bytes_until_nul(&path).ok()?);
    let text = syscalls::read(libc::SYS_read, file, buffer);
    syscalls::close(file);
    text
}

fn parse_hex(digits: &[u8]) -> u64 {
    std::str::from_utf8(digits).map_or(0, |digits| u64::from_str_radix(digits, 16).unwrap_or(0))
}
