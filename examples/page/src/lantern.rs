//! What a lantern does: edit these.

use crate::sky::{disc, horizon};

pub struct Lantern {
    x: f64,
    y: f64,
    age: f64,
    number: usize,
}

impl Lantern {
    pub fn new(x: f64, y: f64, number: usize) -> Self {
        Lantern { x, y, age: 0.0, number }
    }

    /// Rises, swings, and comes back at the water when it has left the sky.
    pub fn drift(&mut self, height: f64, seconds: f64) {
        self.age += seconds;
        self.y -= speed() * seconds;
        self.x += swing(self.age, self.number) * seconds;
        if self.y < -20.0 {
            self.y = height;
        }
    }

    pub fn paint(&self, height: f64) {
        disc(self.x, self.y, radius() * 2.2, hue(self.number), 0.12);
        disc(self.x, self.y, radius(), hue(self.number), 0.9);
        let water = horizon(height);
        if self.y < water {
            disc(self.x, 2.0 * water - self.y, radius(), hue(self.number), 0.15);
        }
    }
}

/// Pixels per second.
fn speed() -> f64 {
    30.0
}

/// Pixels.
fn radius() -> f64 {
    9.0
}

/// Of the colour circle, in degrees: 30 is a flame, 200 the sea.
fn hue(number: usize) -> f64 {
    30.0 + (number % 5) as f64 * 4.0
}

fn swing(age: f64, number: usize) -> f64 {
    (age * 0.8 + number as f64).sin() * 14.0
}
