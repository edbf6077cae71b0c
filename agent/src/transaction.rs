//! One transaction: verified whole, prepared whole, then committed; whatever fails before the commit is taken back.

use crate::commit::{self, Cell};
use crate::identity::Module;
use crate::memory::Region;
use crate::threads::Lookout;
use crate::wire::{read_transaction, Op, Writer};
use crate::{memory, startup, thread_locals};
use std::ffi::CString;

/// Why a transaction was not applied: the protocol's status number and what to tell.
struct Failure(u32, String);

mod status {
    pub const APPLIED: u32 = 0;
    pub const BAD_FRAME: u32 = 1;
    pub const MAPPING_FAILED: u32 = 2;
    pub const BYTES_DIFFER: u32 = 3;
    pub const SYMBOL_NOT_FOUND: u32 = 4;
    pub const THREADS_BUSY: u32 = 5;
    pub const NO_TLS_ROOM: u32 = 6;
    pub const PROTECTION_REFUSED: u32 = 7;
}

/// What the agent keeps between transactions.
pub struct Program {
    pub modules: Vec<Module>,
    /// First address and size of what is kept for patches.
    pub reservation: (u64, u64),
    /// Parts of it that earlier transactions took: start, end.
    mapped: Vec<(u64, u64)>,
    pub lookout: Lookout,
}

/// What a transaction has done so far that can be taken back.
#[derive(Default)]
struct Prepared {
    mapped: Vec<(u64, u64)>,
    unwind: Vec<u64>,
    cells: Vec<Cell>,
}

impl Program {
    pub fn new(modules: Vec<Module>) -> Self {
        Program { modules, reservation: startup::reservation(), mapped: Vec::new(), lookout: Lookout::new() }
    }

    /// Applies the transaction in this payload; the answer's payload.
    pub fn apply(&mut self, payload: &[u8]) -> Vec<u8> {
        let Some((patch, ops)) = read_transaction(payload) else {
            let patch = payload.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
            return answer(patch, status::BAD_FRAME, 0, 0, "the transaction does not have the form it should have");
        };
        self.lookout.retries = 0;
        let mut prepared = Prepared::default();
        let done = self.prepare(&ops, &mut prepared).and_then(|()| {
            let committed = commit::commit(&prepared.cells, &mut self.lookout);
            committed.map_err(|message| Failure(status::THREADS_BUSY, message))
        });
        match done {
            Ok(committed) => {
                self.mapped.append(&mut prepared.mapped);
                for op in &ops {
                    if let Op::Init { at } = op {
                        let address = self.address(0, *at).unwrap_or_default();
                        unsafe { std::mem::transmute::<u64, extern "C" fn()>(address)() };
                    }
                }
                answer(patch, status::APPLIED, committed.retries, committed.held, "")
            }
            Err(Failure(status, message)) => {
                prepared.take_back();
                answer(patch, status, self.lookout.retries, 0, &message)
            }
        }
    }

