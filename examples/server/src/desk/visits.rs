//! Visits: a guest comes in, asks a price, stays for as long as nobody says goodbye, and asks again. The guest's
//! thread keeps its frames on the stack meanwhile, whatever is edited.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

static GUESTS: Mutex<Vec<(Sender<()>, JoinHandle<String>)>> = Mutex::new(Vec::new());

// region price
fn price(count: u64) -> u64 {
    count * 100
}
// endregion

// region stay
fn stay(goodbye: Receiver<()>, asked: Sender<()>) -> String {
    let first = price(2);
    let _ = asked.send(());
    let _ = goodbye.recv();
    format!("{first} then {}", price(3))
}
// endregion

/// A guest comes in and asks the first price before this returns.
pub fn enter() -> String {
    let (goodbye, told) = channel();
    let (asked, answered) = channel();
    let guest = thread::spawn(move || stay(told, asked));
    let _ = answered.recv();
    let mut guests = GUESTS.lock().unwrap();
    guests.push((goodbye, guest));
    format!("{} inside", guests.len())
}

/// All guests leave, each telling the prices that were named.
pub fn leave() -> String {
    let guests = std::mem::take(&mut *GUESTS.lock().unwrap());
    let told = guests.into_iter().map(|(goodbye, guest)| {
        drop(goodbye);
        guest.join().unwrap_or_else(|_| String::from("lost"))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// What the library makes of prices; no edit of the matrix touches this function.
pub fn bill() -> String {
    format!("{} of {}", pricing::with_service(1000), pricing::listed(&[250u64, 480]))
}
