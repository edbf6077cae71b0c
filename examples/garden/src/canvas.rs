//! A grid of coloured letters and the escape codes that bring it to the terminal.

use std::io::{Write, stdout};

pub const WIDTH: usize = 72;
pub const HEIGHT: usize = 18;

/// An index into the terminal's 256 colours.
pub type Colour = u8;

#[derive(Clone, Copy)]
struct Cell {
    letter: char,
    colour: Colour,
}

pub struct Canvas {
    cells: Vec<Cell>,
    pub status: String,
}

impl Canvas {
    pub fn new() -> Canvas {
        Canvas { cells: vec![Cell { letter: ' ', colour: 7 }; WIDTH * HEIGHT], status: String::new() }
    }

    /// Writes `text` from column `x` of row `y` on; what lies outside is not drawn.
    pub fn put(&mut self, x: i32, y: i32, colour: Colour, text: &str) {
        for (column, letter) in (x..).zip(text.chars()) {
            if (0..WIDTH as i32).contains(&column) && (0..HEIGHT as i32).contains(&y) && letter != ' ' {
                self.cells[y as usize * WIDTH + column as usize] = Cell { letter, colour };
            }
        }
    }

    /// Draws everything at the top of the screen and leaves the cursor where it was, so that messages which others
    /// print go on below the picture.
    pub fn show(&self) {
        let mut out = String::from("\x1b7\x1b[H");
        for row in self.cells.chunks(WIDTH) {
            let mut colour = None;
            for cell in row {
                if colour != Some(cell.colour) {
                    colour = Some(cell.colour);
                    out.push_str(&format!("\x1b[38;5;{}m", cell.colour));
                }
                out.push(cell.letter);
            }
            out.push_str("\x1b[0m\x1b[K\r\n");
        }
        out.push_str(&format!("{}\x1b[K\x1b8", self.status));
        let mut terminal = stdout().lock();
        let _ = terminal.write_all(out.as_bytes()).and_then(|()| terminal.flush());
    }
}

/// Clears the screen and moves the cursor below the picture.
pub fn make_room() {
    print!("\x1b[2J\x1b[{};1H", HEIGHT + 3);
}
