//! How the agent comes into the program and its thread to life. Everything here is inert unless the environment holds
//! `IPBP_CONNECT` and `IPBP_TOKEN`.

use crate::syscalls::{call, futex_wait, futex_wake, nap, now};
use crate::{connection, identity, memory, thread_locals};
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::OnceLock;

/// Enough for the agent and for constructors that patches bring along.
const STACK_SIZE: usize = 1 << 20;

struct Settings {
    address: String,
    token: [u8; 32],
    /// `IPBP_AGENT_THREAD=first-thread`: only when the program itself makes a thread, so that one which needs to be
    /// single-threaded for a while (unshare(2), setns(2)) can be.
    with_first_thread: bool,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();
static RESERVATION_START: AtomicU64 = AtomicU64::new(0);
static RESERVATION_SIZE: AtomicU64 = AtomicU64::new(0);
static THREAD_STARTED: AtomicBool = AtomicBool::new(false);
static CONNECTION: AtomicI32 = AtomicI32::new(-1);

/// First address and size of what is kept for patches.
pub fn reservation() -> (u64, u64) {
    (RESERVATION_START.load(SeqCst), RESERVATION_SIZE.load(SeqCst))
}

/// So that a forked child can close it: the host must see the program's end, not its children's.
pub fn remember_connection(descriptor: c_int) {
    CONNECTION.store(descriptor, SeqCst);
}

#[cfg(not(test))]
#[used]
#[link_section = ".init_array"]
static CONSTRUCTOR: extern "C" fn() = at_load;

extern "C" fn at_load() {
    // Nothing that goes wrong here may be seen by the program.
    let _ = std::panic::catch_unwind(|| {
        let Some(settings) = take_settings() else { return };
        std::panic::set_hook(Box::new(|_| ()));
        let (start, size) = identity::executable_start().map_or((0, 0), memory::reserve_below);
        RESERVATION_START.store(start, SeqCst);
        RESERVATION_SIZE.store(size, SeqCst);
        unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child)) };
        let _ = SETTINGS.set(settings);
    });
}

/// Reads the settings and takes every trace of the agent out of the environment: the program's children run without it.
fn take_settings() -> Option<Settings> {
    let address = std::env::var("IPBP_CONNECT").ok()?;
    let token = parse_token(&std::env::var("IPBP_TOKEN").ok()?)?;
    let with_first_thread = std::env::var("IPBP_AGENT_THREAD").is_ok_and(|value| value == "first-thread");
    // The first copy of the environment stays readable in /proc.
    unsafe {
        let value = libc::getenv(c"IPBP_TOKEN".as_ptr());
        std::ptr::write_bytes(value, b'0', libc::strlen(value));
    }
    for name in ["IPBP_CONNECT", "IPBP_TOKEN", "IPBP_AGENT_THREAD"] {
        std::env::remove_var(name);
    }
    if let Ok(list) = std::env::var("LD_PRELOAD") {
        // ld.so(8): separated by colons or spaces.
        let others: Vec<&str> =
            list.split([':', ' ']).filter(|entry| !entry.is_empty() && !is_own_path(entry)).collect();
        if others.is_empty() {
            std::env::remove_var("LD_PRELOAD");
        } else {
            std::env::set_var("LD_PRELOAD", others.join(":"));
        }
    }
    Some(Settings { address, token, with_first_thread })
}

fn parse_token(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let digit = |index: usize| (digits[index] as char).to_digit(16);
    let mut token = [0; 32];
    for (index, byte) in token.iter_mut().enumerate() {
        digits.get(index * 2 + 1)?;
        *byte = (digit(index * 2)? * 16 + digit(index * 2 + 1)?) as u8;
    }
    (digits.len() == 64).then_some(token)
}

fn is_own_path(entry: &str) -> bool {
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    if unsafe { libc::dladdr(at_load as *const c_void, &mut info) } == 0 || info.dli_fname.is_null() {
        return false;
    }
    let own = unsafe { CStr::from_ptr(info.dli_fname) }.to_string_lossy();
    let file = |path: &str| std::fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
    own == entry || (file(entry).is_some() && file(entry) == file(&own))
}

