//! Room for the thread-locals that patches bring along: a block in this library's own static TLS, so that it lies at one
//! offset from the thread pointer in every thread, and the ways to give it initial values in threads that run and in
//! those to come.

use crate::{identity, memory, syscalls, threads};
use std::arch::{asm, global_asm};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst};

pub const ROOM_SIZE: u32 = 16384;
pub const ROOM_ALIGN: u32 = 64;
/// How long a thread that is being created may take.
const CREATION_LIMIT: u64 = 5_000_000_000;
/// How long a thread may be without a robust list before it counts as not made by the C library.
const START_LIMIT: u64 = 200_000_000;

// `.tdata`, though it is all zero: only what is in the file has a template, and into that go the initial values for
// threads to come. The second symbol holds the room's offset in the template.
global_asm!(
    ".pushsection .tdata.ipbp_room, \"awT\", @progbits",
    ".p2align 6",
    // Hidden rather than local: other units of this crate use it.
    ".globl ipbp_room",
    ".hidden ipbp_room",
    ".type ipbp_room, @object",
    "ipbp_room: .zero 16384",
    ".size ipbp_room, 16384",
    ".popsection",
    ".pushsection .data.ipbp_room_in_template, \"aw\", @progbits",
    ".p2align 3",
    ".globl ipbp_room_in_template",
    ".hidden ipbp_room_in_template",
    "ipbp_room_in_template: .quad ipbp_room@DTPOFF",
    ".popsection",
);

/// Offset of the room from the thread pointer, the same in all threads.
pub fn room_offset() -> i64 {
    let offset: i64;
    unsafe { asm!("mov {}, qword ptr [rip + ipbp_room@GOTTPOFF]", out(reg) offset, options(nostack, readonly)) };
    offset
}

/// Sets the initial value of a part of the room: in the template, then in every thread. The part must not be in use yet.
pub fn initialise(offset: u32, bytes: &[u8]) -> Result<(), String> {
    let template = room_template().ok_or("the template of the thread-local room was not found")?;
    write_template(template + u64::from(offset), bytes)?;
    // Whoever copied the template before is now among the threads, or in one of these creations.
    wait_for_creations()?;
    let robust_offset = robust_list_offset().ok_or("the thread pointers of other threads cannot be found")?;
    for thread in threads::list() {
        if let Some(head) = robust_list_of_started(thread) {
            let pointer = head.wrapping_sub(robust_offset);
            let target = pointer.wrapping_add_signed(room_offset()) + u64::from(offset);
            // glibc's thread pointer points to itself (x86-64 psABI, TLS variant II): tells another C library's list apart.
            let mut own = [0; 8];
            if memory::read(pointer, &mut own) && u64::from_le_bytes(own) == pointer {
                memory::write_data(target, bytes);
            }
        }
    }
    Ok(())
}

fn room_template() -> Option<u64> {
    let in_template: u64;
    unsafe {
        asm!("mov {}, qword ptr [rip + ipbp_room_in_template]", out(reg) in_template, options(nostack, readonly))
    };
    Some(identity::own_tls_template()? + in_template)
}

/// The template is part of what the loader made read-only after it had relocated it.
fn write_template(address: u64, bytes: &[u8]) -> Result<(), String> {
    let start = address & !(memory::PAGE - 1);
    let size = (address + bytes.len() as u64).next_multiple_of(memory::PAGE) - start;
    let regions = memory::regions();
    let rights =
        regions.iter().find(|region| region.0 <= address && address < region.1).map_or(libc::PROT_READ, |r| r.2);
    if !memory::protect(start, size, libc::PROT_READ | libc::PROT_WRITE) {
        return Err("the template of the thread-local room cannot be written".into());
    }
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
    memory::protect(start, size, rights);
    Ok(())
}

fn thread_pointer() -> u64 {
    let pointer: u64;
    unsafe { asm!("mov {}, qword ptr fs:[0]", out(reg) pointer, options(nostack, readonly)) };
    pointer
}

/// The head of a thread's list of robust mutexes lies inside the C library's own record of that thread, which the thread
/// pointer points to: at the same distance in all threads. Asking for it does not disturb the thread.
fn robust_list(thread: i32) -> Option<u64> {
    let (mut head, mut length) = (0u64, 0usize);
    let arguments = [thread as usize, &mut head as *mut _ as usize, &mut length as *mut _ as usize, 0, 0, 0];
    let result = unsafe { syscalls::call(libc::SYS_get_robust_list, arguments) };
    (result == 0 && head != 0).then_some(head)
}

fn robust_list_offset() -> Option<u64> {
    Some(robust_list(0)?.wrapping_sub(thread_pointer()))
}

/// A new thread registers its list first thing. None for threads that have ended or were not made by the C library.
fn robust_list_of_started(thread: i32) -> Option<u64> {
    let deadline = syscalls::now() + START_LIMIT;
    loop {
        if let Some(head) = robust_list(thread) {
            return Some(head);
        }
        match threads::look(thread) {
            threads::Look::Gone => return None,
            // Kernel workers of this program (io_uring) have no user code at all.
            threads::Look::Blocked { pc: 0 } => return None,
            _ if syscalls::now() > deadline => return None,
            _ => syscalls::nap(50_000),
        }
    }
}

/// `pthread_create` calls under way, in two generations: those that began before the generation changed are waited for,
/// those that begin later cannot prolong the wait.
static CREATIONS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
static GENERATION: AtomicUsize = AtomicUsize::new(0);

fn wait_for_creations() -> Result<(), String> {
    let deadline = syscalls::now() + CREATION_LIMIT;
    // Twice: a caller that had read the generation before the first change may count itself just behind it.
    for _ in 0..2 {
        let old = GENERATION.fetch_xor(1, SeqCst);
        while CREATIONS[old].load(SeqCst) != 0 {
            if syscalls::now() > deadline {
                return Err("a thread that is being created did not come into being".into());
            }
            syscalls::nap(50_000);
        }
    }
    Ok(())
}

type CreateThread = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    extern "C" fn(*mut libc::c_void) -> *mut libc::c_void,
    *mut libc::c_void,
) -> libc::c_int;

/// The C library's own function; what the program calls is [`pthread_create`].
pub fn real_pthread_create() -> Option<CreateThread> {
    static REAL: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());
    if REAL.load(SeqCst).is_null() {
        REAL.store(unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) }, SeqCst);
    }
    let found = REAL.load(SeqCst);
    (!found.is_null()).then(|| unsafe { std::mem::transmute::<*mut libc::c_void, CreateThread>(found) })
}

/// Stands before the C library's function of this name and counts the creations under way.
///
/// # Safety
/// As pthread_create(3).
#[no_mangle]
pub unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: extern "C" fn(*mut libc::c_void) -> *mut libc::c_void,
    argument: *mut libc::c_void,
) -> libc::c_int {
    crate::startup::before_new_thread();
    let Some(create) = real_pthread_create() else { return libc::EAGAIN };
    let generation = GENERATION.load(SeqCst);
    CREATIONS[generation].fetch_add(1, SeqCst);
    let result = create(thread, attributes, start, argument);
    CREATIONS[generation].fetch_sub(1, SeqCst);
    result
}
