//! The connection to the host: the handshake in which both sides prove that they know the token, then numbered frames
//! with a tag each. Anything unexpected ends it; the program goes on as it is.

use crate::platform::{commit, thread_locals};
use crate::startup::{Settings, CONNECTION};
use crate::transaction::Program;
use crate::wire::{keyed, read_frame, VERSION};
use crate::{memory, platform};
use hmac::Mac;
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering::SeqCst;

const NONCE: usize = 32;
/// How long the agent stays awake after a transaction, to take the breakpoint's handler away when no other follows.
const SETTLE_AFTER_MS: i32 = 100;

const HELLO: u16 = 1;
const CHALLENGE: u16 = 2;
const PROOF: u16 = 3;
const PROGRAM: u16 = 4;
const TRANSACTION: u16 = 16;
const DONE: u16 = 17;
const BYE: u16 = 18;
const RESERVE: u16 = 19;
const RESERVED: u16 = 20;
const LOOK: u16 = 21;
const OPENED: u16 = 22;

/// The agent's life: returns when the host has gone or has said something that it should not.
pub fn serve(settings: &Settings) -> Option<()> {
    platform::memory::open()?;
    let stream = connect(&settings.address)?;
    CONNECTION.store(stream.as_raw_fd(), SeqCst);
    let mut connection = Connection { stream, key: None, sent: 0, received: 0 };
    let mut program = Program::new(settings.reservation, settings.beside);
    let end = connection.follow(settings, &mut program);
    commit::settle(&mut program.lookout);
    CONNECTION.store(-1, SeqCst);
    end
}

fn connect(address: &str) -> Option<UnixStream> {
    if let Some(path) = address.strip_prefix("unix:") {
        return UnixStream::connect(path).ok();
    }
    let stream = TcpStream::connect(address.strip_prefix("tcp:")?).ok()?;
    stream.set_nodelay(true).ok()?;
    // Once it is connected, one is as good as the other.
    Some(OwnedFd::from(stream).into())
}

/// What a transaction may hold in this process, beside words.
pub struct Abilities {
    pub pages: bool,
    pub libraries: bool,
    pub code: bool,
}

fn describe(program: &Program) -> Vec<u8> {
    let modules = program.modules.iter().map(|module| module.describe());
    let (start, size) = program.reservations[0];
    let room = thread_locals::room_offset().unwrap_or(0) as u64;
    let places = [start.wrapping_sub(program.modules[0].image.base), size, room].map(u64::to_le_bytes).concat();
    let sizes = [thread_locals::ROOM_SIZE, thread_locals::ROOM_ALIGN, program.modules.len() as u32];
    let sizes = sizes.map(u32::to_le_bytes).concat();
    let modules = modules.collect::<Vec<_>>().concat();
    let Abilities { pages, libraries, code } = platform::abilities();
    let abilities = u32::from(pages) | u32::from(libraries) << 1 | u32::from(code) << 2;
    let abilities = [abilities, memory::PAGE as u32].map(u32::to_le_bytes).concat();
    let (start, size) = program.reservations[1];
    let beside = [start.wrapping_sub(program.modules[0].image.base), size].map(u64::to_le_bytes).concat();
    [&std::process::id().to_le_bytes(), &places[..], &sizes, &modules, &abilities, &beside].concat()
}

struct Connection {
    stream: UnixStream,
    /// None until the handshake is done: from then on every frame has a tag.
    key: Option<[u8; 32]>,
    sent: u64,
    received: u64,
}

impl Connection {
    fn follow(&mut self, settings: &Settings, program: &mut Program) -> Option<()> {
        self.shake_hands(&settings.token)?;
        self.send(PROGRAM, &describe(program))?;
        loop {
            while !self.has_more() && !commit::settle(&mut program.lookout) {}
            match self.receive()? {
                (TRANSACTION, payload) => self.send(DONE, &program.apply(&payload))?,
                (RESERVE, payload) => self.send(RESERVED, &program.reserve(&payload, &settings.tls_offsets)?)?,
                (LOOK, payload) if payload.is_empty() => self.send(OPENED, &program.look())?,
                (BYE, _) => return Some(()),
                _ => return None,
            }
        }
    }

    fn shake_hands(&mut self, token: &[u8; 32]) -> Option<()> {
        let mut own = [0u8; NONCE];
        platform::fill_with_chance(&mut own).then_some(())?;
        self.send(HELLO, &own)?;
        let (CHALLENGE, challenge) = self.receive()? else { return None };
        // Whatever its length, all of it must be the host's nonce and proof.
        let (host, proof) = challenge.split_at_checked(NONCE)?;
        keyed(token, &[b"ipbp host", &own, host])?.verify_slice(proof).ok()?;
        self.send(PROOF, &keyed(token, &[b"ipbp agent", &own, host])?.finalize().into_bytes())?;
        self.key = Some(keyed(token, &[b"ipbp session", &own, host])?.finalize().into_bytes().into());
        Some(())
    }

    fn send(&mut self, kind: u16, payload: &[u8]) -> Option<()> {
        let (version, kind, number) = (VERSION.to_le_bytes(), kind.to_le_bytes(), self.sent.to_le_bytes());
        let signed = [&version[..], &kind, &number, payload].concat();
        let mut tag = Vec::new();
        if let Some(key) = &self.key {
            tag = keyed(key, &[b"A", &signed])?.finalize().into_bytes().to_vec();
        }
        self.sent += 1;
        let length = (signed.len() + tag.len()) as u32;
        self.stream.write_all(&[&length.to_le_bytes()[..], &signed, &tag].concat()).ok()
    }

    /// The next frame's type and payload.
    fn receive(&mut self) -> Option<(u16, Vec<u8>)> {
        let frame = read_frame(&mut self.stream, self.key.as_ref(), self.received)?;
        self.received += 1;
        Some(frame)
    }

    /// Sleeps until there is something to read (or the connection has ended); false when the time is over before.
    fn has_more(&self) -> bool {
        let mut wanted = libc::pollfd { fd: self.stream.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        unsafe { libc::poll(&mut wanted, 1, SETTLE_AFTER_MS) != 0 }
    }
}
