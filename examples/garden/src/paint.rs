//! How everything looks. This is the file to play with: each function here paints one thing.

use std::sync::atomic::Ordering::Relaxed;

use crate::bubbles::{self, BURST};
use crate::canvas::{Canvas, HEIGHT, WIDTH};
use crate::fish::{self, Fish, Heading};
use crate::weather;

/// One frame of the garden.
pub fn scene(tick: u64) -> Canvas {
    let mut canvas = Canvas::new();
    paint_water(&mut canvas, tick);
    for column in [4, 13, 14, 29, 45, 46, 60, 66] {
        paint_weed(&mut canvas, column, tick);
    }
    bubbles::each(|x, y| canvas.put(x, y, 153, "o"));
    for fish in fish::school() {
        paint_fish(&mut canvas, &fish);
    }
    paint_ground(&mut canvas);
    canvas.status = status(tick);
    canvas
}

/// What a fish looks like, swimming either way.
///
/// Edit me! For example `"><(((o>"` and `"<o)))><"`.
fn fish_shape(heading: Heading) -> &'static str {
    match heading {
        Heading::Right => "><>",
        Heading::Left => "<><",
    }
}

fn paint_fish(canvas: &mut Canvas, fish: &Fish) {
    canvas.put(fish.x, fish.y, fish.colour, fish_shape(fish.heading));
}

/// The surface. Edit me: other letters, another colour, higher waves.
fn paint_water(canvas: &mut Canvas, tick: u64) {
    for x in 0..WIDTH {
        let wave = (x as u64 + tick / 2) % 6;
        canvas.put(x as i32, 1, 39, if wave < 3 { "~" } else { "-" });
    }
}

/// One stalk of weed. Edit me: how far does it sway?
fn paint_weed(canvas: &mut Canvas, column: i32, tick: u64) {
    let height = 3 + column % 4;
    for segment in 0..height {
        let sway = ((tick as f32 / 9.0 + segment as f32 / 2.0 + column as f32).sin() * 1.2) as i32;
        canvas.put(column + sway, HEIGHT as i32 - 2 - segment, 35, if segment % 2 == 0 { "(" } else { ")" });
    }
}

fn paint_ground(canvas: &mut Canvas) {
    canvas.put(0, HEIGHT as i32 - 1, 137, &"._".repeat(WIDTH / 2));
    canvas.put(51, HEIGHT as i32 - 2, 244, "/\\_/\\");
}

fn strokes() -> u64 {
    fish::school().iter().map(|fish| fish.strokes).sum()
}

/// The line below the picture.
fn status(tick: u64) -> String {
    let (strokes, burst) = (strokes(), BURST.load(Relaxed));
    let weather = weather::today();
    format!("pid {}  tick {tick}  strokes {strokes}  bubbles burst {burst}  {weather}", std::process::id())
}

/// The garden in words, for where there is no terminal.
pub fn status_text(tick: u64) -> String {
    let school = fish::school();
    let looks: Vec<&str> = school.iter().map(|fish| fish_shape(fish.heading)).collect();
    let (pid, fish, strokes, burst) = (std::process::id(), school.len(), strokes(), BURST.load(Relaxed));
    format!("pid={pid} tick={tick} fish={fish} strokes={strokes} burst={burst} looks={}", looks.join(","))
}
