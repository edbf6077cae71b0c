//! Reading and writing the program's memory where a plain load or store could fault or is not permitted, and the address
//! space below the executable that is kept for patches.

use crate::syscalls::call;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

pub const PAGE: u64 = 4096;
/// How much address space to ask for, best first.
const RESERVATION_SIZES: [u64; 3] = [1 << 30, 256 << 20, 64 << 20];
/// Nothing is mapped below this: the system's own floor (vm.mmap_min_addr) is at most 64 KiB.
const LOWEST_ADDRESS: u64 = 1 << 16;

/// /proc/self/mem: reads and writes that fail instead of faulting, and that pass write protection. −1: not open.
static MEMORY_FILE: AtomicI32 = AtomicI32::new(-1);
/// Whether that file may write to read-only pages (newer kernels can be told to refuse it).
static PASSES_PROTECTION: AtomicBool = AtomicBool::new(false);
static HAS_MEMBARRIER: AtomicBool = AtomicBool::new(false);

const MEMBARRIER_SYNC_CORE: usize = 1 << 5;
const MEMBARRIER_REGISTER_SYNC_CORE: usize = 1 << 6;

/// Once, in the agent's thread.
pub fn open() {
    let flags = libc::O_RDWR | libc::O_CLOEXEC;
    let file = unsafe { libc::open(c"/proc/self/mem".as_ptr(), flags) };
    MEMORY_FILE.store(file, SeqCst);
    // Writing a byte of the agent's own code over itself shows whether protection is passed.
    let own = open as *const () as u64;
    let mut byte = [0];
    PASSES_PROTECTION.store(read(own, &mut byte) && write_file(own, &byte), SeqCst);
    let registered = unsafe { call(libc::SYS_membarrier, [MEMBARRIER_REGISTER_SYNC_CORE, 0, 0, 0, 0, 0]) };
    HAS_MEMBARRIER.store(registered == 0, SeqCst);
}

/// In a forked child: the file would still be the parent's memory.
pub fn close_after_fork() {
    let file = MEMORY_FILE.swap(-1, SeqCst);
    if file >= 0 {
        unsafe { call(libc::SYS_close, [file as usize, 0, 0, 0, 0, 0]) };
    }
}

/// Copies memory out; false where it cannot be read.
pub fn read(address: u64, into: &mut [u8]) -> bool {
    let file = MEMORY_FILE.load(SeqCst);
    let length = if file >= 0 {
        let arguments = [file as usize, into.as_mut_ptr() as usize, into.len(), address as usize, 0, 0];
        unsafe { call(libc::SYS_pread64, arguments) }
    } else {
        transfer(libc::SYS_process_vm_readv, into.as_mut_ptr() as usize, into.len(), address)
    };
    length == into.len() as isize
}

/// Copies into writable memory of the program; false where it is not mapped (any more) or not writable.
pub fn write_data(address: u64, bytes: &[u8]) -> bool {
    write_file(address, bytes)
        || transfer(libc::SYS_process_vm_writev, bytes.as_ptr() as usize, bytes.len(), address) == bytes.len() as isize
}

/// Changes bytes of code. `protection` is what the pages have. One byte is written at once, more may be seen in part.
pub fn write_code(address: u64, bytes: &[u8], protection: i32) -> bool {
    if PASSES_PROTECTION.load(SeqCst) && write_file(address, bytes) {
        return true;
    }
    // Running threads must be able to execute the page all the while.
    with_protection(address, bytes.len(), protection | libc::PROT_WRITE, protection, || {
        for (index, byte) in bytes.iter().enumerate() {
            unsafe { ((address as usize + index) as *mut u8).write_volatile(*byte) };
        }
    })
}

/// Whether [`write_code`] will work there.
pub fn can_write_code(address: u64, length: usize, protection: i32) -> bool {
    PASSES_PROTECTION.load(SeqCst) || with_protection(address, length, protection | libc::PROT_WRITE, protection, || ())
}

/// Changes a pointer or other data; 8 aligned bytes change at once. `protection` is what the pages have.
pub fn write_cell(address: u64, bytes: &[u8], protection: i32) -> bool {
    let store = || match <[u8; 8]>::try_from(bytes) {
        Ok(word) if address % 8 == 0 => unsafe {
            (*(address as *const std::sync::atomic::AtomicU64)).store(u64::from_le_bytes(word), SeqCst)
        },
        _ => unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) },
    };
    if protection & libc::PROT_WRITE != 0 {
        store();
        return true;
    }
    with_protection(address, bytes.len(), libc::PROT_READ | libc::PROT_WRITE, protection, store)
}

