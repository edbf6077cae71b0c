//! Reading and writing the program's memory where a plain load or store could fault or is not permitted, and the address
//! space below the executable that is kept for patches.

use crate::syscalls::call;
use libc::{MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_PRIVATE, PROT_EXEC, PROT_NONE, PROT_WRITE};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::SeqCst};

pub const PAGE: u64 = 4096;
/// How much address space to ask for below the executable, best first, and how far below it may end: patches must reach
/// the program's own code and data.
pub const BELOW_EXECUTABLE: (&[u64], u64) = (&[1 << 30, 256 << 20, 64 << 20], 256 << 20);
/// The same for a library: there may be many, and they lie close together.
pub const BELOW_LIBRARY: (&[u64], u64) = (&[64 << 20, 16 << 20], 1 << 30);
/// More than what reading the list of regions takes: a C library (musl) may map that anew, below all that is listed.
const UNLISTED: u64 = 1 << 20;
/// Nothing is mapped below this: the system's own floor (vm.mmap_min_addr) is at most 64 KiB.
const LOWEST_ADDRESS: u64 = 1 << 16;

/// /proc/self/mem: reads and writes that fail instead of faulting, and that pass write protection. −1: not open.
pub static MEMORY_FILE: AtomicI32 = AtomicI32::new(-1);
/// Whether that file may write to read-only pages (newer kernels can be told to refuse it).
static PASSES_PROTECTION: AtomicBool = AtomicBool::new(false);

/// Once, in the agent's thread. None where the system has not what patching needs (Linux 4.17, with /proc).
pub fn open() -> Option<()> {
    let file = unsafe { libc::open(c"/proc/self/mem".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    MEMORY_FILE.store(file, SeqCst);
    // Writing a byte of the agent's own code over itself shows whether protection is passed.
    let (own, mut byte) = (open as *const () as u64, [0]);
    let readable = read(own, &mut byte);
    PASSES_PROTECTION.store(readable && write_file(own, &byte), SeqCst);
    let register = libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE as usize;
    (readable && unsafe { call(libc::SYS_membarrier, [register, 0]) } == 0).then_some(())
}

/// Makes every thread of the program execute what is in memory now, nothing fetched before.
pub fn serialise_cores() {
    unsafe { call(libc::SYS_membarrier, [libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE as usize, 0]) };
}

/// Copies memory out; false where it is not mapped.
pub fn read(address: u64, into: &mut [u8]) -> bool {
    let file = MEMORY_FILE.load(SeqCst) as usize;
    let arguments = [file, into.as_mut_ptr() as usize, into.len(), address as usize];
    unsafe { call(libc::SYS_pread64, arguments) == into.len() as isize }
}

/// Copies to where this is allowed, or only forbidden by protection; false where nothing is mapped (any more).
pub fn write_file(address: u64, bytes: &[u8]) -> bool {
    let file = MEMORY_FILE.load(SeqCst) as usize;
    let arguments = [file, bytes.as_ptr() as usize, bytes.len(), address as usize];
    unsafe { call(libc::SYS_pwrite64, arguments) == bytes.len() as isize }
}

/// Changes bytes of code or data. `protection` is what the pages have. One byte and, in data, 8 aligned ones change at
/// once; more may be seen in part.
pub fn write(address: u64, bytes: &[u8], protection: i32) -> bool {
    if protection & PROT_EXEC != 0 && PASSES_PROTECTION.load(SeqCst) && write_file(address, bytes) {
        return true;
    }
    while_writable(address, bytes.len(), protection, || unsafe {
        match <[u8; 8]>::try_from(bytes) {
            Ok(word) if address % 8 == 0 => (*(address as *const AtomicU64)).store(u64::from_le_bytes(word), SeqCst),
            _ => (address..).zip(bytes).for_each(|(at, byte)| (at as *mut u8).write_volatile(*byte)),
        }
    })
}

/// Whether [`write`] will work there.
pub fn can_write(address: u64, length: usize, protection: i32) -> bool {
    (protection & PROT_EXEC != 0 && PASSES_PROTECTION.load(SeqCst))
        || while_writable(address, length, protection, || ())
}

fn while_writable(address: u64, length: usize, protection: i32, work: impl FnOnce()) -> bool {
    let start = address & !(PAGE - 1);
    let size = (address + length as u64).next_multiple_of(PAGE) - start;
    let read_only = protection & PROT_WRITE == 0;
    // All other rights stay: running threads must be able to execute the page all the while.
    if read_only && !protect(start, size, protection | PROT_WRITE) {
        return false;
    }
    work();
    !read_only || protect(start, size, protection)
}

/// Changes the rights of whole pages.
pub fn protect(address: u64, length: u64, protection: i32) -> bool {
    unsafe { libc::mprotect(address as *mut _, length as usize, protection) == 0 }
}

/// Keeps address space that ends at `end`, or close below it, below what lies there (the kernel puts its own pages just
/// below a program without a loader); `(first, size)`, size 0 where none can be had.
pub fn reserve_below(end: u64, (sizes, farthest): (&[u64], u64)) -> (u64, u64) {
    let end = end & !(PAGE - 1);
    let reserve = |end: u64, size: u64| {
        let start = end.checked_sub(size).filter(|start| *start >= LOWEST_ADDRESS)?;
        map(start, size, PROT_NONE, MAP_NORESERVE | MAP_FIXED_NOREPLACE).then_some((start, size))
    };
    let near = || {
        let starts = regions().into_iter().rev().map(|region| region.0);
        let near = starts.filter(|start| *start < end && end - start < farthest);
        let mut ends: Vec<u64> = near.collect();
        ends.push(ends.last().unwrap_or(&end).saturating_sub(UNLISTED));
        ends
    };
    let place = |size| reserve(end, size).or_else(|| near().into_iter().find_map(|end| reserve(end, size)));
    sizes.iter().copied().find_map(place).unwrap_or((end, 0))
}

/// Maps zeroed pages, at just this place; with MAP_FIXED also over what is there: parts of the reservation, that is.
pub fn map(address: u64, length: u64, protection: i32, flags: i32) -> bool {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | flags;
    address == unsafe { libc::mmap(address as *mut _, length as usize, protection, flags, -1, 0) } as u64
}

/// A mapped range of addresses: start, end, rights.
pub type Region = (u64, u64, i32);

/// All that is mapped, by address (proc_pid_maps(5)).
pub fn regions() -> Vec<Region> {
    let text = std::fs::read("/proc/self/maps").unwrap_or_default();
    let region = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        // "rwx" with '-' for each that is missing: PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4.
        let rights = rest.bytes().take(3).enumerate().filter(|(_, right)| *right != b'-');
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        Some((hex(start)?, hex(end)?, rights.map(|(bit, _)| 1 << bit).sum()))
    };
    String::from_utf8_lossy(&text).lines().filter_map(region).collect()
}

/// Rights of the one region that holds these bytes.
pub fn rights(regions: &[Region], address: u64, length: usize) -> Option<i32> {
    let holds = |region: &&Region| region.0 <= address && address + length as u64 <= region.1;
    regions.iter().find(holds).map(|region| region.2)
}
