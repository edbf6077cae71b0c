//! What the agent needs of the C library by name, and where it stands before it: through the loader's order of
//! libraries, or in a program without a loader (feature `linked`) through the linker, which was told to `--wrap`.

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

    /// `scope`: the handle of a library whose own scope comes behind the program's; 0: none does.
    pub fn find(name: &CStr, scope: u64) -> u64 {
        let everywhere = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) as u64 };
        if everywhere != 0 || scope == 0 {
            return everywhere;
        }
        unsafe { libc::dlsym(scope as Pointer, name.as_ptr()) as u64 }
    }

    extern "C" {
        /// dlinfo(3).
        fn dlinfo(handle: Pointer, request: c_int, info: Pointer) -> c_int;
    }
    const RTLD_DI_LINKMAP: c_int = 2;

    /// Keeps a library that is loaded from being closed: its handle, if it is the one with this base.
    pub fn pin(path: &CStr, base: u64) -> Option<u64> {
        unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
            if handle.is_null() {
                return None;
            }
            // <link.h>: the first member of a `link_map` is the library's base.
            let mut map: *const u64 = std::ptr::null();
            let told = dlinfo(handle, RTLD_DI_LINKMAP, &mut map as *mut _ as Pointer) == 0 && !map.is_null();
            if told && *map == base {
                return Some(handle as u64);
            }
            libc::dlclose(handle);
            None
        }
    }

    /// Has the loader open this file, for itself: its handle and base.
    pub fn open(path: &CStr) -> Result<(u64, u64), String> {
        unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            if handle.is_null() {
                let why = libc::dlerror();
                let unknown = || "the loader does not say why".into();
                return Err(if why.is_null() { unknown() } else { CStr::from_ptr(why).to_string_lossy().into() });
            }
            let mut map: *const u64 = std::ptr::null();
            if dlinfo(handle, RTLD_DI_LINKMAP, &mut map as *mut _ as Pointer) == 0 && !map.is_null() {
                return Ok((handle as u64, *map));
            }
            libc::dlclose(handle);
            Err("the loader does not say where it is".into())
        }
    }

    /// Takes [`open`] back.
    pub fn close(handle: u64) {
        unsafe { libc::dlclose(handle as Pointer) };
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
    use std::ffi::CStr;

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

/// The C library's own `pthread_create`; the address of what a name means to the program, or 0; keeping, opening and
/// closing a library.
pub use way::{close, create, find, open, pin};