    /// Everything but the cells. The steps' order by kind is fixed, whatever their order in the frame.
    fn prepare(&self, ops: &[Op], prepared: &mut Prepared) -> Result<(), Failure> {
        self.verify(ops, prepared)?;
        let imports = resolve_imports(ops)?;
        for op in ops {
            if let Op::Map { at, length } = op {
                let start = self.address(0, *at)?;
                if !memory::map_pages(start, *length) {
                    return Err(Failure(
                        status::MAPPING_FAILED,
                        format!("{length:#x} bytes at {start:#x} could not be mapped"),
                    ));
                }
                prepared.mapped.push((start, start + length));
            }
        }
        let mut imports = imports.into_iter();
        for op in ops {
            match op {
                Op::Write { at, bytes } => prepared.store(self.address(0, *at)?, bytes)?,
                Op::Word { at, module, value } => {
                    let word = self.address(*module, *value)?;
                    prepared.store(self.address(0, *at)?, &word.to_le_bytes())?;
                }
                Op::Tls { at, size, value } => {
                    let offset = thread_locals::room_offset() + value;
                    let fits = *size == 8 || (*size == 4 && i32::try_from(offset).is_ok());
                    if !fits {
                        return Err(bad(format!("a thread-local offset of {size} bytes cannot hold {offset}")));
                    }
                    prepared.store(self.address(0, *at)?, &offset.to_le_bytes()[..usize::from(*size)])?;
                }
                Op::Import { at, .. } => {
                    let word = imports.next().unwrap_or_default();
                    prepared.store(self.address(0, *at)?, &word.to_le_bytes())?;
                }
                _ => (),
            }
        }
        self.protect(ops, prepared)?;
        for op in ops {
            if let Op::Unwind { at } = op {
                let register = symbol(b"__register_frame").ok_or_else(|| missing(b"__register_frame"))?;
                let address = self.address(0, *at)?;
                unsafe { std::mem::transmute::<u64, extern "C" fn(u64)>(register)(address) };
                prepared.unwind.push(address);
            }
        }
        for op in ops {
            if let Op::TlsInit { offset, length, at } = op {
                let mut bytes = vec![0; *length as usize];
                if !memory::read(self.address(0, *at)?, &mut bytes) {
                    return Err(bad(format!("the initial value at {at:#x} cannot be read")));
                }
                thread_locals::initialise(*offset, &bytes).map_err(|message| Failure(status::NO_TLS_ROOM, message))?;
            }
        }
        Ok(())
    }

    /// Looks at everything that can be wrong before anything is changed.
    fn verify(&self, ops: &[Op], prepared: &mut Prepared) -> Result<(), Failure> {
        let regions = memory::regions();
        let mut maps: Vec<(u64, u64)> = Vec::new();
        for op in ops {
            match op {
                Op::Map { at, length } => {
                    let start = self.address(0, *at)?;
                    let (first, size) = self.reservation;
                    let fits = start % memory::PAGE == 0
                        && length % memory::PAGE == 0
                        && start >= first
                        && length.checked_add(start - first).is_some_and(|end| end <= size);
                    let taken = |range: &&(u64, u64)| start < range.1 && range.0 < start + length;
                    if !fits || *length == 0 || self.mapped.iter().chain(&maps).any(|range| taken(&range)) {
                        let what = format!("{length:#x} bytes at {start:#x} are not free pages of the reservation");
                        return Err(Failure(status::MAPPING_FAILED, what));
                    }
                    maps.push((start, start + length));
                }
                Op::TlsInit { offset, length, .. }
                    if u64::from(*offset) + u64::from(*length) > thread_locals::ROOM_SIZE as u64 =>
                {
                    return Err(Failure(status::NO_TLS_ROOM, format!("offset {offset:#x} + {length:#x} bytes")));
                }
                Op::Check { module, at, bytes } => self.compare(&regions, *module, *at, bytes)?,
                Op::Cell { module, at, old, new, guard } => {
                    self.compare(&regions, *module, *at, old)?;
                    let address = self.address(*module, *at)?;
                    let end = address + old.len() as u64;
                    let region = regions.iter().find(|region| region.0 <= address && end <= region.1);
                    let protection = region.map_or(0, |region| region.2);
                    let code = protection & libc::PROT_EXEC != 0;
                    if old.is_empty()
                        || region.is_none()
                        || (code && !memory::can_write_code(address, old.len(), protection))
                    {
                        return Err(Failure(status::PROTECTION_REFUSED, format!("{address:#x} cannot be written")));
                    }
                    let guard = (address + u64::from(guard.0), address + u64::from(guard.1));
                    let (old, new) = (old.to_vec(), new.to_vec());
                    prepared.cells.push(Cell { address, old, new, guard, protection });
                }
                _ => (),
            }
        }
        let mut ranges: Vec<_> = prepared.cells.iter().map(|cell| (cell.address, cell.old.len() as u64)).collect();
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[0].0 + pair[0].1 > pair[1].0) {
            return Err(bad("two cells overlap".into()));
        }
        Ok(())
    }

    fn protect(&self, ops: &[Op], prepared: &Prepared) -> Result<(), Failure> {
        for op in ops {
            if let Op::Protect { at, length, protection } = op {
                let start = self.address(0, *at)?;
                // Bits 1 read, 2 write, 4 execute: PROT_READ, PROT_WRITE, PROT_EXEC. Never both of the last two.
                if protection & 6 == 6 || *protection > 7 || start % memory::PAGE != 0 {
                    return Err(bad(format!("protection {protection} at {start:#x}")));
                }
                prepared.require(start, *length)?;
                if !memory::protect(start, *length, i32::from(*protection)) {
                    let what = format!("protection {protection} at {start:#x} was refused by the system");
                    return Err(Failure(status::PROTECTION_REFUSED, what));
                }
            }
        }
        for op in ops {
            if let Op::Init { at } | Op::Unwind { at } = op {
                prepared.require(self.address(0, *at)?, 1)?;
            }
        }
        Ok(())
    }

    fn compare(&self, regions: &[Region], module: u32, at: i64, expected: &[u8]) -> Result<(), Failure> {
        let mut found = vec![0; expected.len()];
        let address = self.address(module, at)?;
        // The kernel would read the empty reservation for us, too.
        let forbidden = |region: &Region| region.0 <= address && address < region.1 && region.2 == libc::PROT_NONE;
        let readable = !regions.iter().any(forbidden) && memory::read(address, &mut found);
        if readable && found == expected {
            return Ok(());
        }
        let hex = |bytes: &[u8]| bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        let found = if readable { hex(&found) } else { "nothing mapped".into() };
        let what = format!("module {module} at {at:#x}: expected {}, found {found}", hex(expected));
        Err(Failure(status::BYTES_DIFFER, what))
    }

    fn address(&self, module: u32, at: i64) -> Result<u64, Failure> {
        let module = self.modules.get(module as usize).ok_or_else(|| bad(format!("there is no module {module}")))?;
        Ok(module.base.wrapping_add_signed(at))
    }
}

