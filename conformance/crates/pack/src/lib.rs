//! zstd (a C library) and flate2 (Rust): tables, loops, callbacks across the languages.
use std::io::{Read, Write};

conform_wire::exports! {
    zstd_there_and_back = |text| {
        let long = text.repeat(1000);
        let packed = zstd::encode_all(long.as_bytes(), 5).expect("a level");
        let back = zstd::decode_all(packed.as_slice()).expect("what was packed");
        format!("{} {}", packed.len() < long.len() / 10, back == long.as_bytes())
    };
    zstd_fails = |text| zstd::decode_all(text.as_bytes()).unwrap_err().to_string();
    deflate_there_and_back = |text| {
        let long = text.repeat(1000);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(long.as_bytes()).expect("memory");
        let packed = encoder.finish().expect("memory");
        let mut back = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut back).expect("what was packed");
        format!("{} {}", packed.len() < long.len() / 10, back == long)
    };
}
