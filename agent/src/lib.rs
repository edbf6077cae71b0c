//! The agent of ipbp: a library that is preloaded into a program, or linked into a static one, connects to the host and
//! does what it is told: maps memory, fills words, changes the first bytes of functions while threads run. It has no
//! parser and no policy (docs/protocol.md is all it knows); it never aborts, unwinds into or prints in the program that
//! it lives in.
//!
//! Read in this order: `startup`, `connection`, `transaction`, `commit`, `threads`; the rest are their tools.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("the agent supports x86_64 Linux only, so far");

mod c_library;
mod commit;
mod connection;
mod identity;
mod libraries;
mod memory;
mod startup;
mod syscalls;
mod thread_locals;
mod thread_pointers;
mod threads;
mod transaction;
mod unwinder;
mod wire;
