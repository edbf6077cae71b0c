//! Patches that are shared libraries: opened by the program's own loader, wherever it puts them. For the host each stands
//! for a range of reserved addresses in which nothing is mapped; whoever means one of those means the library.

use crate::loader;
use crate::memory::{self, PROT_EXEC, PROT_READ, PROT_WRITE};
use crate::platform::library_file::{open_bytes, Kept};
use std::sync::Mutex;

/// A library that is open.
pub struct Library {
    /// The addresses that it stands for: start, end.
    pub range: (u64, u64),
    /// How much further it lies.
    by: u64,
    /// What of it may be written, by address.
    writable: Vec<(u64, u64)>,
    handle: u64,
    /// The program's own backtraces look for names there.
    _file: Kept,
}

/// Bases of all that were opened: no libraries of the program's.
static BASES: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// Whether the module with this base is a patch.
pub fn is_patch(base: u64) -> bool {
    BASES.lock().is_ok_and(|bases| bases.contains(&base))
}

impl Library {
    /// Has the loader open these bytes of a file.
    pub fn open(bytes: &[u8], range: (u64, u64)) -> Result<Self, String> {
        let ((handle, base), file) = open_bytes(bytes)?;
        let mut bases = BASES.lock().map_err(|_| "libraries are not to be told apart")?;
        if bases.contains(&base) {
            loader::close(handle);
            return Err("the loader has taken the file for another that is open".into());
        }
        bases.push(base);
        let by = base.wrapping_sub(range.0);
        let end = range.1.wrapping_add(by);
        let regions = memory::Regions::now().within(base, end).into_iter();
        let writable =
            regions.filter(|region| region.2 & PROT_WRITE != 0).map(|(start, end, _)| (start, end)).collect();
        Ok(Library { range, by, writable, handle, _file: file })
    }

    /// Its addresses: start, end.
    pub fn lies(&self) -> (u64, u64) {
        (self.range.0.wrapping_add(self.by), self.range.1.wrapping_add(self.by))
    }

    /// Writes what is in it, in code, too. For as long as nobody can be in there.
    pub fn write(&self, address: u64, bytes: &[u8]) -> bool {
        let fits = |range: &&(u64, u64)| range.0 <= address && address + bytes.len() as u64 <= range.1;
        if self.writable.iter().find(fits).is_none() {
            return memory::write(address, bytes, PROT_READ | PROT_EXEC);
        }
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
        true
    }

    /// Where what stands at this address is, if the library stands for it.
    pub fn find(&self, address: u64) -> Option<u64> {
        (self.range.0..self.range.1).contains(&address).then_some(address.wrapping_add(self.by))
    }

    /// Start, length and distance, as `done` tells them.
    pub fn describe(&self) -> [[u8; 8]; 3] {
        [self.range.0, self.range.1 - self.range.0, self.by].map(u64::to_le_bytes)
    }

    /// Nobody has been in it.
    pub fn close(self) {
        if let Ok(mut bases) = BASES.lock() {
            let base = self.range.0.wrapping_add(self.by);
            bases.retain(|other| *other != base);
        }
        loader::close(self.handle);
    }
}
