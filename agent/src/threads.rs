//! Where the threads of the program stand. A thread that is blocked in the kernel is only looked at, through /proc; one
//! that runs is watched for a moment, as it may block by itself, and only then asked by a signal.

use crate::syscalls::{call, futex_wait, futex_wake, nap, now, read_small_file};
use std::io::Write;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst};

/// What /proc says of a thread.
#[derive(Clone, Copy, PartialEq)]
pub enum Look {
    Gone,
    Running,
    /// In a system call; `pc` is where it goes on in the program (0: it has no code there).
    Blocked {
        pc: u64,
    },
}

/// How long a running thread is watched before it is asked.
const PATIENCE: u64 = 300_000;
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

/// One thread in a round of looking.
struct Watched {
    thread: i32,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Unknown,
    /// Asked through the slot of this number.
    Asked(usize),
    /// Seen outside of all guards (in a round that holds: and is in the handler).
    Safe,
    /// Seen outside while blocked, in a round that holds: is looked at again until the end.
    BlockedOutside,
}

/// Ranges of addresses at which no thread may stand.
pub type Guards<'a> = &'a [(u64, u64)];

/// Looks at threads round after round; allocates nothing in between.
pub struct Lookout {
    watched: Vec<Watched>,
    listing: Vec<u8>,
    questions: u64,
    /// More threads than slots: what cannot be watched cannot be called safe.
    too_many: bool,
    /// How often some thread stood inside a guard.
    pub retries: u32,
}

impl Lookout {
    pub fn new() -> Self {
        Lookout {
            watched: Vec::with_capacity(SLOTS),
            listing: vec![0; 1 << 18],
            questions: 1,
            too_many: false,
            retries: 0,
        }
    }

    /// Waits until every thread has been seen outside of the guards at some moment since the call. That is enough where
    /// nothing can get into a guard any more. False when one did not come out before `deadline`.
    pub fn see_all_outside(&mut self, guards: Guards, deadline: u64) -> bool {
        let watch_until = now() + PATIENCE;
        self.watched.clear();
        loop {
            // Listed again until nobody new is there: the kernel may skip one when others end meanwhile.
            let fresh = self.list_new();
            let mut open = 0;
            for index in 0..self.watched.len() {
                let entry = &mut self.watched[index];
                if entry.state == State::Safe {
                    continue;
                }
                // The answer is read last: who answers and then blocks is not taken for one that is blocked elsewhere.
                let seen = match (look(entry.thread), answer(entry.state)) {
                    (Look::Gone, _) => None,
                    (_, Some(pc)) | (Look::Blocked { pc }, None) => Some(pc),
                    (Look::Running, None) => {
                        open += 1;
                        if entry.state == State::Unknown && now() > watch_until {
                            entry.state = ask(entry.thread, &mut self.questions, index);
                        }
                        continue;
                    }
                };
                if seen.is_some_and(|pc| inside(guards, pc)) {
                    open += 1;
                    self.retries += 1;
                    entry.state = State::Unknown;
                } else {
                    entry.state = State::Safe;
                }
            }
            if open == 0 && !fresh && !self.too_many {
                return true;
            }
            if now() > deadline || self.too_many {
                return false;
            }
            if open > 0 {
                nap(20_000);
            }
        }
    }

    /// Waits until every running thread is held in the signal's handler and every other one is blocked in the kernel,
    /// all outside of the guards. [`release`] must follow, also after false (not before `deadline`).
    pub fn hold_all_outside(&mut self, guards: Guards, deadline: u64) -> bool {
        while now() < deadline {
            let round = (self.questions as u32).max(1);
            HOLD.store(round, SeqCst);
            self.watched.clear();
            match self.hold_round(guards, deadline) {
                Some(true) => return true,
                Some(false) => return false,
                None => {
                    self.retries += 1;
                    release();
                    nap(20_000 + 10_000 * u64::from(self.retries % 16));
                }
            }
        }
        false
    }

