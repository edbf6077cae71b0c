//! A program for the agent's tests on macOS: does what lines on its standard input say and answers each with one line.
use std::arch::global_asm;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

// Three instructions, so that a thread may stand in the middle of what is changed.
#[cfg(target_arch = "aarch64")]
global_asm!(".p2align 4", ".private_extern _plain", "_plain: mov x9, #1", "mov x0, x9", "ret");
#[cfg(target_arch = "x86_64")]
global_asm!(".p2align 4", ".private_extern _plain", "_plain: push rbp", "mov eax, 1", "pop rbp", "ret");

extern "C" fn first() -> u64 {
    1
}

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
    fn plain() -> u64;
    fn dlopen(path: *const u8, mode: i32) -> *const u8;
}

/// What calls go through, as one of ipbp's slots.
static SLOT: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);
/// Answers of `plain` that no version of it gives.
static STRANGE: AtomicU64 = AtomicU64::new(0);

fn call() -> u64 {
    let entry = SLOT.load(SeqCst);
    unsafe { std::mem::transmute::<usize, extern "C" fn() -> u64>(entry)() }
}

fn answer(line: &str) -> String {
    match line.split_once(' ').unwrap_or((line, "")) {
        ("addresses", _) => {
            let addresses = [&SLOT as *const _ as usize, first as *const () as usize, plain as *const () as usize];
            addresses.map(|address| format!("{address:x}")).join(" ")
        }
        ("plain", _) => unsafe { plain() }.to_string(),
        ("strange", _) => STRANGE.load(SeqCst).to_string(),
        ("call", _) => call().to_string(),
        ("busy", _) => CALLS.load(SeqCst).to_string(),
        ("traces", _) => {
            let names = ["IPBP_CONNECT", "IPBP_TOKEN", "IPBP_AGENT_THREAD", "DYLD_INSERT_LIBRARIES"];
            format!("{:?}", names.map(|name| std::env::var(name).ok()))
        }
        ("fork", _) => unsafe {
            let child = fork();
            if child == 0 {
                _exit(call() as i32);
            }
            let mut status = -1;
            waitpid(child, &mut status, 0);
            (status >> 8).to_string()
        },
        ("open", path) => (!unsafe { dlopen(format!("{path}\0").as_ptr(), 2) }.is_null()).to_string(),
        _ => "?".into(),
    }
}

fn main() {
    SLOT.store(first as *const () as usize, SeqCst);
    for _ in 0..2 {
        std::thread::spawn(|| loop {
            std::hint::black_box(call());
            for _ in 0..1000 {
                if !matches!(unsafe { plain() }, 1 | 2) {
                    STRANGE.fetch_add(1, SeqCst);
                }
            }
            CALLS.fetch_add(1, SeqCst);
            std::thread::sleep(std::time::Duration::from_micros(50));
        });
    }
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        println!("{}", answer(&line));
        let _ = std::io::stdout().flush();
    }
}
