// A module with what statics and functions come in: atomics, tables, text, thread-locals, locks, trait objects, generics.
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

static CALLS: AtomicU32 = AtomicU32::new(40);
static mut TABLE: [u32; 100] = [7; 100];
static NAMES: [&str; 3] = ["one", "two", "three"];
static LOCK: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONCE: OnceLock<String> = OnceLock::new();
thread_local! {
    static LOCAL: RefCell<HashMap<String, u32>> = RefCell::new(HashMap::new());
}

trait Shape {
    fn area(&self) -> f64;
    fn name(&self) -> String {
        "shape".into()
    }
}
struct Square(f64);
struct Circle(f64);
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}
impl Shape for Circle {
    fn area(&self) -> f64 {
        self.0 * self.0 * 3.0
    }
    fn name(&self) -> String {
        format!("circle {}", self.0)
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn step(x: u32) -> u32 {
    CALLS.fetch_add(1, Ordering::Relaxed);
    x + 3
}

#[unsafe(no_mangle)]
pub extern "C" fn calls() -> u32 {
    CALLS.load(Ordering::Relaxed)
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: u32) -> u32 {
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2.0)), Box::new(Circle(n as f64))];
    LOCAL.with(|local| *local.borrow_mut().entry(NAMES[n as usize % 3].to_string()).or_insert(0) += 1);
    LOCK.lock().unwrap().push(shapes.iter().map(|shape| shape.name()).collect());
    let area: f64 = shapes.iter().map(|shape| shape.area()).sum();
    unsafe { TABLE[n as usize % 100] += step(n) };
    let once = ONCE.get_or_init(|| std::env::args().collect::<Vec<_>>().join("-")).len();
    let names = LOCAL.with(|local| local.borrow().values().sum::<u32>());
    once as u32 + area as u32 + LOCK.lock().unwrap().len() as u32 + names + unsafe { TABLE[3] }
}