    /// None: a thread stands inside; all have to be let go.
    fn hold_round(&mut self, guards: Guards, deadline: u64) -> Option<bool> {
        let watch_until = now() + PATIENCE;
        loop {
            let mut settled = !self.list_new();
            for index in 0..self.watched.len() {
                let entry = &mut self.watched[index];
                if entry.state == State::Safe {
                    continue;
                }
                // In this order, see above.
                let looked = look(entry.thread);
                if let Some(pc) = answer(entry.state) {
                    if inside(guards, pc) {
                        return None;
                    }
                    entry.state = State::Safe;
                    continue;
                }
                match looked {
                    Look::Gone => entry.state = State::Safe,
                    Look::Blocked { pc } if inside(guards, pc) => return None,
                    // An asked thread may have blocked before the signal came; if it wakes, the handler holds it.
                    Look::Blocked { .. } if entry.state == State::Unknown => entry.state = State::BlockedOutside,
                    Look::Blocked { .. } => (),
                    Look::Running => {
                        settled = false;
                        if !matches!(entry.state, State::Asked(_)) && now() > watch_until {
                            entry.state = ask(entry.thread, &mut self.questions, index);
                        }
                    }
                }
            }
            if settled && !self.too_many {
                return Some(true);
            }
            if now() > deadline || self.too_many {
                return Some(false);
            }
            nap(10_000);
        }
    }

    /// Adds the threads that are not watched yet; whether there were any.
    fn list_new(&mut self) -> bool {
        let before = self.watched.len();
        let (watched, too_many) = (&mut self.watched, &mut self.too_many);
        *too_many = false;
        each_thread(&mut self.listing, |thread| {
            let known = watched[..before].iter().any(|entry| entry.thread == thread);
            if !known && watched.len() < SLOTS {
                watched.push(Watched { thread, state: State::Unknown });
            } else if !known {
                *too_many = true;
            }
        });
        watched.len() > before
    }
}

/// Lets all go on that are held, and waits until they do: one that is only just being woken still looks like one that is
/// blocked in the kernel, wherever it was interrupted (crashed in 3 of 5 runs of 2000 patches).
pub fn release() {
    HOLD.store(0, SeqCst);
    futex_wake(&HOLD);
    while HELD.load(SeqCst) != 0 {
        nap(10_000);
    }
}

/// All threads but the calling one.
pub fn list() -> Vec<i32> {
    let mut found = Vec::new();
    each_thread(&mut vec![0; 1 << 16], |thread| found.push(thread));
    found
}

/// Where a thread is, without disturbing it (proc_pid_syscall(5)).
pub fn look(thread: i32) -> Look {
    let mut buffer = [0; 256];
    let Some(text) = read_small_file(&task_path(thread, "syscall"), &mut buffer) else {
        let gone = unsafe { call(libc::SYS_tgkill, [std::process::id() as usize, thread as usize, 0, 0, 0, 0]) } != 0;
        return if gone { Look::Gone } else { Look::Running };
    };
    let mut words = text.trim_ascii().split(|byte| *byte == b' ');
    let (call, last) = (words.next().unwrap_or_default(), words.next_back().unwrap_or_default());
    match last.strip_prefix(b"0x").map(parse_hex) {
        // Not in a system call but in a fault, maybe one of a signal's handler: where the thread goes on behind that is
        // not shown.
        Some(pc) if call == b"-1" && pc != 0 => Look::Running,
        Some(pc) => Look::Blocked { pc },
        None => Look::Running,
    }
}

/// Whether every thread would take this signal now.
pub fn none_blocks(signal: i32, buffer: &mut [u8]) -> bool {
    let mut free = true;
    each_thread(buffer, |thread| {
        let mut status = [0; 4096];
        let text = read_small_file(&task_path(thread, "status"), &mut status).unwrap_or_default();
        let blocked = field(text, b"\nSigBlk:\t").map_or(0, parse_hex);
        free &= blocked >> (signal - 1) & 1 == 0;
    });
    free
}

