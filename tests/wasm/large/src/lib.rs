//! A module of many functions: a parser of Rust with all that it can do with what it read, regular expressions, JSON and
//! pictures, each used by one exported function. What they answer can be worked out.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};

use quote::ToTokens;
use syn::fold::Fold;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;

static CALLS: AtomicU32 = AtomicU32::new(0);

struct Count(u32);

impl<'a> Visit<'a> for Count {
    fn visit_ident(&mut self, _: &'a syn::Ident) {
        self.0 += 1;
    }
}

struct Rename;

impl VisitMut for Rename {
    fn visit_ident_mut(&mut self, ident: &mut syn::Ident) {
        *ident = syn::Ident::new("renamed", ident.span());
    }
}

struct Same;

impl Fold for Same {}

/// Names in a program of Rust, each twice: as it is read, and as it is after a walk through all of it.
fn names() -> u32 {
    let text = "fn f(x: u32) -> u32 { if x > 3 { g(x) } else { x + 1 } }";
    let mut file = syn::parse_file(text).unwrap();
    let mut count = Count(0);
    count.visit_file(&file);
    Rename.visit_file_mut(&mut file);
    let same = Same.fold_file(file.clone());
    let hash = |file: &syn::File| {
        let mut hasher = DefaultHasher::new();
        file.hash(&mut hasher);
        hasher.finish()
    };
    assert!(same == file && hash(&same) == hash(&file) && format!("{same:?}").contains("renamed"));
    count.0 + same.to_token_stream().to_string().matches("renamed").count() as u32
}

#[unsafe(no_mangle)]
pub extern "C" fn syntax(n: u32) -> u32 {
    names() + n
}

#[unsafe(no_mangle)]
pub extern "C" fn text(n: u32) -> u32 {
    let value: serde_json::Value = serde_json::from_str(r#"{"a": [1, 2, {"b": null}], "c": "text"}"#).unwrap();
    let words = regex::Regex::new(r"(\w+)-(\d+)").unwrap();
    let found = words.captures_iter("one-1 two-22 three").count();
    parts::weigh(found) + serde_json::to_string(&value).unwrap().len() as u32 + n
}

#[unsafe(no_mangle)]
pub extern "C" fn picture(n: u32) -> u32 {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 4, 4);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[7; 16]).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    CALLS.fetch_add(1, Ordering::Relaxed);
    pixels.iter().map(|&pixel| u32::from(pixel)).sum::<u32>() + n
}

#[unsafe(no_mangle)]
pub extern "C" fn pictures() -> u32 {
    CALLS.load(Ordering::Relaxed)
}

/// All of it, for measurements.
#[unsafe(no_mangle)]
pub extern "C" fn run(times: u32) -> u32 {
    (0..times).map(|_| syntax(0) + text(0) + picture(0)).sum()
}

/// What another tool's linker keeps.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> i32 {
    0
}