impl Prepared {
    /// Only what this transaction mapped may be written to without looking.
    fn require(&self, address: u64, length: u64) -> Result<(), Failure> {
        let inside = |range: &(u64, u64)| address >= range.0 && address <= range.1 && length <= range.1 - address;
        if self.mapped.iter().any(inside) {
            return Ok(());
        }
        Err(bad(format!("{length:#x} bytes at {address:#x} were not mapped by this transaction")))
    }

    fn store(&self, address: u64, bytes: &[u8]) -> Result<(), Failure> {
        self.require(address, bytes.len() as u64)?;
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
        Ok(())
    }

    fn take_back(&self) {
        if let Some(deregister) = symbol(b"__deregister_frame") {
            let deregister = unsafe { std::mem::transmute::<u64, extern "C" fn(u64)>(deregister) };
            self.unwind.iter().for_each(|address| deregister(*address));
        }
        for (start, end) in &self.mapped {
            memory::unmap_pages(*start, end - start);
        }
    }
}

/// The words of all imports, in order.
fn resolve_imports(ops: &[Op]) -> Result<Vec<u64>, Failure> {
    let mut words = Vec::new();
    for op in ops {
        if let Op::Import { weak, addend, name, .. } = op {
            words.push(match symbol(name) {
                Some(address) => address.wrapping_add_signed(*addend),
                None if *weak => 0,
                None => return Err(missing(name)),
            });
        }
    }
    Ok(words)
}

fn symbol(name: &[u8]) -> Option<u64> {
    let name = CString::new(name).ok()?;
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address as u64)
}

fn missing(name: &[u8]) -> Failure {
    Failure(status::SYMBOL_NOT_FOUND, String::from_utf8_lossy(name).into_owned())
}

fn bad(message: String) -> Failure {
    Failure(status::BAD_FRAME, message)
}

fn answer(patch: u32, status: u32, retries: u32, held: u64, message: &str) -> Vec<u8> {
    Writer::default().u32(patch).u32(status).u32(retries).u64(held).counted(message.as_bytes()).bytes
}