/// Whether a debugger (or strace) is attached.
pub fn is_traced() -> bool {
    let mut status = [0; 4096];
    let text = read_small_file(b"/proc/self/status\0", &mut status).unwrap_or_default();
    field(text, b"\nTracerPid:\t").is_some_and(|tracer| tracer != b"0")
}

/// Chooses the signal that asks threads: the highest real-time one that the program has not used. It stays ours for
/// good, as it may still be pending somewhere. False when there is none.
pub fn prepare_signal() -> bool {
    let chosen = SIGNAL.load(SeqCst);
    if chosen != 0 && action_of(chosen) == Some(on_question as *const () as usize) {
        return true;
    }
    let free = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev().find(|signal| action_of(*signal) == Some(libc::SIG_DFL));
    let Some(signal) = free else { return false };
    SIGNAL.store(signal, SeqCst);
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_question as *const () as usize;
        // Coroutine stacks may be too small for a signal's frame; SA_RESTART for calls that can be restarted.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigfillset(&mut action.sa_mask);
        // A thread in here is none that blocks SIGTRAP.
        libc::sigdelset(&mut action.sa_mask, libc::SIGTRAP);
        libc::sigaction(signal, &action, std::ptr::null_mut()) == 0
    }
}

fn action_of(signal: i32) -> Option<usize> {
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    (unsafe { libc::sigaction(signal, std::ptr::null(), &mut action) } == 0).then_some(action.sa_sigaction)
}

fn inside(guards: Guards, pc: u64) -> bool {
    guards.iter().any(|(from, to)| pc >= *from && pc < *to)
}

fn ask(thread: i32, questions: &mut u64, index: usize) -> State {
    *questions += 1;
    SLOT_WORDS[index].store(*questions, SeqCst);
    let process = std::process::id() as usize;
    let value = *questions << 16 | index as u64;
    // siginfo_t as the kernel wants it: signal, errno, code, padding, pid, uid, value.
    let mut info = [0u32; 32];
    (info[0], info[2], info[4]) = (SIGNAL.load(SeqCst) as u32, libc::SI_QUEUE as u32, process as u32);
    (info[6], info[7]) = (value as u32, (value >> 32) as u32);
    let arguments = [process, thread as usize, SIGNAL.load(SeqCst) as usize, info.as_ptr() as usize, 0, 0];
    if unsafe { call(libc::SYS_rt_tgsigqueueinfo, arguments) } != 0 {
        return State::Unknown;
    }
    State::Asked(index)
}

fn answer(state: State) -> Option<u64> {
    let State::Asked(slot) = state else { return None };
    let word = SLOT_WORDS[slot].load(SeqCst);
    (word & ANSWERED != 0).then_some(word & !ANSWERED)
}

/// In the asked thread: says where it stood, and stays if all are held.
unsafe extern "C" fn on_question(_: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let value = (*info).si_value().sival_ptr as u64;
    if (*info).si_code != libc::SI_QUEUE {
        return;
    }
    let context = &mut *(context as *mut libc::ucontext_t);
    let registers = &mut context.uc_mcontext.gregs;
    let pc = registers[libc::REG_RIP as usize] as u64;
    let slot = &SLOT_WORDS[(value & 0xffff) as usize % SLOTS];
    HELD.fetch_add(1, SeqCst);
    let hold = HOLD.load(SeqCst);
    // Not when the round that asked has ended without the answer.
    if slot.compare_exchange(value >> 16, pc | ANSWERED, SeqCst, SeqCst).is_ok() {
        let is_later = ((value >> 16) as u32).wrapping_sub(hold) as i32 > 0;
        while hold != 0 && is_later && HOLD.load(SeqCst) == hold {
            futex_wait(&HOLD, hold);
        }
    }
    HELD.fetch_sub(1, SeqCst);
    resume_wait(registers);
}

