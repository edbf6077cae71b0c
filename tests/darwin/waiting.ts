// A program that waits in every way libSystem has: locks that are constants, unfair locks, addresses, semaphores, kqueue.

export const WAITING_PROGRAM = `
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

#[repr(C)]
struct Time {
    seconds: i64,
    nanoseconds: i64,
}
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
struct Event {
    ident: u64,
    filter: i16,
    flags: u16,
    fflags: u32,
    data: i64,
    udata: u64,
}
unsafe extern "C" {
    fn pthread_mutex_lock(lock: *mut c_void) -> i32;
    fn pthread_mutex_trylock(lock: *mut c_void) -> i32;
    fn pthread_mutex_unlock(lock: *mut c_void) -> i32;
    fn pthread_mutex_destroy(lock: *mut c_void) -> i32;
    fn pthread_cond_signal(condition: *mut c_void) -> i32;
    fn pthread_cond_timedwait_relative_np(condition: *mut c_void, lock: *mut c_void, time: *const Time) -> i32;
    fn pthread_rwlock_rdlock(lock: *mut c_void) -> i32;
    fn pthread_rwlock_trywrlock(lock: *mut c_void) -> i32;
    fn pthread_rwlock_unlock(lock: *mut c_void) -> i32;
    fn pthread_once(once: *mut c_void, function: extern "C" fn()) -> i32;
    fn pthread_key_create(key: *mut u64, destructor: extern "C" fn(*mut c_void)) -> i32;
    fn pthread_setspecific(key: u64, value: *const c_void) -> i32;
    fn os_unfair_lock_lock(lock: *mut u32);
    fn os_unfair_lock_trylock(lock: *mut u32) -> bool;
    fn os_unfair_lock_unlock(lock: *mut u32);
    fn __ulock_wait(operation: u32, at: *mut c_void, value: u64, microseconds: u32) -> i32;
    fn __ulock_wake(operation: u32, at: *mut c_void, value: u64) -> i32;
    fn dispatch_semaphore_create(value: isize) -> *mut c_void;
    fn dispatch_semaphore_signal(semaphore: *mut c_void) -> isize;
    fn dispatch_semaphore_wait(semaphore: *mut c_void, until: u64) -> isize;
    fn dispatch_time(when: u64, delta: i64) -> u64;
    fn kqueue() -> i32;
    fn kevent(queue: i32, changes: *const Event, count: i32, events: *mut Event, room: i32, time: *const Time) -> i32;
    fn pipe(fds: *mut i32) -> i32;
    fn read(fd: i32, to: *mut c_void, size: usize) -> isize;
    fn write(fd: i32, from: *const c_void, size: usize) -> isize;
    fn close(fd: i32) -> i32;
    fn dup(fd: i32) -> i32;
}

struct Shared<T>(UnsafeCell<T>);
unsafe impl<T> Sync for Shared<T> {}
impl<T> Shared<T> {
    fn at(&self) -> *mut c_void {
        self.0.get().cast()
    }
}
const fn constant<const N: usize>(signature: u64) -> Shared<[u64; N]> {
    let mut words = [0; N];
    words[0] = signature;
    Shared(UnsafeCell::new(words))
}
static PLAIN: Shared<[u64; 8]> = constant(0x32AAABA7);
static RECURSIVE: Shared<[u64; 8]> = constant(0x32AAABA2);
static CHECKED: Shared<[u64; 8]> = constant(0x32AAABA1);
static CONDITION: Shared<[u64; 6]> = constant(0x3CB0B1BB);
static READ_WRITE: Shared<[u64; 25]> = constant(0x2DA8B3B4);
static ONCE: Shared<[u64; 2]> = constant(0x30B1BCBA);
static UNFAIR: Shared<u32> = Shared(UnsafeCell::new(0));
static COUNTER: Shared<u64> = Shared(UnsafeCell::new(0));
static CALLS: AtomicU32 = AtomicU32::new(0);
static DESTROYED: AtomicU64 = AtomicU64::new(0);

extern "C" fn called() {
    CALLS.fetch_add(1, SeqCst);
}
extern "C" fn destroy(value: *mut c_void) {
    DESTROYED.fetch_add(value as u64, SeqCst);
}

fn count_under(lock: fn(), unlock: fn()) -> u64 {
    unsafe { *COUNTER.0.get() = 0 };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..5000 {
                    lock();
                    unsafe { *COUNTER.0.get() += 1 };
                    unlock();
                }
            });
        }
    });
    unsafe { *COUNTER.0.get() }
}

unsafe fn locks() {
    unsafe {
        let plain = count_under(|| unsafe { assert_eq!(pthread_mutex_lock(PLAIN.at()), 0) }, || unsafe { assert_eq!(pthread_mutex_unlock(PLAIN.at()), 0) });
        println!("mutex {plain} {} {} {}", pthread_mutex_trylock(PLAIN.at()), pthread_mutex_trylock(PLAIN.at()), pthread_mutex_unlock(PLAIN.at()));
        println!("recursive {} {} {} {} {}", pthread_mutex_lock(RECURSIVE.at()), pthread_mutex_lock(RECURSIVE.at()), pthread_mutex_unlock(RECURSIVE.at()), pthread_mutex_unlock(RECURSIVE.at()), pthread_mutex_unlock(RECURSIVE.at()));
        println!("checked {} {} {}", pthread_mutex_lock(CHECKED.at()), pthread_mutex_lock(CHECKED.at()), pthread_mutex_unlock(CHECKED.at()));
        println!("destroyed {} {}", pthread_mutex_destroy(CHECKED.at()), pthread_mutex_lock(CHECKED.at()));
        pthread_mutex_lock(PLAIN.at());
        let start = Instant::now();
        let timed = pthread_cond_timedwait_relative_np(CONDITION.at(), PLAIN.at(), &Time { seconds: 0, nanoseconds: 20_000_000 });
        println!("condition {timed} {}", start.elapsed() >= Duration::from_millis(20));
        let waker = std::thread::spawn(|| {
            pthread_mutex_lock(PLAIN.at());
            pthread_cond_signal(CONDITION.at());
            pthread_mutex_unlock(PLAIN.at());
        });
        println!("signalled {}", pthread_cond_timedwait_relative_np(CONDITION.at(), PLAIN.at(), &Time { seconds: 20, nanoseconds: 0 }));
        pthread_mutex_unlock(PLAIN.at());
        waker.join().unwrap();
        println!("read-write {} {} {} {} {}", pthread_rwlock_rdlock(READ_WRITE.at()), pthread_rwlock_rdlock(READ_WRITE.at()), pthread_rwlock_trywrlock(READ_WRITE.at()), pthread_rwlock_unlock(READ_WRITE.at()), pthread_rwlock_unlock(READ_WRITE.at()));
        println!("once {} {} {}", pthread_once(ONCE.at(), called), pthread_once(ONCE.at(), called), CALLS.load(SeqCst));
        let unfair = count_under(|| unsafe { os_unfair_lock_lock(UNFAIR.0.get()) }, || unsafe { os_unfair_lock_unlock(UNFAIR.0.get()) });
        println!("unfair {unfair} {} {}", os_unfair_lock_trylock(UNFAIR.0.get()), os_unfair_lock_trylock(UNFAIR.0.get()));
        let mut key = u64::MAX;
        println!("key {} {}", pthread_key_create(&mut key, destroy), key < 1 << 20);
        std::thread::spawn(move || pthread_setspecific(key, 7 as *const c_void)).join().unwrap();
        println!("of a thread {}", DESTROYED.load(SeqCst));
    }
}

unsafe fn addresses() {
    static WORD: AtomicU32 = AtomicU32::new(5);
    unsafe {
        let at = WORD.as_ptr().cast::<c_void>();
        println!("other value {}", __ulock_wait(0x1000001, at, 4, 0));
        println!("timed out {}", __ulock_wait(0x1000001, at, 5, 10_000));
        println!("nobody {}", __ulock_wake(0x1000001, at, 0));
        let waker = std::thread::spawn(|| {
            WORD.store(6, SeqCst);
            while __ulock_wake(0x1000101, WORD.as_ptr().cast(), 0) != 0 && WORD.load(SeqCst) == 6 {
                std::thread::yield_now();
            }
        });
        while WORD.load(SeqCst) == 5 {
            __ulock_wait(0x1000001, at, 5, 0);
        }
        WORD.store(7, SeqCst);
        waker.join().unwrap();
        let semaphore = dispatch_semaphore_create(1);
        let soon = dispatch_time(0, 20_000_000);
        println!("semaphore {} {} {}", dispatch_semaphore_wait(semaphore, 0), dispatch_semaphore_wait(semaphore, soon), dispatch_semaphore_signal(semaphore));
        println!("for ever {}", dispatch_semaphore_wait(semaphore, u64::MAX));
    }
}

const READ: i16 = -1;
const WRITE: i16 = -2;
const TIMER: i16 = -7;
const USER: i16 = -10;

unsafe fn ask(queue: i32, changes: &[Event], milliseconds: i64) -> Vec<Event> {
    let mut events = [Event::default(); 8];
    let time = Time { seconds: milliseconds / 1000, nanoseconds: milliseconds % 1000 * 1_000_000 };
    let count = unsafe { kevent(queue, changes.as_ptr(), changes.len() as i32, events.as_mut_ptr(), 8, &time) };
    if count < 0 {
        println!("failed {:?}", std::io::Error::last_os_error().raw_os_error());
    }
    let mut events = events[..count.max(0) as usize].to_vec();
    events.sort_by_key(|event| (event.filter, event.ident));
    events
}
fn told(events: &[Event]) -> String {
    events.iter().map(|e| format!("[{} {:#x} {} {}]", e.filter, e.flags, e.data, e.udata)).collect()
}

unsafe fn queues() {
    unsafe {
        let (mut fds, queue) = ([0; 2], kqueue());
        pipe(fds.as_mut_ptr());
        let (from, to) = (fds[0] as u64, fds[1] as u64);
        let on = |ident, filter, flags, udata| Event { ident, filter, flags, udata, ..Event::default() };
        println!("writable {}", told(&ask(queue, &[on(from, READ, 1, 11), on(to, WRITE, 0x21, 12)], 1000)));
        println!("edge {}", told(&ask(queue, &[], 0)));
        write(fds[1], c"abc".as_ptr().cast(), 3);
        println!("readable {}", told(&ask(queue, &[on(to, WRITE, 2, 0)], 1000)));
        println!("level {}", told(&ask(queue, &[], 1000)));
        let other = dup(queue);
        println!("disabled {}", told(&ask(other, &[on(from, READ, 8, 0)], 0)));
        println!("enabled {}", told(&ask(other, &[on(from, READ, 4, 11)], 1000)));
        read(fds[0], [0u8; 3].as_mut_ptr().cast(), 3);
        close(fds[1]);
        println!("end {}", told(&ask(queue, &[], 1000)));
        close(fds[0]);
        println!("closed {}", told(&ask(queue, &[], 0)));
        println!("receipt {}", told(&ask(queue, &[on(1, USER, 0x61, 5), on(9, READ, 0x42, 0)], 0)));
        let mut trigger = on(1, USER, 0, 5);
        trigger.fflags = 0x0100_0000;
        let waker = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            kevent(other, &trigger, 1, null_mut(), 0, null())
        });
        println!("woken {} {}", told(&ask(queue, &[], 20_000)), waker.join().unwrap());
        println!("clear {}", told(&ask(queue, &[], 0)));
        let mut timer = on(2, TIMER, 0x11, 6);
        timer.data = 20;
        let start = Instant::now();
        println!("timer {} {}", told(&ask(queue, &[timer], 20_000)), start.elapsed() >= Duration::from_millis(20));
        println!("once {}", told(&ask(queue, &[], 50)));
        println!("unknown {}", told(&ask(queue, &[on(1, -5, 0x41, 0)], 0)));
    }
}

fn main() {
    unsafe {
        locks();
        addresses();
        queues();
    }
}
`;

/** What it says. Errors have macOS's numbers: EDEADLK 11, EBUSY 16, EINVAL 22, ENOTSUP 45, ETIMEDOUT 60, ENOENT 2. */
export const WAITING_OUTPUT = [
  'mutex 20000 0 16 0',
  'recursive 0 0 0 0 1',
  'checked 0 11 0',
  'destroyed 0 22',
  'condition 60 true',
  'signalled 0',
  'read-write 0 0 16 0 0',
  'once 0 0 1',
  'unfair 20000 true false',
  'key 0 true',
  'of a thread 7',
  'other value 0',
  'timed out -60',
  'nobody -2',
  'semaphore 0 49 0',
  'for ever 0',
  'writable [-2 0x20 0 12]',
  'edge ',
  'readable [-1 0x0 3 11]',
  'level [-1 0x0 3 11]',
  'disabled ',
  'enabled [-1 0x0 3 11]',
  'end [-1 0x8000 0 11]',
  'closed ',
  'receipt [-10 0x4000 0 5][-1 0x4000 2 0]',
  'woken [-10 0x20 0 5] 0',
  'clear ',
  'timer [-7 0x10 1 6] true',
  'once ',
  'unknown [-5 0x4000 45 0]',
];
