//! System calls without libc around them: for signal handlers (which must not touch `errno`) and for the time in which
//! threads are held (when nothing may be allocated).

use std::arch::asm;
use std::sync::atomic::AtomicU32;

/// A system call as the kernel sees it: the result is negative on error (`-errno`).
///
/// # Safety
/// As the call itself.
pub unsafe fn call(number: i64, arguments: [usize; 6]) -> isize {
    let result: isize;
    asm!(
        "syscall",
        inlateout("rax") number as isize => result,
        in("rdi") arguments[0],
        in("rsi") arguments[1],
        in("rdx") arguments[2],
        in("r10") arguments[3],
        in("r8") arguments[4],
        in("r9") arguments[5],
        lateout("rcx") _,
        lateout("r11") _,
        options(nostack)
    );
    result
}

/// Sleeps while `word` is `value` (or a little less: the caller looks again).
pub fn futex_wait(word: &AtomicU32, value: u32) {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let arguments = [word.as_ptr() as usize, operation as usize, value as usize, 0, 0, 0];
    unsafe { call(libc::SYS_futex, arguments) };
}

/// Wakes all that sleep on `word`.
pub fn futex_wake(word: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    let arguments = [word.as_ptr() as usize, operation as usize, i32::MAX as usize, 0, 0, 0];
    unsafe { call(libc::SYS_futex, arguments) };
}

/// Nanoseconds of the monotonic clock.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Lets other threads run for about this long.
pub fn nap(nanoseconds: u64) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: nanoseconds as i64 };
    unsafe { call(libc::SYS_nanosleep, [&time as *const _ as usize, 0, 0, 0, 0, 0]) };
}

/// Reads a small file of /proc into `buffer` without allocating. `path` ends in a zero byte. None: no such file, or not
/// ours to read.
pub fn read_small_file<'a>(path: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    debug_assert_eq!(path.last(), Some(&0));
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    let directory = libc::AT_FDCWD as isize as usize;
    unsafe {
        let file = call(libc::SYS_openat, [directory, path.as_ptr() as usize, flags, 0, 0, 0]);
        if file < 0 {
            return None;
        }
        let length = call(libc::SYS_read, [file as usize, buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0]);
        call(libc::SYS_close, [file as usize, 0, 0, 0, 0, 0]);
        buffer.get(..usize::try_from(length).ok()?)
    }
}