/// Calls that end with EINTR after a handler has run, whatever SA_RESTART says (signal(7)).
const NEVER_RESTARTED: [u32; 17] = [
    libc::SYS_poll as u32,
    libc::SYS_ppoll as u32,
    libc::SYS_select as u32,
    libc::SYS_pselect6 as u32,
    libc::SYS_epoll_wait as u32,
    libc::SYS_epoll_pwait as u32,
    libc::SYS_epoll_pwait2 as u32,
    libc::SYS_nanosleep as u32,
    libc::SYS_clock_nanosleep as u32,
    libc::SYS_futex as u32,
    libc::SYS_rt_sigtimedwait as u32,
    libc::SYS_rt_sigsuspend as u32,
    libc::SYS_pause as u32,
    libc::SYS_semop as u32,
    libc::SYS_semtimedop as u32,
    libc::SYS_msgrcv as u32,
    libc::SYS_io_getevents as u32,
];

/// A thread that ran when it was asked may have begun to wait before the signal came, and would now see EINTR. It is
/// sent back to begin that wait again, as if the signal had come just before it. The call's number is no longer in a
/// register, so it is taken from the instruction `mov eax, number` that precedes `syscall` in the C library.
fn resume_wait(registers: &mut [i64; 23]) {
    let (rip, rax) = (libc::REG_RIP as usize, libc::REG_RAX as usize);
    let pc = registers[rip] as u64;
    // Not across the start of the page: only the page that the thread stands in is known to be mapped.
    if registers[rax] != -i64::from(libc::EINTR) || pc % crate::memory::PAGE < 7 {
        return;
    }
    let before = unsafe { std::slice::from_raw_parts((pc - 7) as *const u8, 7) };
    if let [0xb8, a, b, c, d, 0x0f, 0x05] = *before {
        let number = u32::from_le_bytes([a, b, c, d]);
        if NEVER_RESTARTED.contains(&number) {
            registers[rax] = i64::from(number);
            registers[rip] = (pc - 2) as i64;
        }
    }
}

fn each_thread(buffer: &mut [u8], mut visit: impl FnMut(i32)) {
    let own = unsafe { call(libc::SYS_gettid, [0; 6]) } as i32;
    let flags = (libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC) as usize;
    let path = c"/proc/self/task".as_ptr() as usize;
    let directory = unsafe { call(libc::SYS_openat, [libc::AT_FDCWD as isize as usize, path, flags, 0, 0, 0]) };
    if directory < 0 {
        return;
    }
    loop {
        let arguments = [directory as usize, buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0];
        let length = unsafe { call(libc::SYS_getdents64, arguments) };
        if length <= 0 {
            break;
        }
        // struct linux_dirent64: u64 inode, i64 offset, u16 length of the record, u8 type, the name.
        let mut rest = &buffer[..length as usize];
        while rest.len() > 19 {
            let size = (u16::from_le_bytes([rest[16], rest[17]]) as usize).clamp(20, rest.len());
            let name = rest[19..size].split(|byte| *byte == 0).next().unwrap_or_default();
            let digit = |value: i32, byte: &u8| value.wrapping_mul(10).wrapping_add(i32::from(byte.wrapping_sub(b'0')));
            let thread = name.iter().fold(0, digit);
            if name.iter().all(u8::is_ascii_digit) && !name.is_empty() && thread != own {
                visit(thread);
            }
            rest = &rest[size..];
        }
    }
    unsafe { call(libc::SYS_close, [directory as usize, 0, 0, 0, 0, 0]) };
}

fn task_path(thread: i32, name: &str) -> [u8; 64] {
    let mut path = [0; 64];
    let _ = write!(&mut path[..63], "/proc/self/task/{thread}/{name}");
    path
}

fn parse_hex(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, byte| value << 4 | u64::from((*byte as char).to_digit(16).unwrap_or(0)))
}

fn field<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = text.windows(name.len()).position(|window| window == name)? + name.len();
    text[start..].split(|byte| *byte == b'\n').next()
}
