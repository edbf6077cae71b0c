//! Bytes as a file for the loader: one in memory, which no other process sees, else one in a directory of its own.

use crate::loader;
use std::ffi::CString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// What has to stay for as long as the library is open: the file in memory. None where it was another.
pub type Kept = Option<File>;

/// Has the loader open these bytes: handle and base.
pub fn open_bytes(bytes: &[u8]) -> Result<((u64, u64), Kept), String> {
    match in_memory(bytes) {
        Ok((opened, file)) => Ok((opened, Some(file))),
        Err(why) => Ok((in_directory(bytes).map_err(|also| format!("{why}; {also}"))?, None)),
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
    let opened = loader::open(&CString::new(path).unwrap_or_default())?;
    Ok((opened, file))
}

/// Where the system has no such files, or executes none: a file in a directory that only this user enters, gone when it is
/// open.
fn in_directory(bytes: &[u8]) -> Result<(u64, u64), String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, SeqCst);
    let directory = std::env::temp_dir().join(format!("ipbp-{}-{number}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&directory).map_err(|error| error.to_string())?;
    let path = directory.join("patch.so");
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o500).open(&path)?;
        file.write_all(bytes)
    };
    let opened = write().map_err(|error| error.to_string()).and_then(|()| {
        let path = CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default();
        loader::open(&path)
    });
    let _ = std::fs::remove_dir_all(&directory);
    opened
}
