//! Makes what the program says of its opening hours.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=opening-hours.txt");
    println!("cargo::rerun-if-changed=build.rs");
    let hours = fs::read_to_string("opening-hours.txt").expect("opening-hours.txt can be read");
    let made = Path::new(&env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("hours.txt");
    fs::write(made, format!("open {}", hours.trim())).expect("OUT_DIR can be written");
}
