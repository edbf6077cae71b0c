//! Mach calls on the own process, as declared in <mach/mach_vm.h>, <mach/task.h>, <mach/thread_act.h> and what those
//! include. Zero is success. None of them allocates with malloc or takes a lock of the C library, so they work while all
//! other threads are suspended.

pub type Port = u32;

extern "C" {
    static mach_task_self_: Port;
    fn mach_vm_allocate(task: Port, address: *mut u64, size: u64, flags: i32) -> i32;
    fn mach_vm_deallocate(task: Port, address: u64, size: u64) -> i32;
    fn mach_vm_protect(task: Port, address: u64, size: u64, set_maximum: u32, protection: i32) -> i32;
    fn mach_vm_read_overwrite(task: Port, address: u64, size: u64, data: u64, got: *mut u64) -> i32;
    fn mach_vm_region(
        task: Port,
        address: *mut u64,
        size: *mut u64,
        flavor: i32,
        info: *mut i32,
        count: *mut u32,
        object_name: *mut Port,
    ) -> i32;
    fn mach_vm_remap(
        task: Port,
        target: *mut u64,
        size: u64,
        mask: u64,
        flags: i32,
        source_task: Port,
        source: u64,
        copy: u32,
        protection: *mut i32,
        maximum: *mut i32,
        inheritance: u32,
    ) -> i32;
    fn mach_port_deallocate(task: Port, name: Port) -> i32;
    fn mach_thread_self() -> Port;
    fn task_threads(task: Port, threads: *mut *mut Port, count: *mut u32) -> i32;
    fn thread_suspend(thread: Port) -> i32;
    fn thread_resume(thread: Port) -> i32;
    fn thread_get_state(thread: Port, flavor: i32, state: *mut u32, count: *mut u32) -> i32;
    fn sys_icache_invalidate(start: u64, length: usize);
}

const VM_FLAGS_ANYWHERE: i32 = 1;
const VM_FLAGS_OVERWRITE: i32 = 0x4000;
const VM_INHERIT_COPY: u32 = 1;
const VM_PROT_READ_EXECUTE: i32 = 1 | 4;

fn task() -> Port {
    unsafe { mach_task_self_ }
}

/// Copies memory out; false where it is not mapped or not readable.
pub fn read(address: u64, into: &mut [u8]) -> bool {
    let (size, mut got) = (into.len() as u64, 0);
    unsafe { mach_vm_read_overwrite(task(), address, size, into.as_mut_ptr() as u64, &mut got) == 0 && got == size }
}

/// The first region that ends behind `address`: start, end, rights.
pub fn region(mut address: u64) -> Option<(u64, u64, i32)> {
    const VM_REGION_BASIC_INFO_64: i32 = 9;
    // `vm_region_basic_info_data_64_t`: 9 words, the first of which are the rights.
    let (mut info, mut count, mut size, mut name) = ([0; 9], 9, 0, 0);
    let info_at = info.as_mut_ptr();
    let result = unsafe {
        mach_vm_region(task(), &mut address, &mut size, VM_REGION_BASIC_INFO_64, info_at, &mut count, &mut name)
    };
    (result == 0 && size != 0).then_some((address, address + size, info[0]))
}

/// Fresh pages, wherever there is room.
pub fn allocate_anywhere(size: u64) -> Option<u64> {
    let mut at = 0;
    (unsafe { mach_vm_allocate(task(), &mut at, size, VM_FLAGS_ANYWHERE) } == 0).then_some(at)
}

/// Fresh pages at just this place; false where something is there.
pub fn allocate(mut address: u64, size: u64) -> bool {
    let at = address;
    unsafe { mach_vm_allocate(task(), &mut address, size, 0) == 0 && address == at }
}

/// The same over what is there.
pub fn allocate_over(mut address: u64, size: u64) -> bool {
    let at = address;
    unsafe { mach_vm_allocate(task(), &mut address, size, VM_FLAGS_OVERWRITE) == 0 && address == at }
}

/// Has processors read code again that was written there.
pub fn fetch_anew(address: u64, size: u64) {
    unsafe { sys_icache_invalidate(address, size as usize) };
}

/// Puts a changed copy of whole pages of code in their place, in one step for the threads that execute them.
pub fn replace_pages(start: u64, size: u64, change: impl FnOnce(u64)) -> bool {
    unsafe {
        let Some(copy) = allocate_anywhere(size) else { return false };
        std::ptr::copy_nonoverlapping(start as *const u8, copy as *mut u8, size as usize);
        change(copy);
        let (mut target, mut protection, mut maximum) = (start, 0, 0);
        let done = mach_vm_protect(task(), copy, size, 0, VM_PROT_READ_EXECUTE) == 0
            && mach_vm_remap(
                task(),
                &mut target,
                size,
                0,
                VM_FLAGS_OVERWRITE,
                task(),
                copy,
                0,
                &mut protection,
                &mut maximum,
                VM_INHERIT_COPY,
            ) == 0
            && target == start;
        fetch_anew(start, size);
        mach_vm_deallocate(task(), copy, size);
        done
    }
}

/// The calling thread. The right to it is the caller's until [`release`].
pub fn own_thread() -> Port {
    unsafe { mach_thread_self() }
}

/// Shows every thread of the process; the right to it is the visitor's until [`release`].
pub fn each_thread(visit: impl FnMut(Port)) -> bool {
    let (mut list, mut count) = (std::ptr::null_mut(), 0);
    unsafe {
        if task_threads(task(), &mut list, &mut count) != 0 {
            return false;
        }
        std::slice::from_raw_parts(list, count as usize).iter().copied().for_each(visit);
        mach_vm_deallocate(task(), list as u64, u64::from(count) * 4);
    }
    true
}

pub fn release(thread: Port) {
    unsafe { mach_port_deallocate(task(), thread) };
}

/// False for a thread that has ended.
pub fn suspend(thread: Port) -> bool {
    unsafe { thread_suspend(thread) == 0 }
}

pub fn resume(thread: Port) {
    unsafe { thread_resume(thread) };
}

/// Where a suspended thread goes on; None when it has ended.
pub fn program_counter(thread: Port) -> Option<u64> {
    // ARM_THREAD_STATE64: x0 to x28, fp, lr, sp, pc, cpsr with padding.
    #[cfg(target_arch = "aarch64")]
    const STATE: (i32, usize, usize) = (6, 34, 32);
    // x86_THREAD_STATE64: rax to rdi, rbp, rsp, r8 to r15, rip, rflags, cs, fs, gs.
    #[cfg(target_arch = "x86_64")]
    const STATE: (i32, usize, usize) = (4, 21, 16);
    let (flavor, size, at) = STATE;
    let (mut state, mut count) = ([0u64; 34], size as u32 * 2);
    let result = unsafe { thread_get_state(thread, flavor, state.as_mut_ptr().cast(), &mut count) };
    (result == 0).then_some(state[at])
}
