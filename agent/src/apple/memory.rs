//! Reading the program's memory where a plain load could fault, writing its code, and the addresses that stand for patches.

use super::images::Image;
use super::mach;
use super::threads::Lookout;
use crate::memory::{protect, Region, Room, PROT_EXEC, PROT_READ};
use std::arch::global_asm;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::Mutex;
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

/// mov w0, #2; ret · mov eax, 2; ret. With 1 in the place of 2 it is what stands at [`ipbp_agent_tried`].
#[cfg(target_arch = "aarch64")]
const RETURNS_TWO: [u8; 8] = [0x40, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6];
#[cfg(target_arch = "x86_64")]
const RETURNS_TWO: [u8; 6] = [0xb8, 2, 0, 0, 0, 0xc3];

/// All that patching code in place needs: threads are held, code of the agent's is changed, runs, and is put back, the
/// program's takes a copy of itself, and fresh pages become code.
unsafe fn all_works(program: u64) -> bool {
    let mut lookout = Lookout::new();
    let held = lookout.hold_all_outside(&[], Instant::now());
    lookout.release();
    let tried = ipbp_agent_tried as *const () as u64;
    let mut before = RETURNS_TWO;
    std::ptr::copy_nonoverlapping(tried as *const u8, before.as_mut_ptr(), before.len());
    held && replace(tried, &RETURNS_TWO)
        && ipbp_agent_tried() == 2
        && replace(tried, &before)
        && ipbp_agent_tried() == 1
        && replace(program, std::slice::from_raw_parts(program as *const u8, 4))
        && fresh_code_returns(&RETURNS_TWO) == Some(2)
}

unsafe fn fresh_code_returns(code: &[u8]) -> Option<i32> {
    let page = mach::allocate_anywhere(PAGE)?;
    std::ptr::copy_nonoverlapping(code.as_ptr(), page as *mut u8, code.len());
    protect(page, PAGE, PROT_READ | PROT_EXEC).then(|| std::mem::transmute::<u64, extern "C" fn() -> i32>(page)())
}

/// Finds out whether code can be changed, once, while there is one thread: in a child, as a system that forbids it may
/// end the process that tries. What a Mac says to it was not seen: not run on a Mac.
fn try_code(program: u64) {
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(if all_works(program) { 0 } else { 1 });
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

/// How far jumps over entries reach: `b`, `jmp *word(%rip)`.
#[cfg(target_arch = "aarch64")]
const REACH: u64 = 128 << 20;
#[cfg(target_arch = "x86_64")]
const REACH: u64 = 1 << 31;

/// Sizes of what is kept beside an image, best first. Every patch with new jumps takes a page or two.
const BESIDE_SIZES: [u64; 3] = [32 << 20, 8 << 20, 1 << 20];
/// How many places in a gap are tried.
const PLACES: u64 = 8;
/// Apple's largest pages.
const BESIDE_ALIGN: u64 = 16384;

/// What is kept beside images, start and end: all that can be mapped.
static BESIDE: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

/// Keeps pages that jumps of all of the image's code reach, for what they lead through: `(first, size)`. Size 0 where none
/// can be had, and where code cannot be changed; whether it can is tried for the executable, which comes first. Below
/// an executable nothing is ever given out, behind it the system puts what is allocated first.
pub fn reserve_beside(image: &Image, room: Room) -> (u64, u64) {
    let (start, end) = (image.start(), image.end());
    if room == Room::Executable {
        try_code(start);
    }
    if !WRITES_CODE.load(SeqCst) {
        return (start, 0);
    }
    let (lowest, highest) = (end.saturating_sub(REACH), start.saturating_add(REACH));
    // Not all of what no region has can be had: some further places of each gap are tried.
    let above = |size| {
        let places = |gap: (u64, u64)| {
            let first = gap.0.next_multiple_of(BESIDE_ALIGN);
            (0..PLACES).map(move |number| first + number * size).take_while(move |at| at + size <= gap.1)
        };
        gaps(end, highest).flat_map(places).find(|at| mach::allocate(*at, size))
    };
    let below = |size| {
        let places = |gap: &(u64, u64)| {
            let (first, last) = (gap.0, gap.1 & !(BESIDE_ALIGN - 1));
            let places = (1..=PLACES).map_while(move |number| last.checked_sub(number * size));
            places.take_while(move |at| *at >= first)
        };
        let gaps: Vec<_> = gaps(lowest, start).collect();
        gaps.iter().rev().flat_map(places).find(|at| mach::allocate(*at, size))
    };
    let sizes = || BESIDE_SIZES.into_iter();
    let place = |size| above(size).map(|at| (at, size));
    let found = sizes().find_map(place).or_else(|| sizes().find_map(|size| below(size).map(|at| (at, size))));
    let Some((at, size)) = found.filter(|(at, size)| protect(*at, *size, libc::PROT_NONE)) else { return (start, 0) };
    BESIDE.lock().map_or((start, 0), |mut kept| {
        kept.push((at, at + size));
        (at, size)
    })
}

/// What lies between regions from `start` to `end`.
fn gaps(start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut at = Some(start);
    std::iter::from_fn(move || {
        let from = at.filter(|from| *from < end)?;
        let next = mach::region(from);
        at = next.map(|region| region.1);
        Some((from, next.map_or(end, |region| region.0.min(end))))
    })
    .filter(|gap| gap.0 < gap.1)
}

/// Makes pages of what is kept beside an image writable; they hold zeros. No others are to be had beside the loader's.
pub fn map(address: u64, length: u64) -> Result<(), &'static str> {
    let kept = BESIDE.lock().is_ok_and(|kept| kept.iter().any(|one| one.0 <= address && address + length <= one.1));
    if !kept {
        return Err("on this system a patch is a library");
    }
    let mapped = protect(address, length, PROT_READ | libc::PROT_WRITE);
    mapped.then_some(()).ok_or("the system does not map it")
}

/// Takes [`map`] back.
pub fn unmap(address: u64, length: u64) {
    if mach::allocate_over(address, length) {
        protect(address, length, libc::PROT_NONE);
    }
}

/// What was written there is code now.
pub fn fetch_anew(address: u64, length: u64) {
    mach::fetch_anew(address, length);
}
