//! The program's loader: the address of a name, and libraries that are held or opened. The calls are POSIX's; only where a
//! library lies each system tells in its own way.

use crate::platform::c_library::base_of;
use libc::c_void;
use std::ffi::CStr;

/// The address of what a name means to the program, or 0. `scope`: the handle of a library whose own scope comes behind
/// the program's; 0: none does.
pub fn find(name: &CStr, scope: u64) -> u64 {
    let everywhere = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) as u64 };
    if everywhere != 0 || scope == 0 {
        return everywhere;
    }
    unsafe { libc::dlsym(scope as *mut c_void, name.as_ptr()) as u64 }
}

/// Keeps a library that is loaded from being closed: its handle, if it is the one with this base.
pub fn pin(path: &CStr, base: u64) -> Option<u64> {
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) } as u64;
    if handle != 0 && base_of(handle, path) != Some(base) {
        close(handle);
        return None;
    }
    (handle != 0).then_some(handle)
}

/// Has the loader open this file, for itself: its handle and base.
pub fn open(path: &CStr) -> Result<(u64, u64), String> {
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) } as u64;
    if handle == 0 {
        let why = unsafe { libc::dlerror() };
        let unknown = || "the loader does not say why".into();
        return Err(if why.is_null() { unknown() } else { unsafe { CStr::from_ptr(why) }.to_string_lossy().into() });
    }
    let Some(base) = base_of(handle, path) else {
        close(handle);
        return Err("the loader does not say where it is".into());
    };
    Ok((handle, base))
}

/// Takes [`pin`] or [`open`] back.
pub fn close(handle: u64) {
    unsafe { libc::dlclose(handle as *mut c_void) };
}
