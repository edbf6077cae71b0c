//! The picture around the lanterns, and what the page lends us to paint it.

mod canvas {
    #[link(wasm_import_module = "canvas")]
    unsafe extern "C" {
        // Both take numbers and keep nothing.
        pub safe fn fill(from: f64, to: f64, hue: f64, light: f64);
        pub safe fn disc(x: f64, y: f64, radius: f64, hue: f64, alpha: f64);
    }
}

/// Where the water begins.
pub fn horizon(height: f64) -> f64 {
    height * 0.72
}

/// The sky and the water.
pub fn paint(height: f64) {
    fill(0.0, horizon(height), 230.0, 12.0);
    fill(horizon(height), height, 215.0, 8.0);
}

/// A band over the whole width.
pub fn fill(from: f64, to: f64, hue: f64, light: f64) {
    canvas::fill(from, to, hue, light);
}

/// A disc, more or less transparent.
pub fn disc(x: f64, y: f64, radius: f64, hue: f64, alpha: f64) {
    canvas::disc(x, y, radius, hue, alpha);
}
