//! Room for the thread-locals that patches bring along: a block in this library's own static TLS, so that it lies at one
//! offset from the thread pointer in every thread, and the ways to give it initial values in threads that run and in
//! those to come.

use super::c_library::{self, Begin, Create, Pointer};
use super::memory::{read, write_file};
use super::thread_pointers::{self, ThreadPointers};
use super::threads;
use crate::waiting::wait_until;
use crate::{identity, memory, startup};
use libc::{c_int, pthread_attr_t, pthread_t};
use std::arch::{asm, global_asm};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::OnceLock;
use std::time::Duration;

pub const ROOM_SIZE: u32 = 16384;
pub const ROOM_ALIGN: u32 = 64;
const NAP: Duration = Duration::from_micros(50);

// `.tdata`, though it is all zero: only what is in the file has a template, and into that go the initial values for
// threads to come. Hidden, not local: other units use it.
global_asm!(
    ".pushsection .tdata.ipbp_room, \"awT\", @progbits; .p2align 6; .globl ipbp_room; .hidden ipbp_room",
    ".type ipbp_room, @object; .size ipbp_room, 16384; ipbp_room: .zero 16384",
    ".popsection",
);

/// Offset of the room from the thread pointer, the same in all threads.
pub fn room_offset() -> Option<i64> {
    Some(offset())
}

fn offset() -> i64 {
    let offset: i64;
    unsafe { asm!("mov {}, qword ptr [rip + ipbp_room@GOTTPOFF]", out(reg) offset, options(nostack, readonly)) };
    offset
}

/// Sets the initial value of a part of the room, taken from `at`: in the template, then in every thread. The part must
/// not be in use yet.
pub fn initialise(within: u32, length: u32, at: u64) -> Result<(), &'static str> {
    let mut bytes = vec![0; length as usize];
    read(at, &mut bytes).then_some(()).ok_or("the initial value cannot be read")?;
    let own = identity::own_module();
    let (template, copy) = own.and_then(|own| own.image.tls_template()).ok_or("the room's template was not found")?;
    let room_in_copy = thread_pointers::own().wrapping_add_signed(offset()).wrapping_sub(copy);
    let in_template = template + room_in_copy + u64::from(within);
    // The loader made it read-only after it had relocated it.
    let rights = memory::Regions::now().rights(in_template, 1).unwrap_or(libc::PROT_READ);
    let written = memory::write(in_template, &bytes, rights);
    written.then_some(()).ok_or("the template of the thread-local room cannot be written")?;
    // Whoever copied the template before is now among the threads, or in one of these creations.
    let created = (0..2).all(|_| {
        // Twice: a caller that had read the generation before the first change may count itself just behind it.
        let old = GENERATION.fetch_xor(1, SeqCst);
        wait_until(Duration::from_secs(5), NAP, || CREATIONS[old].load(SeqCst) == 0)
    });
    created.then_some(()).ok_or("a thread that is being created did not come into being")?;
    let pointers = ThreadPointers::find().ok_or("the thread pointers of other threads cannot be found")?;
    threads::each_thread(|thread| {
        if let Some(pointer) = pointers.of(thread) {
            write_file(pointer.wrapping_add_signed(offset()) + u64::from(within), &bytes);
        }
    });
    Ok(())
}

/// `pthread_create` calls under way, in two generations: those that began before the generation changed are waited for,
/// those that begin later cannot prolong the wait.
static CREATIONS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// Stands before the C library's function of this name and counts the creations under way.
///
/// # Safety
/// As pthread_create(3).
#[cfg_attr(not(feature = "linked"), no_mangle)]
#[cfg_attr(feature = "linked", export_name = "__wrap_pthread_create")]
pub unsafe extern "C" fn pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    begin: Begin,
    argument: Pointer,
) -> c_int {
    static REAL: OnceLock<Option<Create>> = OnceLock::new();
    startup::start_thread(true);
    let Some(create) = REAL.get_or_init(c_library::create) else { return libc::EAGAIN };
    let generation = GENERATION.load(SeqCst);
    CREATIONS[generation].fetch_add(1, SeqCst);
    let result = create(thread, attributes, begin, argument);
    CREATIONS[generation].fetch_sub(1, SeqCst);
    result
}
