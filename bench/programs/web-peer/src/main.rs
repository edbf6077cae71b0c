//! The peer's own code for modules, called as its command line does: `src/patch.rs` is a link to the file in its sources,
//! which the benchmark puts there. `rewrite IN OUT` prints how many milliseconds it took; `patches BASE` prints those of
//! opening, then for each line, which names a patch, those of the patch and how many functions it redirects.
#![allow(dead_code)]
mod patch;

use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let base = Path::new(&arguments[2]);
    if arguments[1] == "rewrite" {
        let bytes = std::fs::read(base).unwrap();
        let start = Instant::now();
        let made = patch::prepare_wasm_base_module(&bytes).unwrap();
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
        std::fs::write(&arguments[3], made).unwrap();
        return;
    }
    let triple: target_lexicon::Triple = "wasm32-unknown-unknown".parse().unwrap();
    let start = Instant::now();
    let cache = patch::HotpatchModuleCache::new(base, &triple).unwrap();
    println!("{}", start.elapsed().as_secs_f64() * 1e3);
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let start = Instant::now();
        match patch::create_wasm_jump_table(Path::new(&line), &cache) {
            Ok(table) => println!("{} {}", start.elapsed().as_secs_f64() * 1e3, table.map.len()),
            Err(error) => println!("failed {error}"),
        }
    }
}
