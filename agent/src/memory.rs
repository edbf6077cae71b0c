//! Pages of the program and their rights: what a transaction needs to know before it touches any, and writing where this
//! is not permitted. How code is written, and how address space is kept for patches, is the system's own matter.

use crate::platform::memory::{can_write_code, write_code};
pub use crate::platform::memory::{fetch_anew, map, read_mapped, reserve, reserve_beside, unmap, Regions, PAGE};
pub use libc::{PROT_EXEC, PROT_READ, PROT_WRITE};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// What address space is kept for patches of.
#[derive(Clone, Copy, PartialEq)]
pub enum Room {
    Executable,
    /// There may be many, and they lie close together.
    Library,
}

impl Room {
    /// How much to ask for, best first.
    pub fn sizes(self) -> &'static [u64] {
        match self {
            Room::Executable => &[1 << 30, 256 << 20, 64 << 20],
            Room::Library => &[64 << 20, 16 << 20],
        }
    }
}

/// A mapped range of addresses: start, end, rights.
pub type Region = (u64, u64, i32);

/// Changes bytes of code or data. `protection` is what the pages have. One byte and, in data, 8 aligned ones change at
/// once; more may be seen in part.
pub fn write(address: u64, bytes: &[u8], protection: i32) -> bool {
    if protection & PROT_EXEC != 0 {
        if let Some(written) = write_code(address, bytes) {
            return written;
        }
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
    let known = if protection & PROT_EXEC != 0 { can_write_code() } else { None };
    known.unwrap_or_else(|| while_writable(address, length, protection, || ()))
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
