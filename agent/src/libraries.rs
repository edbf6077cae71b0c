//! Patches that are shared libraries: opened by the program's own loader, wherever it puts them. For the host each stands
//! for a range of reserved addresses in which nothing is mapped; whoever means one of those means the library.

use crate::c_library;
use crate::memory;
use libc::{PROT_EXEC, PROT_READ, PROT_WRITE};
use std::ffi::CString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
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
    /// Stays open, as its path is where the program's own backtraces look for names. None where that was a real file.
    _file: Option<File>,
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
        let ((handle, base), file) = match in_memory(bytes) {
            Ok((opened, file)) => (opened, Some(file)),
            Err(why) => (in_directory(bytes).map_err(|also| format!("{why}; {also}"))?, None),
        };
        let mut bases = BASES.lock().map_err(|_| "libraries are not to be told apart")?;
        if bases.contains(&base) {
            c_library::close(handle);
            return Err("the loader has taken the file for another that is open".into());
        }
        bases.push(base);
        let by = base.wrapping_sub(range.0);
        let end = range.1.wrapping_add(by);
        let regions = memory::regions().into_iter();
        let own = regions.filter(|(start, _, rights)| (base..end).contains(start) && rights & PROT_WRITE != 0);
        let writable = own.map(|(start, end, _)| (start, end)).collect();
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
        c_library::close(self.handle);
    }
}

/// A file that has a name only in this process.
fn in_memory(bytes: &[u8]) -> Result<((u64, u64), File), String> {
    let error = || std::io::Error::last_os_error().to_string();
    // Linux 6.3 wants to hear that it is to be executed; before that the flag is unknown.
    const MFD_EXEC: libc::c_uint = 0x10;
    let create = |flags| unsafe { libc::memfd_create(c"ipbp-patch".as_ptr(), libc::MFD_CLOEXEC | flags) };
    let file = Some(create(MFD_EXEC)).filter(|file| *file >= 0).unwrap_or_else(|| create(0));
    if file < 0 {
        return Err(error());
    }
    let mut file = unsafe { File::from_raw_fd(file) };
    file.write_all(bytes).map_err(|error| error.to_string())?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let opened = c_library::open(&CString::new(path).unwrap_or_default())?;
    Ok((opened, file))
}

/// Where the system has no such files, or executes none: a file in a directory that only this user enters, gone when it is
/// open.
fn in_directory(bytes: &[u8]) -> Result<(u64, u64), String> {
    let number = BASES.lock().map_or(0, |bases| bases.len());
    let directory = std::env::temp_dir().join(format!("ipbp-{}-{number}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&directory).map_err(|error| error.to_string())?;
    let path = directory.join("patch.so");
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o500).open(&path)?;
        file.write_all(bytes)
    };
    let opened = write().map_err(|error| error.to_string()).and_then(|()| {
        let path = CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default();
        c_library::open(&path)
    });
    let _ = std::fs::remove_dir_all(&directory);
    opened
}
