//! What the desk counts: a static, a private one, one inside a function, and thread-locals, constant and lazy.

use std::cell::{Cell, RefCell};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

// region orders
pub static ORDERS: AtomicU64 = AtomicU64::new(1000);
// endregion
static VISITS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    pub static ASKED: Cell<u64> = const { Cell::new(40) };
    static NOTES: RefCell<Vec<String>> = RefCell::new(vec![String::from("opened")]);
}

fn serial() -> u64 {
    static NEXT: Mutex<u64> = Mutex::new(7);
    let mut next = NEXT.lock().unwrap();
    *next += 1;
    *next
}

// region count
/// Counts one question in every counter there is and tells them all.
pub fn count() -> String {
    let orders = ORDERS.fetch_add(1, Relaxed) + 1;
    let visits = VISITS.fetch_add(1, Relaxed) + 1;
    let asked = ASKED.with(|asked| {
        asked.set(asked.get() + 1);
        asked.get()
    });
    let notes = NOTES.with(|notes| {
        notes.borrow_mut().push(format!("note {asked}"));
        notes.borrow().len()
    });
    format!("orders={orders} visits={visits} asked={asked} notes={notes} serial={}", serial())
}
// endregion

/// Where the counters are: the same text for as long as the process lives.
pub fn addresses() -> String {
    let asked = ASKED.with(|asked| asked.as_ptr() as usize);
    let notes = NOTES.with(|notes| notes.as_ptr() as usize);
    let (orders, visits) = (&raw const ORDERS as usize, &raw const VISITS as usize);
    format!("orders={orders:x} visits={visits:x} asked={asked:x} notes={notes:x}")
}
