//! A program for the agent's tests: has functions with known bytes, does what lines on its standard input say, and
//! answers each with one line. No dependencies, so that plain rustc builds it.
use std::arch::global_asm;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Duration;

// Each begins with an instruction of one byte: a jump of five covers instructions that a thread may stand at.
global_asm!(
    ".text",
    ".p2align 4",
    "plain: push rbp; mov rbp, rsp; mov eax, 1; pop rbp; ret",
    ".p2align 4",
    "hot: push rbp; mov rbp, rsp; mov eax, 1; pop rbp; ret",
    ".p2align 4",
    "quiet: push rbp; mov rbp, rsp; mov eax, 0; pop rbp; ret",
    // Too short for a long jump: `start` is two bytes long, the long jump goes to the padding behind it.
    ".p2align 4",
    "short: xor eax, eax; ret; int3; int3; int3; int3; int3; int3; int3; int3; int3; int3; int3; int3; int3",
    ".p2align 4",
);

#[repr(C)]
struct Timespec(i64, i64);

extern "C" {
    fn plain() -> u64;
    fn hot() -> u64;
    fn quiet() -> u64;
    fn short() -> u64;
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
    fn pipe(ends: *mut i32) -> i32;
    fn read(file: i32, into: *mut u8, length: usize) -> isize;
    fn epoll_create1(flags: i32) -> i32;
    fn epoll_wait(file: i32, events: *mut u8, count: i32, timeout: i32) -> i32;
    fn nanosleep(time: *const Timespec, rest: *mut Timespec) -> i32;
    fn pthread_sigmask(how: i32, set: *const [u64; 16], old: *mut [u64; 16]) -> i32;
    fn signal(signal: i32, handler: usize) -> usize;
    fn raise(signal: i32) -> i32;
}

static EINTR: AtomicU64 = AtomicU64::new(0);
static WAITS: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);
static STRANGE: AtomicU64 = AtomicU64::new(0);
static TRAPS: AtomicU64 = AtomicU64::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

fn call(name: &str) -> u64 {
    unsafe {
        match name {
            "plain" => plain(),
            "hot" => hot(),
            "quiet" => quiet(),
            _ => short(),
        }
    }
}

/// A call that waits, made directly: the standard library hides EINTR.
fn count(result: isize) {
    WAITS.fetch_add(1, SeqCst);
    if result < 0 && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted {
        EINTR.fetch_add(1, SeqCst);
    }
}

fn wait_for_ever(kind: usize) {
    unsafe {
        let mut byte = [0u8; 64];
        match kind % 4 {
            0 => {
                let mut ends = [0; 2];
                pipe(ends.as_mut_ptr());
                loop {
                    count(read(ends[0], byte.as_mut_ptr(), 1));
                }
            }
            1 => {
                let file = epoll_create1(0);
                loop {
                    count(epoll_wait(file, byte.as_mut_ptr(), 1, -1) as isize);
                }
            }
            // These wake up all the time: at any moment one may be about to block.
            2 => {
                let file = epoll_create1(0);
                loop {
                    count(epoll_wait(file, byte.as_mut_ptr(), 1, 2) as isize);
                    call("hot");
                }
            }
            _ => loop {
                count(nanosleep(&Timespec(0, 1_500_000), std::ptr::null_mut()) as isize);
                call("hot");
            },
        }
    }
}

fn spin() {
    while !STOP.load(SeqCst) {
        let mut calls = 0;
        for _ in 0..1000 {
            // 1 is the old body, 2 and 3 are what the test patches in.
            if !(1..=3).contains(&unsafe { hot() }) {
                STRANGE.fetch_add(1, SeqCst);
            }
            calls += 1;
        }
        CALLS.fetch_add(calls, SeqCst);
    }
}

extern "C" fn on_trap(_: i32) {
    TRAPS.fetch_add(1, SeqCst);
}

fn in_child(work: impl FnOnce() -> i32) -> i32 {
    unsafe {
        let child = fork();
        if child == 0 {
            _exit(work());
        }
        let mut status = 0;
        waitpid(child, &mut status, 0);
        // What a shell would say: 128 + the signal.
        if status & 0x7f != 0 { 128 + (status & 0x7f) } else { status >> 8 & 0xff }
    }
}

