//! Frames and their fields: taking them out of bytes, and putting them in. All integers are little-endian. What is read
//! here may be anything (tests/fuzz/agent): None comes of what is not as it should be.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::io::Read;

pub const VERSION: u16 = 3;
const MAX_LENGTH: u32 = 256 << 20;
/// Before the host is known, nothing is longer than this.
const MAX_HANDSHAKE_LENGTH: u32 = 4096;
const TAG: usize = 32;
/// Memory that a length alone can ask for: more is taken as the bytes come.
const FIRST_ROOM: u32 = 64 << 10;

/// The next frame's type and payload. `key`: None until the handshake is done, from then on every frame has a tag.
pub fn read_frame(stream: &mut impl Read, key: Option<&[u8; 32]>, number: u64) -> Option<(u16, Vec<u8>)> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let limit = if key.is_some() { MAX_LENGTH } else { MAX_HANDSHAKE_LENGTH };
    let length = Some(u32::from_le_bytes(length)).filter(|length| *length <= limit)?;
    let mut frame = Vec::with_capacity(length.min(FIRST_ROOM) as usize);
    let taken = stream.take(u64::from(length)).read_to_end(&mut frame).ok()?;
    (taken == length as usize).then_some(())?;
    if let Some(key) = key {
        let content = frame.len().checked_sub(TAG)?;
        keyed(key, &[b"H", &frame[..content]])?.verify_slice(&frame[content..]).ok()?;
        frame.truncate(content);
    }
    let mut reader = Reader(&frame);
    let (version, kind, sequence) = (reader.u16()?, reader.u16()?, reader.u64()?);
    (version == VERSION && sequence == number).then_some(())?;
    frame.drain(..12);
    Some((kind, frame))
}

/// The authentication of these parts, one behind the other, to be finished or compared.
pub fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(key).ok()?;
    Some(parts.iter().fold(mac, |mac, part| mac.chain_update(part)))
}

/// A cursor over received bytes; every read may find that they have ended.
pub struct Reader<'a>(pub &'a [u8]);

macro_rules! integers {
    ($($kind:ident)*) => {
        $(pub fn $kind(&mut self) -> Option<$kind> { self.array().map($kind::from_le_bytes) })*
    };
}

impl<'a> Reader<'a> {
    integers!(u8 u16 u32 u64 i64);

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// A u16 length and the bytes, cut off where the length ends.
pub fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().min(usize::from(u16::MAX));
    [&(length as u16).to_le_bytes(), &bytes[..length]].concat()
}

/// Flags of an import.
pub const IMPORT_WEAK: u8 = 1;
pub const IMPORT_BY_RESOLVER: u8 = 2;
/// A module's number follows the addend: that one's scope counts, too.
const IMPORT_IN_SCOPE: u8 = 4;

/// One step of a transaction (docs/protocol.md, "Transactions"). The scope of an import is 0 where no module's counts.
#[derive(Clone, Copy)]
pub enum Op<'a> {
    Map { at: i64, length: u64 },
    Write { at: i64, bytes: &'a [u8] },
    Word { at: i64, module: u32, value: i64 },
    Tls { at: i64, size: u8, value: i64 },
    Import { at: i64, flags: u8, addend: i64, scope: u32, name: &'a [u8] },
    Protect { at: i64, length: u64, protection: u8 },
    TlsInit { offset: u32, length: u32, at: i64 },
    Check { module: u32, at: i64, bytes: &'a [u8] },
    Unwind { at: i64 },
    Cell { module: u32, at: i64, old: &'a [u8], new: &'a [u8], guard: (u8, u8) },
    Init { at: i64 },
    Slot { module: u32, at: i64, old: i64, new: i64 },
    Library { at: i64, length: u64, bytes: &'a [u8] },
    Renew { module: u32, at: i64, word: u64 },
}

/// The steps of a whole transaction. None when it is not just that.
pub fn read_transaction(payload: &[u8]) -> Option<Vec<Op<'_>>> {
    let mut reader = Reader(payload);
    let (_patch, count) = (reader.u32()?, reader.u32()?);
    let ops = (0..count).map(|_| read_op(&mut reader)).collect::<Option<_>>()?;
    reader.0.is_empty().then_some(ops)
}

/// Fields are read in the order in which they are written here.
fn read_op<'a>(r: &mut Reader<'a>) -> Option<Op<'a>> {
    Some(match r.u8()? {
        1 => Op::Map { at: r.i64()?, length: r.u64()? },
        2 => Op::Write { at: r.i64()?, bytes: r.u32().and_then(|size| r.bytes(size as usize))? },
        3 => Op::Word { at: r.i64()?, module: r.u32()?, value: r.i64()? },
        4 => Op::Tls { at: r.i64()?, size: r.u8()?, value: r.i64()? },
        5 => {
            let (at, flags, addend) = (r.i64()?, r.u8()?, r.i64()?);
            let scope = if flags & IMPORT_IN_SCOPE != 0 { r.u32()? } else { 0 };
            let length = r.u16()?;
            Op::Import { at, flags, addend, scope, name: r.bytes(usize::from(length))? }
        }
        6 => Op::Protect { at: r.i64()?, length: r.u64()?, protection: r.u8()? },
        7 => Op::TlsInit { offset: r.u32()?, length: r.u32()?, at: r.i64()? },
        8 => Op::Check { module: r.u32()?, at: r.i64()?, bytes: r.u32().and_then(|size| r.bytes(size as usize))? },
        9 => Op::Unwind { at: r.i64()? },
        10 => {
            let (module, at, length) = (r.u32()?, r.i64()?, usize::from(r.u8()?));
            Op::Cell { module, at, old: r.bytes(length)?, new: r.bytes(length)?, guard: (r.u8()?, r.u8()?) }
        }
        11 => Op::Init { at: r.i64()? },
        12 => Op::Slot { module: r.u32()?, at: r.i64()?, old: r.i64()?, new: r.i64()? },
        13 => {
            let (at, length) = (r.i64()?, r.u64()?);
            Op::Library { at, length, bytes: r.u32().and_then(|size| r.bytes(size as usize))? }
        }
        14 => Op::Renew { module: r.u32()?, at: r.i64()?, word: r.u64()? },
        _ => return None,
    })
}
