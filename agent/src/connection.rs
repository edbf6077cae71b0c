//! The connection to the host: the handshake in which both sides prove that they know the token, then numbered frames
//! with a tag each. Anything unexpected ends it; the program goes on as it is.

use crate::identity::{self, Identity};
use crate::transaction::Program;
use crate::wire::{Reader, Writer};
use crate::{commit, memory, startup, thread_locals};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

const VERSION: u16 = 1;
const MAX_LENGTH: u32 = 256 << 20;
/// Before the host is known, nothing is longer than this.
const MAX_HANDSHAKE_LENGTH: u32 = 4096;
const NONCE: usize = 32;
const TAG: usize = 32;
/// How long the agent stays awake after a transaction, to take the breakpoint's handler away when no other follows.
const SETTLE_AFTER_MS: i32 = 100;

mod kind {
    pub const HELLO: u16 = 1;
    pub const CHALLENGE: u16 = 2;
    pub const PROOF: u16 = 3;
    pub const PROGRAM: u16 = 4;
    pub const TRANSACTION: u16 = 16;
    pub const DONE: u16 = 17;
    pub const BYE: u16 = 18;
}

/// The agent's life: returns when the host has gone or has said something that it should not.
pub fn serve(address: &str, token: &[u8; 32]) -> Option<()> {
    let mut connection = connect(address)?;
    startup::remember_connection(connection.descriptor);
    memory::open();
    connection.shake_hands(token)?;
    let mut program = Program::new(identity::modules());
    connection.send(kind::PROGRAM, &describe(&program))?;
    let end = follow(&mut connection, &mut program);
    commit::settle(&mut program.lookout);
    end
}

fn follow(connection: &mut Connection, program: &mut Program) -> Option<()> {
    loop {
        while !connection.wait(SETTLE_AFTER_MS)? {
            if commit::settle(&mut program.lookout) {
                connection.wait(-1)?;
                break;
            }
        }
        match connection.receive()? {
            (kind::TRANSACTION, payload) => {
                let answer = program.apply(&payload);
                connection.send(kind::DONE, &answer)?;
            }
            (kind::BYE, _) => return Some(()),
            _ => return None,
        }
    }
}

fn describe(program: &Program) -> Vec<u8> {
    let base = program.modules.first().map_or(0, |module| module.base);
    let (start, size) = program.reservation;
    let mut text = Writer::default()
        .u32(std::process::id())
        .i64(start.wrapping_sub(base) as i64)
        .u64(size)
        .i64(thread_locals::room_offset())
        .u32(thread_locals::ROOM_SIZE)
        .u32(thread_locals::ROOM_ALIGN)
        .u32(program.modules.len() as u32);
    for module in &program.modules {
        let (kind, id) = match &module.identity {
            Identity::BuildId(id) => (1, id),
            Identity::TextSha256(id) => (2, id),
        };
        text = text.u64(module.base).u8(kind).counted(id).counted(&module.path);
    }
    text.bytes
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

struct Connection {
    stream: Box<dyn Stream>,
    descriptor: RawFd,
    /// None until the handshake is done: from then on every frame has a tag.
    key: Option<[u8; 32]>,
    sent: u64,
    received: u64,
}

fn connect(address: &str) -> Option<Connection> {
    let (stream, descriptor): (Box<dyn Stream>, RawFd) = if let Some(path) = address.strip_prefix("unix:") {
        let stream = UnixStream::connect(path).ok()?;
        let descriptor = stream.as_raw_fd();
        (Box::new(stream), descriptor)
    } else {
        let stream = TcpStream::connect(address.strip_prefix("tcp:")?).ok()?;
        stream.set_nodelay(true).ok()?;
        let descriptor = stream.as_raw_fd();
        (Box::new(stream), descriptor)
    };
    Some(Connection { stream, descriptor, key: None, sent: 0, received: 0 })
}

impl Connection {
    fn shake_hands(&mut self, token: &[u8; 32]) -> Option<()> {
        let mut own = [0u8; NONCE];
        if unsafe { libc::getrandom(own.as_mut_ptr() as *mut _, NONCE, 0) } != NONCE as isize {
            return None;
        }
        self.send(kind::HELLO, &own)?;
        let (kind::CHALLENGE, challenge) = self.receive()? else { return None };
        let mut reader = Reader::new(&challenge);
        let host: [u8; NONCE] = reader.array()?;
        let proof = reader.bytes(TAG)?;
        if !reader.is_at_end() {
            return None;
        }
        keyed(token, &[b"ipbp host", &own, &host])?.verify_slice(proof).ok()?;
        let answer = keyed(token, &[b"ipbp agent", &own, &host])?.finalize().into_bytes();
        self.send(kind::PROOF, &answer)?;
        self.key = Some(keyed(token, &[b"ipbp session", &own, &host])?.finalize().into_bytes().into());
        Some(())
    }

    fn send(&mut self, kind: u16, payload: &[u8]) -> Option<()> {
        let tag_size = if self.key.is_some() { TAG } else { 0 };
        let length = u32::try_from(12 + payload.len() + tag_size).ok().filter(|length| *length <= MAX_LENGTH)?;
        let mut frame = length.to_le_bytes().to_vec();
        frame.extend_from_slice(&VERSION.to_le_bytes());
        frame.extend_from_slice(&kind.to_le_bytes());
        frame.extend_from_slice(&self.sent.to_le_bytes());
        frame.extend_from_slice(payload);
        if let Some(key) = &self.key {
            let tag = keyed(key, &[b"A", &frame[4..]])?.finalize().into_bytes();
            frame.extend_from_slice(&tag);
        }
        self.sent += 1;
        self.stream.write_all(&frame).ok()
    }

    /// The next frame's type and payload.
    fn receive(&mut self) -> Option<(u16, Vec<u8>)> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).ok()?;
        let length = u32::from_le_bytes(length);
        if length > if self.key.is_some() { MAX_LENGTH } else { MAX_HANDSHAKE_LENGTH } {
            return None;
        }
        // Grows with what really comes.
        let mut frame = Vec::new();
        let got = (&mut self.stream).take(u64::from(length)).read_to_end(&mut frame).ok()?;
        if got != length as usize {
            return None;
        }
        if let Some(key) = &self.key {
            let content = frame.len().checked_sub(TAG)?;
            keyed(key, &[b"H", &frame[..content]])?.verify_slice(&frame[content..]).ok()?;
            frame.truncate(content);
        }
        let mut reader = Reader::new(&frame);
        let (version, kind, number) = (reader.u16()?, reader.u16()?, reader.u64()?);
        if version != VERSION || number != self.received {
            return None;
        }
        self.received += 1;
        frame.drain(..12);
        Some((kind, frame))
    }

    /// Sleeps until there is something to read; false when the time (−1: none) is over before.
    fn wait(&self, milliseconds: i32) -> Option<bool> {
        let mut wanted = libc::pollfd { fd: self.descriptor, events: libc::POLLIN, revents: 0 };
        loop {
            match unsafe { libc::poll(&mut wanted, 1, milliseconds) } {
                0 => return Some(false),
                1 => return Some(true),
                _ if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => (),
                _ => return None,
            }
        }
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac)
}
