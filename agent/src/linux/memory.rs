//! Reading and writing the program's memory where a plain load or store could fault or is not permitted, and the address
//! space below the executable that is kept for patches.

use super::images::Image;
use super::syscalls::call;
use crate::memory::{Region, Room, PROT_READ, PROT_WRITE};
use libc::{MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_PRIVATE, PROT_NONE};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

pub const PAGE: u64 = 4096;
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

/// Copies out what the program has there; false where it is not mapped, or only kept for patches: the kernel would read
/// that for us, too.
pub fn read_mapped(regions: &Regions, address: u64, into: &mut [u8]) -> bool {
    regions.rights(address, 1) != Some(PROT_NONE) && read(address, into)
}

/// Changes bytes of code. None where this has no way of its own: then as data is changed.
pub fn write_code(address: u64, bytes: &[u8]) -> Option<bool> {
    (PASSES_PROTECTION.load(SeqCst) && write_file(address, bytes)).then_some(true)
}

/// Whether [`write_code`] will work; None as there.
pub fn can_write_code() -> Option<bool> {
    PASSES_PROTECTION.load(SeqCst).then_some(true)
}

/// Keeps address space that ends at `end`, or close below it, below what lies there (the kernel puts its own pages just
/// below a program without a loader); `(first, size)`, size 0 where none can be had.
pub fn reserve(end: u64, room: Room) -> (u64, u64) {
    let end = end & !(PAGE - 1);
    // How far below it may end: patches must reach the program's own code and data.
    let farthest = match room {
        Room::Executable => 256 << 20,
        Room::Library => 1 << 30,
    };
    let reserve = |end: u64, size: u64| {
        let start = end.checked_sub(size).filter(|start| *start >= LOWEST_ADDRESS)?;
        map_anew(start, size, PROT_NONE, MAP_NORESERVE | MAP_FIXED_NOREPLACE).then_some((start, size))
    };
    let near = || {
        let starts = regions().into_iter().rev().map(|region| region.0);
        let near = starts.filter(|start| *start < end && end - start < farthest);
        let mut ends: Vec<u64> = near.collect();
        ends.push(ends.last().unwrap_or(&end).saturating_sub(UNLISTED));
        ends
    };
    let place = |size| reserve(end, size).or_else(|| near().into_iter().find_map(|end| reserve(end, size)));
    room.sizes().iter().copied().find_map(place).unwrap_or((end, 0))
}

/// What [`reserve`] keeps is near enough for all that a jump leads to.
pub fn reserve_beside(image: &Image, _: Room) -> (u64, u64) {
    (image.start(), 0)
}

/// Maps zeroed writable pages over a part of what is kept for patches.
pub fn map(address: u64, length: u64) -> Result<(), &'static str> {
    let mapped = map_anew(address, length, PROT_READ | PROT_WRITE, MAP_FIXED);
    mapped.then_some(()).ok_or("the system does not map it")
}

/// Takes [`map`] back: what is kept for patches stays kept.
pub fn unmap(address: u64, length: u64) {
    map_anew(address, length, PROT_NONE, MAP_FIXED | MAP_NORESERVE);
}

/// The processor sees by itself what was written as code.
pub fn fetch_anew(_: u64, _: u64) {}

/// At just this place; with MAP_FIXED also over what is there.
fn map_anew(address: u64, length: u64, protection: i32, flags: i32) -> bool {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | flags;
    address == unsafe { libc::mmap(address as *mut _, length as usize, protection, flags, -1, 0) } as u64
}

/// What is mapped, as it was when that was read.
#[derive(Default)]
pub struct Regions(Vec<Region>);

impl Regions {
    pub fn now() -> Self {
        Regions(regions())
    }

    /// Rights of the one region that holds these bytes.
    pub fn rights(&self, address: u64, length: usize) -> Option<i32> {
        let holds = |region: &&Region| region.0 <= address && address + length as u64 <= region.1;
        self.0.iter().find(holds).map(|region| region.2)
    }

    /// Those that begin in this range.
    pub fn within(&self, start: u64, end: u64) -> Vec<Region> {
        self.0.iter().copied().filter(|region| (start..end).contains(&region.0)).collect()
    }
}

/// All that is mapped, by address (proc_pid_maps(5)).
fn regions() -> Vec<Region> {
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
