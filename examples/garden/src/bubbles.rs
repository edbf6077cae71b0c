//! Bubbles: fish blow them, they rise and wobble, and burst at the surface.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub struct Bubble {
    pub x: i32,
    pub y: i32,
}

static BUBBLES: Mutex<Vec<Bubble>> = Mutex::new(Vec::new());

/// How many have reached the surface.
pub static BURST: AtomicU64 = AtomicU64::new(0);

pub fn blow(x: i32, y: i32) {
    BUBBLES.lock().unwrap().push(Bubble { x, y });
}

/// Moves every bubble by one frame.
pub fn rise(tick: u64) {
    let mut bubbles = BUBBLES.lock().unwrap();
    for (index, bubble) in bubbles.iter_mut().enumerate() {
        if tick.is_multiple_of(2) {
            bubble.y -= 1;
        }
        bubble.x += [0, 1, 0, -1][(tick as usize + index) % 4];
    }
    let before = bubbles.len();
    bubbles.retain(|bubble| bubble.y > 1);
    BURST.fetch_add((before - bubbles.len()) as u64, Relaxed);
}

/// Calls `see` with the place of every bubble.
pub fn each(mut see: impl FnMut(i32, i32)) {
    for bubble in BUBBLES.lock().unwrap().iter() {
        see(bubble.x, bubble.y);
    }
}
