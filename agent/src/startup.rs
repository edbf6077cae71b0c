//! How the agent comes into the program and its thread to life; inert unless `IPBP_CONNECT` and `IPBP_TOKEN` are set.

use crate::memory::{self, Room};
use crate::{connection, forks, identity, platform};
use std::mem::zeroed;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use std::sync::OnceLock;

pub struct Settings {
    pub address: String,
    pub token: [u8; 32],
    /// `IPBP_AGENT_THREAD=first-thread`: only when the program itself makes a thread, so that one which needs to be
    /// single-threaded for a while (unshare(2), setns(2)) can be.
    with_first_thread: bool,
    /// First address and size of what is kept for patches.
    pub reservation: (u64, u64),
    /// The same of pages near it, where those are others.
    pub beside: (u64, u64),
    /// Of each module that the loader had mapped: its base, and where the main thread has its thread-locals.
    pub tls_offsets: Vec<(u64, Option<i64>)>,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();
static THREAD_STARTED: AtomicBool = AtomicBool::new(false);
/// Open while there is a host; closed in forked children, so that the host sees the program's end, not its children's.
pub static CONNECTION: AtomicI32 = AtomicI32::new(-1);

#[cfg(not(test))]
#[used]
#[cfg_attr(target_os = "linux", link_section = ".init_array")]
#[cfg_attr(target_vendor = "apple", link_section = "__DATA,__mod_init_func,mod_init_funcs")]
static CONSTRUCTOR: extern "C" fn() = at_load;

extern "C" fn at_load() {
    // Nothing that goes wrong here may be seen by the program.
    let _ = std::panic::catch_unwind(|| {
        let Some(settings) = take_settings() else { return };
        std::panic::set_hook(Box::new(|_| ()));
        forks::watch();
        let _ = SETTINGS.set(settings);
        platform::loaded();
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
    // The loader names a library as this list does.
    let own = identity::own_module().map_or(Vec::new(), |module| module.image.path);
    let preloaded = std::env::var(platform::PRELOAD).unwrap_or_default();
    let others =
        preloaded.split(platform::PRELOAD_SEPARATORS).filter(|entry| !entry.is_empty() && entry.as_bytes() != own);
    match &others.collect::<Vec<_>>()[..] {
        [] => std::env::remove_var(platform::PRELOAD),
        others => std::env::set_var(platform::PRELOAD, others.join(":")),
    }
    let images: Vec<_> = identity::modules().into_iter().map(|module| module.image).collect();
    let tls_offsets = images.iter().map(|image| (image.base, image.tls_offset())).collect();
    let executable = images.first()?;
    let reservation = memory::reserve(executable.start(), Room::Executable);
    let beside = memory::reserve_beside(executable, Room::Executable);
    Some(Settings { address, token, with_first_thread, reservation, beside, tls_offsets })
}

fn parse_token(text: &str) -> Option<[u8; 32]> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// Called before every thread that the program makes (`first_thread`) and before `main`, or as close to that as the
/// system lets it be: one of them is wanted. The agent's thread takes no signals: those of the program go to the threads of the program.
pub fn start_thread(first_thread: bool) {
    let Some(settings) = SETTINGS.get().filter(|settings| settings.with_first_thread == first_thread) else { return };
    if THREAD_STARTED.swap(true, SeqCst) {
        return;
    }
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        // The stack: enough for the agent and for constructors that patches bring along.
        let builder = std::thread::Builder::new().name("ipbp-agent".into()).stack_size(1 << 20);
        let _ = builder.spawn(|| {
            platform::begin_thread();
            connection::serve(settings)
        });
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
    }
}
