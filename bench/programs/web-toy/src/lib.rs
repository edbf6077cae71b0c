//! Nothing but calls of a leaf function.

use std::hint::black_box;

#[inline(never)]
fn leaf(value: u32) -> u32 {
    value ^ 3
}

#[unsafe(no_mangle)]
pub extern "C" fn run(times: u32) -> u32 {
    let mut value = 1;
    for _ in 0..times * 1_000_000 {
        value = leaf(black_box(value));
    }
    value
}

/// What the peer's linker keeps.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> i32 {
    0
}