fn main() {
    // Threads that exist before any patch, and answer when told.
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let (ask, asked) = std::sync::mpsc::channel::<()>();
            let (answer, answers) = std::sync::mpsc::channel::<u64>();
            std::thread::spawn(move || {
                while asked.recv().is_ok() {
                    let _ = answer.send(call("quiet"));
                }
            });
            (ask, answers)
        })
        .collect();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let number = words.get(1).and_then(|word| word.parse::<usize>().ok()).unwrap_or(0);
        let answer = match words[0] {
            "addresses" => {
                let address = |function: unsafe extern "C" fn() -> u64| format!("{:x}", function as usize);
                [plain, hot, quiet, short].map(address).join(" ")
            }
            "call" => call(words[1]).to_string(),
            "old-threads" => {
                waiting.iter().for_each(|(ask, _)| ask.send(()).unwrap());
                let values = waiting.iter().map(|(_, answers)| answers.recv().unwrap().to_string());
                values.collect::<Vec<_>>().join(" ")
            }
            "new-thread" => std::thread::spawn(|| call("quiet")).join().unwrap().to_string(),
            // Threads come and go; each calls `quiet` as the first thing it does.
            "churn" => {
                for _ in 0..number {
                    std::thread::spawn(|| {
                        while !STOP.load(SeqCst) {
                            let value = std::thread::spawn(|| call("quiet")).join().unwrap();
                            CALLS.fetch_add(1, SeqCst);
                            if value != 0 && value != 0x1122_3344_5566_7788 {
                                STRANGE.fetch_add(1, SeqCst);
                            }
                        }
                    });
                }
                "ok".into()
            }
            "wait" => {
                let ready = Arc::new(Barrier::new(number + 1));
                for kind in 0..number {
                    let ready = ready.clone();
                    std::thread::spawn(move || {
                        ready.wait();
                        wait_for_ever(kind);
                    });
                }
                ready.wait();
                std::thread::sleep(Duration::from_millis(50));
                "ok".into()
            }
            "spin" => {
                (0..number).for_each(|_| drop(std::thread::spawn(spin)));
                "ok".into()
            }
            // One thread that takes no signals at all, as those that wait for signals do.
            "block-signals" => {
                std::thread::spawn(|| unsafe {
                    pthread_sigmask(0, &[u64::MAX; 16], std::ptr::null_mut());
                    loop {
                        nanosleep(&Timespec(1, 0), std::ptr::null_mut());
                    }
                });
                std::thread::sleep(Duration::from_millis(20));
                "ok".into()
            }
            "trap" => unsafe {
                signal(5, on_trap as *const () as usize);
                raise(5);
                std::arch::asm!("int3");
                TRAPS.load(SeqCst).to_string()
            },
            "fork" => in_child(|| (0..20_000).map(|_| call("hot")).max().unwrap() as i32).to_string(),
            "forks" => {
                std::thread::spawn(|| {
                    while !STOP.load(SeqCst) {
                        if in_child(|| i32::from(!(1..=3).contains(&call("hot")))) != 0 {
                            STRANGE.fetch_add(1, SeqCst);
                        }
                        CALLS.fetch_add(1, SeqCst);
                    }
                });
                "ok".into()
            }
            "environment" => {
                let own = std::env::vars().filter(|(name, _)| name.starts_with("IPBP") || name == "LD_PRELOAD");
                let child = std::process::Command::new("env").output().unwrap();
                let child = String::from_utf8_lossy(&child.stdout).into_owned();
                let inherited = child.lines().filter(|line| line.starts_with("IPBP") || line.starts_with("LD_PRELOAD"));
                format!("own={:?} child={:?}", own.collect::<Vec<_>>(), inherited.collect::<Vec<_>>())
            }
            "counts" => {
                let value = |counter: &AtomicU64| counter.load(SeqCst);
                format!("{} {} {} {}", value(&EINTR), value(&WAITS), value(&CALLS), value(&STRANGE))
            }
            "stop" => {
                STOP.store(true, SeqCst);
                "ok".into()
            }
            _ => "what?".into(),
        };
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}
