//! What the loader tells of one library, and where the agent stands before the C library: by a table that the loader reads
//! in libraries that it was told to insert (dyld's `__interpose`).

use super::images;
use crate::startup;
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use std::ffi::CStr;

/// The base of a library that was opened by this path. A handle tells nothing.
pub fn base_of(_: u64, path: &CStr) -> Option<u64> {
    images::bases(path).last()
}

type Begin = extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(*mut pthread_t, *const pthread_attr_t, Begin, *mut c_void) -> c_int;

/// Called in place of the second function: the first. That it is called was not run on a Mac.
#[repr(C)]
struct Interpose(Create, Create);

#[cfg(not(test))]
#[used]
#[link_section = "__DATA,__interpose"]
static PTHREAD_CREATE: Interpose = Interpose(create_thread, libc::pthread_create);

/// As pthread_create(3). Calls from this library are not interposed.
unsafe extern "C" fn create_thread(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    begin: Begin,
    argument: *mut c_void,
) -> c_int {
    startup::start_thread(true);
    libc::pthread_create(thread, attributes, begin, argument)
}
