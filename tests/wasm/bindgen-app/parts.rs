// A crate beside the page's own.
pub fn largest(a: f64, b: f64) -> f64 {
    js_sys::Math::max(a, b)
}
