//! The agent of ipbp: a library that is preloaded into a program, or linked into a static one, connects to the host and
//! does what it is told: maps memory or has libraries opened, fills words, changes the first bytes of functions while
//! threads run. It has no parser and no policy (docs/protocol.md is all it knows); it never aborts, unwinds into or
//! prints in the program that it lives in.
//!
//! Read in this order: `startup`, `connection`, `transaction`, `cell`; the rest are their tools. What each system does
//! in its own way is behind `platform`, which has the same names on all (`platform::commit` next, then `threads`).

#[cfg(not(any(
    all(target_os = "linux", target_arch = "x86_64"),
    all(target_vendor = "apple", any(target_arch = "x86_64", target_arch = "aarch64"))
)))]
compile_error!("the agent supports Linux on x86_64, and Apple's systems, so far");
#[cfg(all(feature = "linked", not(target_os = "linux")))]
compile_error!("only Linux has static programs");

mod cell;
mod connection;
mod forks;
mod identity;
mod libraries;
#[cfg_attr(feature = "linked", path = "no_loader.rs")]
mod loader;
mod memory;
#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(target_vendor = "apple", path = "apple/mod.rs")]
mod platform;
mod startup;
mod transaction;
mod waiting;
mod wire;
