//! What stands for the loader in a static program, which has none.

use std::ffi::CStr;

/// What is not in the program itself, where the host sees it, is nowhere.
pub fn find(_: &CStr, _: u64) -> u64 {
    0
}

/// No loader, no libraries.
pub fn pin(_: &CStr, _: u64) -> Option<u64> {
    None
}

pub fn open(_: &CStr) -> Result<(u64, u64), String> {
    Err("a static program has no loader".into())
}

pub fn close(_: u64) {}