/// Makes every thread of the program execute what is in memory now, nothing fetched before.
pub fn serialise_cores() {
    if HAS_MEMBARRIER.load(SeqCst) && unsafe { call(libc::SYS_membarrier, [MEMBARRIER_SYNC_CORE, 0, 0, 0, 0, 0]) } == 0
    {
        return;
    }
    // Taking a right away from a used page interrupts every core that runs this program, and returning from an
    // interrupt serialises (Intel SDM vol. 3, 9.3).
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), PAGE as usize, libc::PROT_WRITE, flags, -1, 0);
        if page != libc::MAP_FAILED {
            (page as *mut u8).write_volatile(1);
            libc::mprotect(page, PAGE as usize, libc::PROT_READ);
            libc::munmap(page, PAGE as usize);
        }
    }
}

/// Changes the rights of whole pages.
pub fn protect(address: u64, length: u64, protection: i32) -> bool {
    unsafe { libc::mprotect(address as *mut _, length as usize, protection) == 0 }
}

/// Keeps address space that ends at `end`; `(first, size)`, size 0 where none can be had.
pub fn reserve_below(end: u64) -> (u64, u64) {
    let end = end & !(PAGE - 1);
    for size in RESERVATION_SIZES {
        if end < size + LOWEST_ADDRESS {
            continue;
        }
        let start = end - size;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
        let got = unsafe { libc::mmap(start as *mut _, size as usize, libc::PROT_NONE, flags, -1, 0) };
        if got as u64 == start {
            return (start, size);
        }
        if got != libc::MAP_FAILED {
            // A kernel older than the flag took the address for a hint.
            unsafe { libc::munmap(got, size as usize) };
        }
    }
    (end, 0)
}

/// Fresh zeroed writable pages over a part of the reservation.
pub fn map_pages(address: u64, length: u64) -> bool {
    map_over(address, length, libc::PROT_READ | libc::PROT_WRITE, 0)
}

/// Gives a part of the reservation back to it.
pub fn unmap_pages(address: u64, length: u64) -> bool {
    map_over(address, length, libc::PROT_NONE, libc::MAP_NORESERVE)
}

/// A mapped range of addresses: start, end, rights.
pub type Region = (u64, u64, i32);

/// All that is mapped, by address (proc_pid_maps(5)).
pub fn regions() -> Vec<Region> {
    let text = std::fs::read("/proc/self/maps").unwrap_or_default();
    let line = |line: &[u8]| {
        // Two addresses and the rights; what follows them may be any bytes (a path).
        let line = std::str::from_utf8(line.get(..line.len().min(40))?).ok()?;
        let mut fields = line.split(' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let rights = fields.next()?.as_bytes();
        let right = |index: usize, bit: i32| if rights.get(index) == Some(&b'-') { 0 } else { bit };
        let protection = right(0, libc::PROT_READ) | right(1, libc::PROT_WRITE) | right(2, libc::PROT_EXEC);
        Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?, protection))
    };
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

fn write_file(address: u64, bytes: &[u8]) -> bool {
    let file = MEMORY_FILE.load(SeqCst);
    let arguments = [file as usize, bytes.as_ptr() as usize, bytes.len(), address as usize, 0, 0];
    file >= 0 && unsafe { call(libc::SYS_pwrite64, arguments) } == bytes.len() as isize
}

fn transfer(number: i64, local: usize, length: usize, remote: u64) -> isize {
    let here = libc::iovec { iov_base: local as *mut _, iov_len: length };
    let there = libc::iovec { iov_base: remote as *mut _, iov_len: length };
    let process = std::process::id() as usize;
    let arguments = [process, &here as *const _ as usize, 1, &there as *const _ as usize, 1, 0];
    unsafe { call(number, arguments) }
}

fn with_protection(address: u64, length: usize, during: i32, after: i32, work: impl FnOnce()) -> bool {
    let start = address & !(PAGE - 1);
    let size = ((address + length as u64 + PAGE - 1) & !(PAGE - 1)) - start;
    if !protect(start, size, during) {
        return false;
    }
    work();
    protect(start, size, after);
    true
}

fn map_over(address: u64, length: u64, protection: i32, flags: i32) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | flags;
    let got = unsafe { libc::mmap(address as *mut _, length as usize, protection, flags, -1, 0) };
    got != libc::MAP_FAILED
}
