// Programs that use Mach's calls as an agent does that patches the process it is in.

/** Writes over its own code the only way there is: a copy of the pages, changed and made executable, mapped over them. */
export const REMAP_PROGRAM = `
use std::hint::black_box;

unsafe extern "C" {
    static mach_task_self_: u32;
    fn mach_vm_allocate(task: u32, address: *mut u64, size: u64, flags: i32) -> i32;
    fn mach_vm_deallocate(task: u32, address: u64, size: u64) -> i32;
    fn mach_vm_protect(task: u32, address: u64, size: u64, maximum: i32, protection: i32) -> i32;
    fn mach_vm_remap(
        task: u32, target: *mut u64, size: u64, mask: u64, flags: i32, source_task: u32, source: u64, copy: i32,
        current: *mut i32, maximum: *mut i32, inheritance: u32,
    ) -> i32;
    fn sys_icache_invalidate(at: *mut u8, size: usize);
    fn getpagesize() -> i32;
}

#[inline(never)]
extern "C" fn one() -> u32 {
    1
}
#[inline(never)]
extern "C" fn two() -> u32 {
    2
}

fn main() {
    let size = unsafe { getpagesize() } as u64;
    println!("page {size} {}", black_box(one as extern "C" fn() -> u32)());
    let (from, to) = (two as *const () as u64, one as *const () as u64);
    let start = to / size * size;
    let length = (to + 64).div_ceil(size) * size - start;
    unsafe {
        let task = mach_task_self_;
        let (mut scratch, mut target, mut current, mut maximum) = (0, start, 0, 0);
        println!("allocate {}", mach_vm_allocate(task, &mut scratch, length, 1));
        std::ptr::copy_nonoverlapping(start as *const u8, scratch as *mut u8, length as usize);
        std::ptr::copy_nonoverlapping(from as *const u8, (scratch + to - start) as *mut u8, 8);
        println!("both {}", mach_vm_protect(task, scratch, length, 0, 7));
        println!("code writable {} {}", mach_vm_protect(task, start, length, 0, 3), mach_vm_protect(task, start, length, 0, 0x13));
        let mut remap = |flags: i32, source: u64, copy: i32| {
            mach_vm_remap(task, &mut target, length, 0, flags, task, source, copy, &mut current, &mut maximum, 1)
        };
        println!("writable over code {}", remap(0x4000, scratch, 1));
        println!("protect {}", mach_vm_protect(task, scratch, length, 0, 5));
        println!("occupied {}", remap(0, scratch, 0));
        println!("remap {}", remap(0x4000, scratch, 0));
        println!("{target_is} {current} {maximum}", target_is = target == start);
        sys_icache_invalidate(start as *mut u8, length as usize);
        println!("deallocate {}", mach_vm_deallocate(task, scratch, length));
    }
    println!("now {}", black_box(one as extern "C" fn() -> u32)());
}
`;

/** Suspends threads, one that computes and one that sleeps, reads where they stand, and lets them go on. */
export const SUSPEND_PROGRAM = `
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

unsafe extern "C" {
    static mach_task_self_: u32;
    fn task_threads(task: u32, threads: *mut *mut u32, count: *mut u32) -> i32;
    fn thread_suspend(thread: u32) -> i32;
    fn thread_resume(thread: u32) -> i32;
    fn thread_get_state(thread: u32, flavor: i32, state: *mut u64, count: *mut u32) -> i32;
    fn mach_thread_self() -> u32;
    fn mach_vm_deallocate(task: u32, address: u64, size: u64) -> i32;
}

static COUNT: AtomicU64 = AtomicU64::new(0);
static THREAD: AtomicU32 = AtomicU32::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

#[inline(never)]
fn compute() {
    THREAD.store(unsafe { mach_thread_self() }, SeqCst);
    while !STOP.load(SeqCst) {
        COUNT.fetch_add(1, SeqCst);
    }
}

fn threads() -> Vec<u32> {
    let (mut list, mut count) = (std::ptr::null_mut(), 0);
    unsafe {
        assert_eq!(task_threads(mach_task_self_, &mut list, &mut count), 0);
        let all = std::slice::from_raw_parts(list, count as usize).to_vec();
        mach_vm_deallocate(mach_task_self_, list as u64, u64::from(count) * 4);
        all
    }
}

fn registers(thread: u32) -> (i32, u64, u64) {
    let (flavor, size, sp, pc) = if cfg!(target_arch = "aarch64") { (6, 68, 31, 32) } else { (4, 42, 7, 16) };
    let (mut state, mut count) = ([0u64; 34], size);
    let result = unsafe { thread_get_state(thread, flavor, state.as_mut_ptr(), &mut count) };
    (result, state[sp], state[pc])
}

fn main() {
    let worker = std::thread::spawn(compute);
    let sleeper = std::thread::spawn(|| {
        let start = std::time::Instant::now();
        std::thread::sleep(Duration::from_millis(300));
        start.elapsed() >= Duration::from_millis(300)
    });
    let allocating: Vec<_> = (0..3)
        .map(|i| {
            std::thread::spawn(move || {
                let mut map = HashMap::new();
                let mut round = 0u64;
                while !STOP.load(SeqCst) {
                    round += 1;
                    map.insert(round % 100, vec![i; round as usize % 1000]);
                    if round % 50 == 0 {
                        assert!(std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(1))).is_err());
                    }
                }
                round
            })
        })
        .collect();
    while THREAD.load(SeqCst) == 0 || threads().len() < 6 {
        std::thread::yield_now();
    }
    let (own, thread) = (unsafe { mach_thread_self() }, THREAD.load(SeqCst));
    let all = threads();
    println!("threads {} {}", all.len(), all.contains(&own) && all.contains(&thread));
    println!("running {}", registers(thread).0);
    unsafe {
        println!("suspend {} {}", thread_suspend(thread), thread_suspend(thread));
        let before = COUNT.load(SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        println!("stands still {}", COUNT.load(SeqCst) == before);
        let (result, sp, pc) = registers(thread);
        let start = compute as *const () as u64;
        println!("state {result} {} {}", sp % 16 == 0 || cfg!(target_arch = "x86_64"), pc.abs_diff(start) < 1 << 20);
        println!("resume {} {}", thread_resume(thread), COUNT.load(SeqCst) == before);
        println!("resume {}", thread_resume(thread));
        while COUNT.load(SeqCst) == before {
            std::thread::yield_now();
        }
        // Over and over, all but this one, at any place: nobody is lost, nothing is broken.
        let mut held = Vec::with_capacity(100);
        for _ in 0..200 {
            held.extend(threads().into_iter().filter(|other| *other != own));
            held.retain(|other| thread_suspend(*other) == 0);
            let states = held.iter().filter(|other| registers(**other).0 == 0).count();
            assert_eq!(states, held.len());
            assert!(held.len() >= 4);
            held.drain(..).for_each(|other| assert_eq!(thread_resume(other), 0));
        }
        println!("not suspended {} nobody {}", thread_resume(thread), thread_suspend(4_000_000));
    }
    println!("slept {}", sleeper.join().unwrap());
    STOP.store(true, SeqCst);
    worker.join().unwrap();
    println!("allocated {}", allocating.into_iter().all(|each| each.join().unwrap() > 100));
}
`;