type Main = unsafe extern "C-unwind" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;
static PROGRAM_MAIN: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Stands before the C library's function of this name, so that the agent's thread starts when all constructors have run
/// and `main` is the next thing.
///
/// # Safety
/// Called by the program's start-up code.
#[cfg(not(test))]
#[no_mangle]
pub unsafe extern "C-unwind" fn __libc_start_main(
    main: *mut c_void,
    count: c_int,
    arguments: *mut *mut c_char,
    init: *mut c_void,
    fini: *mut c_void,
    loader_fini: *mut c_void,
    stack_end: *mut c_void,
) -> c_int {
    type Start = unsafe extern "C-unwind" fn(
        *mut c_void,
        c_int,
        *mut *mut c_char,
        *mut c_void,
        *mut c_void,
        *mut c_void,
        *mut c_void,
    ) -> c_int;
    let real = libc::dlsym(libc::RTLD_NEXT, c"__libc_start_main".as_ptr());
    if real.is_null() {
        libc::_exit(127);
    }
    let start = std::mem::transmute::<*mut c_void, Start>(real);
    let wanted = SETTINGS.get().is_some_and(|settings| !settings.with_first_thread);
    PROGRAM_MAIN.store(main, SeqCst);
    let main = if wanted { before_main as *const () as *mut c_void } else { main };
    start(main, count, arguments, init, fini, loader_fini, stack_end)
}

unsafe extern "C-unwind" fn before_main(
    count: c_int,
    arguments: *mut *mut c_char,
    environment: *mut *mut c_char,
) -> c_int {
    start_thread();
    std::mem::transmute::<*mut c_void, Main>(PROGRAM_MAIN.load(SeqCst))(count, arguments, environment)
}

/// Called before every thread that the program makes.
pub fn before_new_thread() {
    if SETTINGS.get().is_some_and(|settings| settings.with_first_thread) {
        start_thread();
    }
}

/// The agent's thread takes no signals: those of the program go to the threads of the program.
fn start_thread() {
    let Some(create) = thread_locals::real_pthread_create() else { return };
    if THREAD_STARTED.swap(true, SeqCst) {
        return;
    }
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setstacksize(&mut attributes, STACK_SIZE);
        libc::pthread_attr_setdetachstate(&mut attributes, libc::PTHREAD_CREATE_DETACHED);
        let mut thread = std::mem::zeroed();
        create(&mut thread, &attributes, agent_thread, std::ptr::null_mut());
        libc::pthread_attr_destroy(&mut attributes);
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
    }
}

extern "C" fn agent_thread(_: *mut c_void) -> *mut c_void {
    let _ = std::panic::catch_unwind(|| {
        let name = CString::new("ipbp-agent").unwrap_or_default();
        unsafe {
            libc::prctl(libc::PR_SET_NAME, name.as_ptr());
            // Naps of some microseconds are meant as such.
            libc::prctl(libc::PR_SET_TIMERSLACK, 1);
        }
        if let Some(settings) = SETTINGS.get() {
            connection::serve(&settings.address, &settings.token);
        }
        CONNECTION.store(-1, SeqCst);
    });
    std::ptr::null_mut()
}

/// 1 while a commit is under way: forks wait on this.
static COMMITTING: AtomicU32 = AtomicU32::new(0);
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Keeps new forks waiting and waits for those under way. False when one does not end before `deadline`.
pub fn pause_forks(deadline: u64) -> bool {
    COMMITTING.store(1, SeqCst);
    while FORKS.load(SeqCst) != 0 {
        if now() > deadline {
            resume_forks();
            return false;
        }
        nap(50_000);
    }
    true
}

pub fn resume_forks() {
    COMMITTING.store(0, SeqCst);
    futex_wake(&COMMITTING);
}

extern "C" fn before_fork() {
    loop {
        FORKS.fetch_add(1, SeqCst);
        if COMMITTING.load(SeqCst) == 0 {
            return;
        }
        FORKS.fetch_sub(1, SeqCst);
        futex_wait(&COMMITTING, 1);
    }
}

extern "C" fn after_fork_in_parent() {
    FORKS.fetch_sub(1, SeqCst);
}

/// The child has no agent thread, and keeps nothing of what only that thread needs.
extern "C" fn after_fork_in_child() {
    FORKS.store(0, SeqCst);
    memory::close_after_fork();
    let connection = CONNECTION.swap(-1, SeqCst);
    if connection >= 0 {
        unsafe { call(libc::SYS_close, [connection as usize, 0, 0, 0, 0, 0]) };
    }
}
