//! Lanterns over water, in a page. Start it and edit while it is open:
//!
//!     npx ipbp run --open
//!
//! Every save changes the open page; the lanterns that are in the air stay where they are.

mod lantern;
mod sky;

use std::sync::Mutex;

use lantern::Lantern;

/// All lanterns in the air. A patch changes what they do, not that they are there.
static LANTERNS: Mutex<Vec<Lantern>> = Mutex::new(Vec::new());

/// A click on the water: one more lantern.
#[unsafe(no_mangle)]
pub extern "C" fn release(x: f64, y: f64) -> usize {
    let mut lanterns = LANTERNS.lock().unwrap();
    let number = lanterns.len();
    lanterns.push(Lantern::new(x, y, number));
    lanterns.len()
}

/// How many there are.
#[unsafe(no_mangle)]
pub extern "C" fn count() -> usize {
    LANTERNS.lock().unwrap().len()
}

/// One picture. `seconds` is the time since the last one.
#[unsafe(no_mangle)]
pub extern "C" fn frame(height: f64, seconds: f64) {
    sky::paint(height);
    for lantern in LANTERNS.lock().unwrap().iter_mut() {
        lantern.drift(height, seconds);
        lantern.paint(height);
    }
}
