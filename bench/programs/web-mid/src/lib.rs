//! JSON, maps and regular expressions: what a server or a page does with what it gets.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::OnceLock;

use regex::Regex;
use serde_json::Value;

fn orders() -> String {
    let mut text = String::from("[");
    for index in 0..120 {
        if index > 0 {
            text.push(',');
        }
        write!(
            text,
            "{{\"id\": {index}, \"name\": \"order {}\", \"paid\": {}, \"lines\": [{}, {}.5, null], \"note\": {{\"by\": \"desk-{} at {}:30\"}}}}",
            index % 40,
            index % 3 == 0,
            index * 7,
            index * 3,
            index % 9,
            index % 24
        )
        .unwrap();
    }
    text.push(']');
    text
}

#[derive(Default)]
struct Tally {
    words: HashMap<String, u64>,
    desks: HashMap<u32, u32>,
}

fn tally(value: &Value, to: &mut Tally) {
    match value {
        Value::Null | Value::Bool(_) => *to.words.entry("other".into()).or_default() += 1,
        Value::Number(number) => *to.words.entry((number.as_f64().unwrap() as u64 % 64).to_string()).or_default() += 1,
        Value::String(text) => note(text, to),
        Value::Array(items) => items.iter().for_each(|item| tally(item, to)),
        Value::Object(entries) => {
            for (name, item) in entries {
                *to.words.entry(name.clone()).or_default() += 1;
                tally(item, to);
            }
        }
    }
}

fn note(text: &str, to: &mut Tally) {
    static DESK: OnceLock<Regex> = OnceLock::new();
    let desk = DESK.get_or_init(|| Regex::new(r"desk-(\d+) at (\d+):(\d+)").unwrap());
    match desk.captures(text) {
        Some(found) => *to.desks.entry(found[1].parse().unwrap()).or_default() += minutes(&found[2], &found[3]),
        None => *to.words.entry(text.to_string()).or_default() += 1,
    }
}

fn minutes(hours: &str, rest: &str) -> u32 {
    hours.parse::<u32>().unwrap() * 60 + rest.parse::<u32>().unwrap()
}

fn summary(value: &Value, Tally { words, desks }: &Tally) -> String {
    let mut most: Vec<_> = words.iter().collect();
    most.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut out = serde_json::to_string(value).unwrap();
    for (word, count) in most.into_iter().take(20) {
        writeln!(out, "{word}: {count}").unwrap();
    }
    for desk in 0..9 {
        writeln!(out, "{desk}: {}", desks.get(&desk).copied().unwrap_or_default()).unwrap();
    }
    out
}

#[unsafe(no_mangle)]
pub extern "C" fn run(times: u32) -> u32 {
    let text = orders();
    let mut length = 0;
    for _ in 0..times {
        let value: Value = serde_json::from_str(&text).unwrap();
        let mut found = Tally::default();
        tally(&value, &mut found);
        length += summary(&value, &found).len() as u32;
    }
    length
}

/// What the peer's linker keeps.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> i32 {
    0
}
