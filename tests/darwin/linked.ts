// Libraries of C that a program is linked with, among them two that export the same name, one that is not there when it
// runs, and one without thread-locals, which is closed for good.

/** Sources by the library's name. */
export const LIBRARIES: Readonly<Record<string, string>> = {
  one: 'int answer(void) { return 1; }\nint only_one(void) { return 10; }',
  two: 'int answer(void) { return 2; }\nint later = 5;',
  // Linked with two alone: its answer is two's, though one was loaded before.
  user: 'int answer(void);\nextern int later;\nint *where = &later;\nint use(void) { return answer() * 100 + *where; }\nextern int absent_data;\nint *maybe = &absent_data;\nint has(void) { return maybe != 0; }',
  // Has nothing itself: what it has is two's.
  front: '',
  gone: 'int absent(void) { return 3; }\nint absent_data = 4;',
  closed: `
int count;
__attribute__((constructor)) static void start(void) { count = 40; }
long write(int file, const void *text, unsigned long size);
__attribute__((destructor)) static void end(void) { write(1, "ended\\n", 6); }
int next(void) { return ++count; }`,
};

/** The program: a line per question. */
export const LINKED_PROGRAM = `
use std::ffi::{CString, c_char, c_int, c_void};

unsafe extern "C" {
    fn answer() -> c_int;
    fn only_one() -> c_int;
    fn r#use() -> c_int;
    fn has() -> c_int;
    static later: c_int;
    fn dlopen(name: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(handle: *mut c_void) -> c_int;
    fn _dyld_image_count() -> u32;
}

unsafe fn call(handle: *mut c_void, name: &std::ffi::CStr) -> c_int {
    let found = unsafe { dlsym(handle, name.as_ptr()) };
    assert!(!found.is_null());
    unsafe { std::mem::transmute::<*mut c_void, extern "C" fn() -> c_int>(found)() }
}

fn main() {
    unsafe {
        println!("answer {} {}", answer(), only_one());
        println!("use {} {}", r#use(), has());
        println!("re-exported {}", later);
        let missing = dlsym(-2isize as *mut c_void, c"absent".as_ptr());
        println!("absent {}", missing.is_null());
        let path = CString::new(std::env::args().nth(1).unwrap()).unwrap();
        let images = _dyld_image_count();
        for _ in 0..2 {
            let handle = dlopen(path.as_ptr(), 1);
            println!("opened {} {} {}", _dyld_image_count() - images, call(handle, c"next"), call(handle, c"next"));
            println!("closed {} {}", dlclose(handle), _dyld_image_count() - images);
        }
        let two = dlopen(c"@rpath/libtwo.dylib".as_ptr(), 1);
        println!("by run path {} {}", !two.is_null(), call(two, c"answer"));
        println!("first {}", call(-2isize as *mut c_void, c"answer"));
    }
}
`;
