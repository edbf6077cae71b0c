//! Bytes as a file for the loader: a new one each, as dyld and the kernel remember what they have seen of a file, in a
//! directory that only this user enters. The files stay until the program ends: its own backtraces read names there.

use crate::loader;
use std::ffi::CString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{Error, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::OnceLock;

/// Nothing has to stay open.
pub type Kept = ();

/// Before the number of the process.
const PREFIX: &str = "ipbp-patches-";
static DIRECTORY: OnceLock<Option<PathBuf>> = OnceLock::new();
static NUMBER: AtomicU32 = AtomicU32::new(0);
/// The process whose files those are: a forked child's end is not its end.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Has the loader open these bytes: handle and base.
pub fn open_bytes(bytes: &[u8]) -> Result<((u64, u64), Kept), String> {
    let directory = DIRECTORY.get_or_init(make_directory).as_ref().ok_or("there is no directory for patches")?;
    let path = directory.join(format!("patch-{}.dylib", NUMBER.fetch_add(1, SeqCst)));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o500).open(&path)?;
        file.write_all(bytes)
    };
    let name = CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default();
    let opened = write().map_err(|error: Error| error.to_string()).and_then(|()| loader::open(&name));
    if opened.is_err() {
        let _ = std::fs::remove_file(&path);
    }
    Ok((opened?, ()))
}

/// Below the user's own temporary folder, by its true path: that is what dyld calls the library.
fn make_directory() -> Option<PathBuf> {
    let folder = std::fs::canonicalize(std::env::temp_dir()).ok()?;
    remove_others(&folder);
    let own = folder.join(format!("{PREFIX}{}", std::process::id()));
    // One of an earlier process with this number.
    let _ = std::fs::remove_dir_all(&own);
    DirBuilder::new().mode(0o700).create(&own).ok()?;
    OWNER.store(std::process::id(), SeqCst);
    unsafe { libc::atexit(remove_own) };
    Some(own)
}

extern "C" fn remove_own() {
    if OWNER.load(SeqCst) == std::process::id() {
        let _ = DIRECTORY.get().and_then(Option::as_ref).map(std::fs::remove_dir_all);
    }
}

/// Those of processes that were ended before they could.
fn remove_others(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<i32>().ok());
        if process.is_some_and(|process| process > 0 && has_ended(process)) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn has_ended(process: i32) -> bool {
    let missing = unsafe { libc::kill(process, 0) } != 0;
    missing && Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// In a forked child.
pub fn forget() {
    OWNER.store(0, SeqCst);
}
