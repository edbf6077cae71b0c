//! System calls without libc around them: for signal handlers (which must not touch `errno`) and for the time in which
//! threads are held (when nothing may be allocated, and no lock taken that one of them has).

use std::arch::asm;
use std::ffi::CStr;
use std::sync::atomic::AtomicU32;

/// A system call as the kernel sees it, with up to six arguments: the result is negative on error (`-errno`).
///
/// # Safety
/// As the call itself.
pub unsafe fn call<const N: usize>(number: i64, arguments: [usize; N]) -> isize {
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    let result: isize;
    asm!(
        "syscall",
        inlateout("rax") number as isize => result,
        in("rdi") argument(0), in("rsi") argument(1), in("rdx") argument(2),
        in("r10") argument(3), in("r8") argument(4), in("r9") argument(5),
        lateout("rcx") _, lateout("r11") _,
        options(nostack)
    );
    result
}

/// futex(2): FUTEX_WAIT sleeps while `word` is `value` (the caller looks again), FUTEX_WAKE wakes that
/// many sleepers.
pub fn futex(word: &AtomicU32, operation: i32, value: u32) {
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    unsafe { call(libc::SYS_futex, [word.as_ptr() as usize, operation as usize, value as usize, 0]) };
}

/// Opens something for reading; negative when it is not there, or not ours to read.
pub fn open(path: &CStr) -> isize {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    unsafe { call(libc::SYS_open, [path.as_ptr() as usize, flags as usize]) }
}

/// Reads what is there (a call like read(2): descriptor, buffer, size) into `buffer`.
pub fn read(number: i64, file: isize, buffer: &mut [u8]) -> Option<&[u8]> {
    let length = unsafe { call(number, [file as usize, buffer.as_mut_ptr() as usize, buffer.len()]) };
    buffer.get(..usize::try_from(length).ok()?)
}

pub fn close(file: isize) {
    unsafe { call(libc::SYS_close, [file as usize]) };
}
