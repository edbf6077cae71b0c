//! The order desk of `examples/server` behind a few lines of std: no runtime, no registry's crate in use.
//!
//! The matrix copies this crate, `examples/server/src/desk` and `examples/server/pricing` into one place; it is not
//! built where it lies.

mod desk;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use desk::Desk;

fn main() {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| String::from("127.0.0.1:8080"));
    let listener = TcpListener::bind(&address).expect("LISTEN is a free address");
    let desk = Desk::open();
    eprintln!("listening on {address}, pid {}", std::process::id());
    for stream in listener.incoming().flatten() {
        let desk = desk.clone();
        thread::spawn(move || answer(stream, &desk));
    }
}

/// One request, one answer, and the connection is closed.
fn answer(stream: TcpStream, desk: &Desk) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let path = request.split(' ').nth(1)?.to_string();
    let mut header = String::new();
    while reader.read_line(&mut header).ok()? > 2 {
        header.clear();
    }
    let (status, body) = match path.as_str() {
        "/hours" => ("200 OK", String::from(include_str!(concat!(env!("OUT_DIR"), "/hours.txt")))),
        "/health" => ("200 OK", format!("{{\"pid\":{}}}", std::process::id())),
        _ => match path.strip_prefix("/ask/").and_then(|question| desk.ask(question)) {
            Some(body) => ("200 OK", body),
            None => ("404 Not Found", String::new()),
        },
    };
    let mut stream = stream;
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").ok()
}
