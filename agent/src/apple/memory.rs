//! Reading the program's memory where a plain load could fault, writing its code, and the addresses that stand for patches.

use super::mach;
use super::threads::Lookout;
use crate::memory::{Region, Room};
use std::arch::global_asm;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Instant;

/// What the loader aligns segments to. On x86_64 also where the processor is another (Rosetta).
#[cfg(target_arch = "aarch64")]
pub const PAGE: u64 = 16384;
#[cfg(target_arch = "x86_64")]
pub const PAGE: u64 = 4096;

/// Once, in the agent's thread. None where the system has not what patching needs.
pub fn open() -> Option<()> {
    mach::read(open as *const () as u64, &mut [0]).then_some(())
}

/// Copies out what the program has there; false where nothing can be read.
pub fn read_mapped(_: &Regions, address: u64, into: &mut [u8]) -> bool {
    mach::read(address, into)
}

/// What is mapped: the system is asked for each.
#[derive(Default)]
pub struct Regions;

impl Regions {
    pub fn now() -> Self {
        Regions
    }

    /// Rights of the one region that holds these bytes.
    pub fn rights(&self, address: u64, length: usize) -> Option<i32> {
        let (start, end, rights) = mach::region(address)?;
        (start <= address && address + length as u64 <= end).then_some(rights)
    }

    /// Those that begin in this range.
    pub fn within(&self, start: u64, end: u64) -> Vec<Region> {
        let regions = std::iter::successors(mach::region(start), |region| mach::region(region.1));
        regions.take_while(|region| region.0 < end).filter(|region| region.0 >= start).collect()
    }
}

/// Whether code of the program can be changed.
static WRITES_CODE: AtomicBool = AtomicBool::new(false);

extern "C" {
    /// Returns 1, until its first instruction is changed.
    fn ipbp_agent_tried() -> i32;
}

#[cfg(target_arch = "aarch64")]
global_asm!(".p2align 2", ".private_extern _ipbp_agent_tried", "_ipbp_agent_tried:", "mov w0, #1", "ret",);
#[cfg(target_arch = "x86_64")]
global_asm!(".private_extern _ipbp_agent_tried", "_ipbp_agent_tried:", "mov eax, 1", "ret");

/// mov w0, #2 · mov eax, 2
#[cfg(target_arch = "aarch64")]
const RETURNS_TWO: [u8; 4] = [0x40, 0x00, 0x80, 0x52];
#[cfg(target_arch = "x86_64")]
const RETURNS_TWO: [u8; 5] = [0xb8, 2, 0, 0, 0];

/// Finds out whether code can be changed and threads held, once, while there is one thread: in a child, as a system that forbids it may
/// end the process that tries. What a Mac says to it was not seen: not run on a Mac.
pub fn try_code() {
    unsafe {
        let child = libc::fork();
        if child == 0 {
            let mut lookout = Lookout::new();
            let held = lookout.hold_all_outside(&[], Instant::now());
            lookout.release();
            let written = held && replace(ipbp_agent_tried as *const () as u64, &RETURNS_TWO);
            libc::_exit(if written && ipbp_agent_tried() == 2 { 0 } else { 1 });
        }
        let mut status = -1;
        while child > 0 && libc::waitpid(child, &mut status, 0) < 0 && *libc::__error() == libc::EINTR {}
        WRITES_CODE.store(status == 0, SeqCst);
    }
}

/// Changes bytes of code by putting changed copies of their pages in place: they are signed as they are in the file, and
/// a page that was written to would not be executed any more. Threads must not stand in them. Some if that was tried.
pub fn write_code(address: u64, bytes: &[u8]) -> Option<bool> {
    Some(WRITES_CODE.load(SeqCst) && replace(address, bytes))
}

/// Whether [`write_code`] will work.
pub fn can_write_code() -> Option<bool> {
    Some(WRITES_CODE.load(SeqCst))
}

fn replace(address: u64, bytes: &[u8]) -> bool {
    let start = address & !(PAGE - 1);
    let size = (address + bytes.len() as u64).next_multiple_of(PAGE) - start;
    mach::replace_pages(start, size, |copy| unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), (copy + (address - start)) as *mut u8, bytes.len());
    })
}

/// Below it nothing is given out yet; 0: at the start.
static FREE_END: AtomicU64 = AtomicU64::new(0);
/// Addresses that small are numbers of other things.
const LOWEST_ADDRESS: u64 = 1 << 16;

/// Addresses that will stand for patches: `(first, size)`, size 0 where none can be had. Nothing is mapped there, nor can
/// be: they are those of __PAGEZERO, below the executable, 4 GiB unless its linker was told otherwise. A library's lie
/// there, too.
pub fn reserve(end: u64, room: Room) -> (u64, u64) {
    if room == Room::Executable {
        FREE_END.store(end & !(PAGE - 1), SeqCst);
    }
    let end = FREE_END.load(SeqCst);
    let start_of = |size: u64| end.checked_sub(size).filter(|start| *start >= LOWEST_ADDRESS);
    let is_free = |start: u64| mach::region(start).map_or(true, |region| region.0 >= end);
    let place = |size| start_of(size).filter(|start| is_free(*start)).map(|start| (start, size));
    let (start, size) = room.sizes().iter().copied().find_map(place).unwrap_or((end, 0));
    FREE_END.store(start, SeqCst);
    (start, size)
}

/// Beside the program there is no room for pages that the loader does not know.
pub fn map(_: u64, _: u64) -> Result<(), &'static str> {
    Err("on this system a patch is a library")
}

/// Nothing is ever mapped.
pub fn unmap(_: u64, _: u64) {}
