// Programs that open libraries as they run: what the program, the library and the inserted library are.

/** Opens its arguments one after another, with a thread that was there before; prints what each library answers. */
export const OPENER = `
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

unsafe extern "C" {
    fn dlopen(name: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(handle: *mut c_void) -> c_int;
    fn dlerror() -> *const c_char;
    fn dladdr(address: *const c_void, info: *mut Info) -> c_int;
    fn _dyld_image_count() -> u32;
    fn _dyld_get_image_name(index: u32) -> *const c_char;
    fn _dyld_register_func_for_add_image(function: extern "C" fn(*const c_void, isize));
    fn _NSGetExecutablePath(buffer: *mut c_char, size: *mut u32) -> c_int;
    fn mprotect(at: *mut c_void, size: usize, protection: c_int) -> c_int;
    fn mmap(at: *mut c_void, size: usize, protection: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
}

#[repr(C)]
struct Info {
    file: *const c_char,
    base: *const c_void,
    name: *const c_char,
    address: *const c_void,
}

static ADDED: AtomicUsize = AtomicUsize::new(0);
extern "C" fn added(_header: *const c_void, _slide: isize) {
    ADDED.fetch_add(1, Ordering::SeqCst);
}

#[unsafe(no_mangle)]
pub extern "C" fn of_the_program(x: u32) -> u32 {
    x * 100
}

fn text(at: *const c_char) -> String {
    unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

unsafe fn find(handle: *mut c_void, name: &CStr) -> Option<extern "C" fn(u32) -> u32> {
    let found = unsafe { dlsym(handle, name.as_ptr()) };
    if found.is_null() { None } else { Some(unsafe { std::mem::transmute(found) }) }
}

fn main() {
    let (jobs, work) = mpsc::channel::<extern "C" fn(u32) -> u32>();
    let (done, results) = mpsc::channel();
    // It runs before any library is opened, and their thread-locals are its own too.
    let thread = std::thread::spawn(move || work.iter().for_each(|job| done.send((job(1), job(2))).unwrap()));
    unsafe {
        _dyld_register_func_for_add_image(added);
        let at_first = ADDED.load(Ordering::SeqCst);
        println!("images {} {}", _dyld_image_count(), at_first == _dyld_image_count() as usize);
        let (mut path, mut size) = ([0 as c_char; 1024], 1024);
        _NSGetExecutablePath(path.as_mut_ptr(), &mut size);
        println!("program {} {}", file_name(&text(path.as_ptr())), file_name(&text(_dyld_get_image_name(0))));
        let own = find(-2isize as *mut c_void, c"of_the_program").unwrap();
        println!("own {} {}", own(3), of_the_program(3));
        for name in std::env::args().skip(1) {
            let name = CString::new(name).unwrap();
            let handle = dlopen(name.as_ptr(), 2);
            if handle.is_null() {
                println!("refused {}", text(dlerror()).rsplit('/').next().unwrap());
                continue;
            }
            assert_eq!(dlopen(name.as_ptr(), 2), handle, "the same file is the same image");
            let count = find(handle, c"count").unwrap();
            jobs.send(count).unwrap();
            let other = results.recv().unwrap();
            println!("count {} {} in the thread {other:?}", count(10), count(20));
            println!("caught {}", find(handle, c"catch").unwrap()(7));
            println!("trace {}", find(handle, c"trace").unwrap()(0));
            println!("back {}", find(handle, c"back").map_or(0, |back| back(5)));
            println!("initialised {}", find(handle, c"initialised").unwrap()(0));
            println!("no such {}", find(handle, c"no_such").is_none());
            println!("error {}", text(dlerror()));
            let mut info: Info = std::mem::zeroed();
            let found = dladdr((count as *const () as usize + 4) as *const c_void, &mut info);
            println!("dladdr {found} {} {}", file_name(&text(info.file)), text(info.name));
            println!("closed {}", dlclose(handle));
        }
        println!("images {} {}", _dyld_image_count(), ADDED.load(Ordering::SeqCst) == _dyld_image_count() as usize);
        let page = (of_the_program as *const () as usize & !0x3fff) as *mut c_void;
        println!("write to code {} {:?}", mprotect(page, 0x4000, 7), std::io::Error::last_os_error().kind());
        println!("write to code {}", mprotect(page, 0x4000, 3));
        let fresh = mmap(std::ptr::null_mut(), 0x4000, 7, 0x1002, -1, 0);
        println!("writable and executable {}", fresh as isize);
    }
    drop(jobs);
    thread.join().unwrap();
}
`;

/** A cdylib with thread-locals, panics, a backtrace, an initialiser, and a function of the program. */
export const PLUGIN = `
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

thread_local!(static COUNT: Cell<u32> = const { Cell::new(1000) });
static INITIALISED: AtomicU32 = AtomicU32::new(0);

extern "C" fn initialise() {
    INITIALISED.fetch_add(1, Ordering::SeqCst);
}
#[used]
#[unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs")]
static INITIALISER: extern "C" fn() = initialise;

struct Add(u32);
impl Drop for Add {
    fn drop(&mut self) {
        COUNT.set(COUNT.get() + self.0);
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn count(x: u32) -> u32 {
    COUNT.set(COUNT.get() + x);
    COUNT.get()
}
#[unsafe(no_mangle)]
pub extern "C" fn catch(x: u32) -> u32 {
    let result = std::panic::catch_unwind(|| {
        let _add = Add(x);
        if std::hint::black_box(x) > 0 {
            panic!("in the library");
        }
    });
    result.is_err() as u32 * 10000 + COUNT.get()
}
#[unsafe(no_mangle)]
pub extern "C" fn trace(_: u32) -> u32 {
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    trace.contains(".dylib.rs:") as u32
}
#[unsafe(no_mangle)]
pub extern "C" fn initialised(_: u32) -> u32 {
    INITIALISED.load(Ordering::SeqCst)
}
`;

/** Added to the library: calls a function of the program, which the flat namespace finds. */
export const CALLS_BACK = `
unsafe extern "C" {
    fn of_the_program(x: u32) -> u32;
}
#[unsafe(no_mangle)]
pub extern "C" fn back(x: u32) -> u32 {
    unsafe { of_the_program(x) }
}
`;

/** Inserted before the program: starts a thread that talks while the program runs. */
export const INSERTED = `
extern "C" fn initialise() {
    println!("inserted before main");
    std::thread::spawn(|| println!("inserted thread")).join().unwrap();
}
#[used]
#[unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs")]
static INITIALISER: extern "C" fn() = initialise;
`;
