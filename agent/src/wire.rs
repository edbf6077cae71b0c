//! Fields of frames: taking them out of bytes, and putting them in. All integers are little-endian.

/// A cursor over received bytes; every read may find that they have ended.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        if length > self.rest.len() {
            return None;
        }
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        Some(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.array()?))
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

/// A payload in the making.
#[derive(Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub fn u8(self, value: u8) -> Self {
        self.raw(&[value])
    }

    pub fn u32(self, value: u32) -> Self {
        self.raw(&value.to_le_bytes())
    }

    pub fn u64(self, value: u64) -> Self {
        self.raw(&value.to_le_bytes())
    }

    pub fn i64(self, value: i64) -> Self {
        self.raw(&value.to_le_bytes())
    }

    /// u16 length and the bytes, cut off where the length ends.
    pub fn counted(self, bytes: &[u8]) -> Self {
        let length = bytes.len().min(usize::from(u16::MAX));
        self.raw(&(length as u16).to_le_bytes()).raw(&bytes[..length])
    }
}

/// One step of a transaction (docs/protocol.md, "Transactions").
pub enum Op<'a> {
    Map { at: i64, length: u64 },
    Write { at: i64, bytes: &'a [u8] },
    Word { at: i64, module: u32, value: i64 },
    Tls { at: i64, size: u8, value: i64 },
    Import { at: i64, weak: bool, addend: i64, name: &'a [u8] },
    Protect { at: i64, length: u64, protection: u8 },
    TlsInit { offset: u32, length: u32, at: i64 },
    Check { module: u32, at: i64, bytes: &'a [u8] },
    Unwind { at: i64 },
    Cell { module: u32, at: i64, old: &'a [u8], new: &'a [u8], guard: (u8, u8) },
    Init { at: i64 },
}

/// A whole transaction: its patch number and steps. None when it is not just that.
pub fn read_transaction(payload: &[u8]) -> Option<(u32, Vec<Op<'_>>)> {
    let mut reader = Reader::new(payload);
    let patch = reader.u32()?;
    let count = reader.u32()?;
    let mut ops = Vec::new();
    for _ in 0..count {
        ops.push(read_op(&mut reader)?);
    }
    reader.is_at_end().then_some((patch, ops))
}

fn read_op<'a>(reader: &mut Reader<'a>) -> Option<Op<'a>> {
    Some(match reader.u8()? {
        1 => Op::Map { at: reader.i64()?, length: reader.u64()? },
        2 => {
            let (at, length) = (reader.i64()?, reader.u32()?);
            Op::Write { at, bytes: reader.bytes(length as usize)? }
        }
        3 => Op::Word { at: reader.i64()?, module: reader.u32()?, value: reader.i64()? },
        4 => Op::Tls { at: reader.i64()?, size: reader.u8()?, value: reader.i64()? },
        5 => {
            let (at, flags, addend, length) = (reader.i64()?, reader.u8()?, reader.i64()?, reader.u16()?);
            Op::Import { at, weak: flags == 1, addend, name: reader.bytes(usize::from(length))? }
        }
        6 => Op::Protect { at: reader.i64()?, length: reader.u64()?, protection: reader.u8()? },
        7 => Op::TlsInit { offset: reader.u32()?, length: reader.u32()?, at: reader.i64()? },
        8 => {
            let (module, at, length) = (reader.u32()?, reader.i64()?, reader.u32()?);
            Op::Check { module, at, bytes: reader.bytes(length as usize)? }
        }
        9 => Op::Unwind { at: reader.i64()? },
        10 => {
            let (module, at, length) = (reader.u32()?, reader.i64()?, usize::from(reader.u8()?));
            let (old, new) = (reader.bytes(length)?, reader.bytes(length)?);
            Op::Cell { module, at, old, new, guard: (reader.u8()?, reader.u8()?) }
        }
        11 => Op::Init { at: reader.i64()? },
        _ => return None,
    })
}
