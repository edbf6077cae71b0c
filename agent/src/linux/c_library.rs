//! Where the agent stands before the C library: through the loader's order of libraries, or in a program without a loader
//! (feature `linked`) through the linker, which was told to `--wrap`.

use libc::{c_int, c_void, pthread_attr_t, pthread_t};

pub type Pointer = *mut c_void;
pub type Begin = extern "C" fn(Pointer) -> Pointer;
pub type Create = unsafe extern "C" fn(*mut pthread_t, *const pthread_attr_t, Begin, Pointer) -> c_int;

#[cfg(not(feature = "linked"))]
mod way {
    use super::*;
    use std::ffi::CStr;
    use std::mem::transmute;
    use std::sync::OnceLock;

    type Main = unsafe extern "C-unwind" fn(c_int, Pointer, Pointer) -> c_int;
    type Start = unsafe extern "C-unwind" fn(Main, c_int, Pointer, Pointer, Pointer, Pointer, Pointer) -> c_int;

    pub fn create() -> Option<Create> {
        unsafe { transmute::<Pointer, Option<Create>>(libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr())) }
    }

    extern "C" {
        /// dlinfo(3).
        fn dlinfo(handle: Pointer, request: c_int, info: Pointer) -> c_int;
    }
    const RTLD_DI_LINKMAP: c_int = 2;

    /// The base of a library that is loaded. <link.h>: the first member of a `link_map`.
    pub fn base_of(handle: u64, _: &CStr) -> Option<u64> {
        let mut map: *const u64 = std::ptr::null();
        unsafe {
            let told = dlinfo(handle as Pointer, RTLD_DI_LINKMAP, &mut map as *mut _ as Pointer) == 0 && !map.is_null();
            told.then(|| *map)
        }
    }

    static PROGRAM_MAIN: OnceLock<Main> = OnceLock::new();

    /// Stands before the C library's function of this name, so that the agent's thread starts when all constructors have
    /// run and `main` is the next thing.
    ///
    /// # Safety
    /// Called by the program's start-up code.
    #[cfg(not(test))]
    #[no_mangle]
    pub unsafe extern "C-unwind" fn __libc_start_main(
        main: Main,
        count: c_int,
        arguments: Pointer,
        init: Pointer,
        fini: Pointer,
        loader_fini: Pointer,
        stack_end: Pointer,
    ) -> c_int {
        let real = libc::dlsym(libc::RTLD_NEXT, c"__libc_start_main".as_ptr());
        let Some(start) = transmute::<Pointer, Option<Start>>(real) else { libc::_exit(127) };
        let _ = PROGRAM_MAIN.set(main);
        start(before_main, count, arguments, init, fini, loader_fini, stack_end)
    }

    unsafe extern "C-unwind" fn before_main(count: c_int, arguments: Pointer, environment: Pointer) -> c_int {
        crate::startup::start_thread(false);
        PROGRAM_MAIN.get().map_or(127, |main| main(count, arguments, environment))
    }
}

#[cfg(feature = "linked")]
mod way {
    use super::*;

    extern "C" {
        fn __real_pthread_create(
            thread: *mut pthread_t,
            attributes: *const pthread_attr_t,
            begin: Begin,
            argument: Pointer,
        ) -> c_int;
    }

    pub fn create() -> Option<Create> {
        Some(__real_pthread_create)
    }

    extern "C-unwind" {
        fn __real_main(count: c_int, arguments: Pointer, environment: Pointer) -> c_int;
    }

    /// Stands before `main`. Not before `__libc_start_main` as above: that one relocates the program first.
    ///
    /// # Safety
    /// Called by the C library once.
    #[no_mangle]
    pub unsafe extern "C-unwind" fn __wrap_main(count: c_int, arguments: Pointer, environment: Pointer) -> c_int {
        crate::startup::start_thread(false);
        __real_main(count, arguments, environment)
    }
}

/// Where a library that is loaded lies.
#[cfg(not(feature = "linked"))]
pub use way::base_of;
/// The C library's own `pthread_create`.
pub use way::create;
