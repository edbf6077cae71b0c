//! The fish. Each swims in a thread of its own and counts its strokes in a thread-local that nobody else can see.

use std::cell::Cell;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::bubbles;
use crate::canvas::{Colour, HEIGHT, WIDTH};

#[derive(Clone, Copy, PartialEq)]
pub enum Heading {
    Left,
    Right,
}

#[derive(Clone)]
pub struct Fish {
    pub x: i32,
    pub y: i32,
    pub heading: Heading,
    pub colour: Colour,
    /// What the fish's own thread counted.
    pub strokes: u64,
}

static SCHOOL: Mutex<Vec<Fish>> = Mutex::new(Vec::new());

thread_local! {
    static STROKES: Cell<u64> = const { Cell::new(0) };
}

const COLOURS: [Colour; 5] = [214, 203, 220, 117, 177];

/// Lets `count` fish into the water.
pub fn release(count: usize) {
    for index in 0..count {
        let heading = if index.is_multiple_of(2) { Heading::Right } else { Heading::Left };
        let (x, y) = (index * 23 % WIDTH, 3 + index * 5 % (HEIGHT - 6));
        let fish = Fish { x: x as i32, y: y as i32, heading, colour: COLOURS[index % COLOURS.len()], strokes: 0 };
        SCHOOL.lock().unwrap().push(fish);
        thread::Builder::new().name(format!("fish {index}")).spawn(move || live(index)).expect("a fish starts");
    }
}

/// All fish as they are now.
pub fn school() -> Vec<Fish> {
    SCHOOL.lock().unwrap().clone()
}

/// A fish's whole life. The thread never leaves this loop, yet a changed `swim` is the one it calls next.
fn live(index: usize) -> ! {
    loop {
        STROKES.with(|strokes| strokes.set(strokes.get() + 1));
        let mut school = SCHOOL.lock().unwrap();
        let fish = &mut school[index];
        fish.strokes = STROKES.with(Cell::get);
        swim(fish);
        drop(school);
        thread::sleep(Duration::from_millis(90 + 25 * index as u64));
    }
}

/// One stroke. Try: `fish.x += 3 * step`, or let them sink, or jump.
fn swim(fish: &mut Fish) {
    let step = if fish.heading == Heading::Right { 1 } else { -1 };
    fish.x += step;
    if fish.strokes.is_multiple_of(11) {
        bubbles::blow(fish.x, fish.y - 1);
    }
    if fish.x < 1 {
        fish.heading = Heading::Right;
    }
    if fish.x > WIDTH as i32 - 8 {
        fish.heading = Heading::Left;
    }
}
