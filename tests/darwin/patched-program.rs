// A program that is patched by scripts (tests/patch-script.ts), one for each argument, and says after each what its
// functions do now: called at once, from another thread, through a table of methods, and where one panics.
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering};

unsafe extern "C" {
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn _dyld_image_count() -> u32;
    fn _dyld_get_image_name(index: u32) -> *const c_char;
    fn _dyld_get_image_vmaddr_slide(index: u32) -> isize;
}

mod work {
    use std::sync::atomic::{AtomicU32, Ordering};

    pub static KEPT: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static OWN: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }

    // more

    #[inline(never)]
    fn kept() -> u32 {
        OWN.with(|own| own.replace(own.get() + 1)) * 0 + KEPT.fetch_add(1, Ordering::SeqCst) * 0
    }

    #[inline(never)]
    pub fn step(x: u32) -> u32 {
        if x > 1000 { kept(); }
        x + 1 // step
    }

    pub trait Shape {
        fn name(&self) -> &'static str;
    }
    pub struct Square;
    impl Shape for Square {
        #[inline(never)]
        fn name(&self) -> &'static str {
            KEPT.fetch_add(1, Ordering::SeqCst);
            "a square"
        }
    }

    #[inline(never)]
    pub fn say(x: u32) -> String {
        format!("fine {x}")
    }
}

struct Library {
    at: i64,
    size: i64,
    slide: i64,
}

struct Patches {
    libraries: Vec<Library>,
    slide: i64,
}

impl Patches {
    fn place(&self, address: i64) -> *mut usize {
        let found = self.libraries.iter().find(|l| address >= l.at && address < l.at + l.size);
        found.map_or(address + self.slide, |l| address - l.at + l.slide) as *mut usize
    }

    fn follow(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |i: usize| words[i].parse::<i64>().unwrap();
        match words[0] {
            "library" => {
                let path = CString::new(words[3]).unwrap();
                assert!(!unsafe { dlopen(path.as_ptr(), 2) }.is_null(), "the library was not opened");
                let slide = slide_of(|name| name.ends_with(words[3].rsplit('/').next().unwrap()));
                self.libraries.push(Library { at: number(1), size: number(2), slide });
            }
            "word" => unsafe { *self.place(number(1)) = self.place(number(2)) as usize },
            "import" => {
                let name = CString::new(words[3]).unwrap();
                let found = unsafe { dlsym(-2isize as *mut c_void, name.as_ptr()) };
                assert!(!found.is_null(), "there is no {}", words[3]);
                unsafe { *self.place(number(1)) = found as usize + number(2) as usize };
            }
            "slot" => unsafe {
                let slot = self.place(number(1));
                assert_eq!(*slot, self.place(number(2)) as usize, "the slot leads elsewhere");
                *slot = self.place(number(3)) as usize;
            },
            other => panic!("what is {other}?"),
        }
    }
}

fn slide_of(wanted: impl Fn(&str) -> bool) -> i64 {
    let count = unsafe { _dyld_image_count() };
    let index = (0..count).find(|&i| {
        let name = unsafe { CStr::from_ptr(_dyld_get_image_name(i)) };
        wanted(&name.to_string_lossy())
    });
    unsafe { _dyld_get_image_vmaddr_slide(index.expect("no such image")) as i64 }
}

fn say_all(shape: &dyn work::Shape) {
    let step = work::step(1);
    let other = std::thread::spawn(|| work::step(1)).join().unwrap();
    let name = shape.name();
    let said = catch_unwind(|| work::say(2)).unwrap_or_else(|payload| {
        format!("caught: {}", payload.downcast_ref::<String>().map_or("?", |text| text))
    });
    println!("step {step} other {other} shape {name} said {said} kept {}", work::KEPT.load(Ordering::SeqCst));
}

static PASSES: AtomicU32 = AtomicU32::new(0);

fn main() {
    let shape: Box<dyn work::Shape> = Box::new(work::Square);
    let mut patches = Patches { libraries: Vec::new(), slide: unsafe { _dyld_get_image_vmaddr_slide(0) as i64 } };
    say_all(&*shape);
    for script in std::env::args().skip(1) {
        PASSES.fetch_add(1, Ordering::SeqCst);
        for line in std::fs::read_to_string(script).unwrap().lines() {
            patches.follow(line);
        }
        say_all(&*shape);
    }
}
