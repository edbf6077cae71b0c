//! What slots cost: calls of a leaf function, and a workload of JSON and hash maps. Prints nanoseconds.
//! `slots-work leaf N`: per call; `slots-work work N`: per round of parsing, counting and writing.

use std::collections::HashMap;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

#[inline(never)]
fn leaf(value: u64) -> u64 {
    value ^ 0x9e37
}

#[derive(Debug, Clone)]
enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn skip_blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\t')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        self.skip_blanks();
        let found = self.bytes.get(self.at) == Some(&wanted);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Json {
        self.skip_blanks();
        match self.bytes[self.at] {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Json::Text(self.text()),
            b't' => self.word(4, Json::Bool(true)),
            b'f' => self.word(5, Json::Bool(false)),
            b'n' => self.word(4, Json::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, length: usize, value: Json) -> Json {
        self.at += length;
        value
    }

    fn number(&mut self) -> Json {
        let start = self.at;
        while matches!(self.bytes.get(self.at), Some(b'0'..=b'9' | b'-' | b'.' | b'e')) {
            self.at += 1;
        }
        Json::Number(std::str::from_utf8(&self.bytes[start..self.at]).unwrap().parse().unwrap())
    }

    fn text(&mut self) -> String {
        self.at += 1;
        let start = self.at;
        while self.bytes[self.at] != b'"' {
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8_lossy(&self.bytes[start..self.at - 1]).into_owned()
    }

    fn list(&mut self) -> Json {
        let mut items = Vec::new();
        self.at += 1;
        while !self.take(b']') {
            items.push(self.value());
            self.take(b',');
        }
        Json::List(items)
    }

    fn object(&mut self) -> Json {
        let mut entries = Vec::new();
        self.at += 1;
        while !self.take(b'}') {
            self.skip_blanks();
            let name = self.text();
            self.take(b':');
            entries.push((name, self.value()));
            self.take(b',');
        }
        Json::Object(entries)
    }
}

fn write(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => write!(out, "{value}").unwrap(),
        Json::Number(value) => write!(out, "{value}").unwrap(),
        Json::Text(text) => write!(out, "\"{text}\"").unwrap(),
        Json::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(entries) => {
            out.push('{');
            for (index, (name, item)) in entries.iter().enumerate() {
                separate(index, out);
                write!(out, "\"{name}\":").unwrap();
                write(item, out);
            }
            out.push('}');
        }
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn count(value: &Json, words: &mut HashMap<String, u64>) {
    match value {
        Json::Null | Json::Bool(_) => *words.entry("other".into()).or_default() += 1,
        Json::Number(number) => *words.entry(format!("{}", *number as u64 % 64)).or_default() += 1,
        Json::Text(text) => *words.entry(text.clone()).or_default() += 1,
        Json::List(items) => items.iter().for_each(|item| count(item, words)),
        Json::Object(entries) => {
            for (name, item) in entries {
                *words.entry(name.clone()).or_default() += 1;
                count(item, words);
            }
        }
    }
}

fn document() -> String {
    let mut text = String::from("[");
    for index in 0..300 {
        separate(index, &mut text);
        write!(
            text,
            "{{\"id\": {index}, \"name\": \"order {}\", \"paid\": {}, \"lines\": [{}, {}.5, null], \"note\": {{\"by\": \"desk {}\"}}}}",
            index % 40,
            index % 3 == 0,
            index * 7,
            index * 3,
            index % 9
        )
        .unwrap();
    }
    text.push(']');
    text
}

fn round(text: &str) -> usize {
    let value = Parser { bytes: text.as_bytes(), at: 0 }.value();
    let mut words = HashMap::new();
    count(&value, &mut words);
    let mut out = String::new();
    write(&value, &mut out);
    words.len() + out.len()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let times: u64 = arguments[2].parse().unwrap();
    let text = document();
    let start = Instant::now();
    match arguments[1].as_str() {
        "leaf" => {
            let mut value = 1;
            for _ in 0..times {
                value = leaf(black_box(value));
            }
            black_box(value);
        }
        _ => {
            for _ in 0..times {
                black_box(round(black_box(&text)));
            }
        }
    }
    println!("{}", start.elapsed().as_nanos() as f64 / times as f64);
}
