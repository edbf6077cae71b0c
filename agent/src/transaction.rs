//! One transaction: verified, prepared whole, then committed; whatever fails before the commit is taken back.

use crate::cell::Cell;
use crate::identity::{modules, opened_since, Module};
use crate::libraries::Library;
use crate::loader;
use crate::memory::{self, Regions, Room, PROT_EXEC, PROT_WRITE};
use crate::platform::threads::Lookout;
use crate::platform::{commit, thread_locals, unwinder};
use crate::wire::{counted, read_transaction, Op, IMPORT_BY_RESOLVER, IMPORT_WEAK};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Why a transaction was not applied: the protocol's status number and what to tell.
struct Failure(u32, String);

const APPLIED: u32 = 0;
const BAD_FRAME: u32 = 1;
const MAPPING_FAILED: u32 = 2;
const BYTES_DIFFER: u32 = 3;
const SYMBOL_NOT_FOUND: u32 = 4;
const THREADS_BUSY: u32 = 5;
const NO_TLS_ROOM: u32 = 6;
const PROTECTION_REFUSED: u32 = 7;

macro_rules! ensure {
    ($holds:expr, $status:expr, $($message:tt)*) => {
        if !$holds {
            return Err(Failure($status, format!($($message)*)));
        }
    };
}

/// What the agent keeps between transactions.
pub struct Program {
    /// Those that were there at the start, then others as they were seen. A number is never given twice.
    pub modules: Vec<Module>,
    at_start: usize,
    /// Address space that is kept for patches, start and size: that of the executable comes first, then the pages beside it.
    pub reservations: Vec<(u64, u64)>,
    /// Parts of it that earlier transactions took: start, end.
    mapped: Vec<(u64, u64)>,
    /// Patches that the loader has opened.
    libraries: Vec<Library>,
    pub lookout: Lookout,
}

/// What a transaction has done so far that can be taken back, and what is left to do.
#[derive(Default)]
struct Prepared {
    /// What was mapped in the process when it began.
    regions: Regions,
    mapped: Vec<(u64, u64)>,
    /// What libraries stand for.
    reserved: Vec<(u64, u64)>,
    libraries: Vec<Library>,
    imports: VecDeque<u64>,
    unwind: Vec<u64>,
    /// By address.
    cells: BTreeMap<u64, Cell>,
    constructors: Vec<u64>,
    /// Words of the program's data, and what they are to hold.
    renewals: Vec<(u64, u64)>,
}

impl Program {
    pub fn new(reservation: (u64, u64), beside: (u64, u64)) -> Self {
        let modules = modules();
        let at_start = modules.len();
        Program {
            modules,
            at_start,
            reservations: vec![reservation, beside],
            mapped: Vec::new(),
            libraries: Vec::new(),
            lookout: Lookout::new(),
        }
    }

    /// Libraries that were opened since the last look; the answer's payload.
    pub fn look(&mut self) -> Vec<u8> {
        let (modules, told): (Vec<_>, Vec<_>) = opened_since(&self.modules).into_iter().unzip();
        self.modules.extend(modules);
        [&(told.len() as u32).to_le_bytes()[..], &told.concat()].concat()
    }

    /// Keeps address space for patches of the module with the number in this payload; the answer's payload. `at_start`:
    /// where another thread has the thread-locals of the modules that were there at the start, by their bases.
    pub fn reserve(&mut self, payload: &[u8], at_start: &[(u64, Option<i64>)]) -> Option<Vec<u8>> {
        let number = u32::from_le_bytes(payload.try_into().ok()?) as usize;
        let module = self.modules.get_mut(number)?;
        if number >= self.at_start && module.handle == 0 {
            // What the program has opened it could close.
            let path = CString::new(&module.image.path[..]).unwrap_or_default();
            let Some(handle) = loader::pin(&path, module.image.base) else { return Some(vec![0; 41]) };
            module.handle = handle;
        }
        let image = &module.image;
        let (start, size) = memory::reserve(image.start(), Room::Library);
        let beside = memory::reserve_beside(image, Room::Library);
        self.reservations.extend([(start, size), beside]);
        // At one offset in two threads: it is so in all.
        let tls_offset = image.tls_offset().filter(|offset| at_start.contains(&(image.base, Some(*offset))));
        let places = [start.wrapping_sub(image.base), size, tls_offset.unwrap_or(0) as u64].map(u64::to_le_bytes);
        let beside = [beside.0.wrapping_sub(image.base), beside.1].map(u64::to_le_bytes).concat();
        Some([&places.concat()[..], &[u8::from(tls_offset.is_some())], &beside].concat())
    }

    /// Applies the transaction in this payload; the answer's payload.
    pub fn apply(&mut self, payload: &[u8]) -> Vec<u8> {
        self.lookout.retries = 0;
        let mut prepared = Prepared { regions: Regions::now(), ..Prepared::default() };
        let mut moved = Vec::new();
        let (status, held, message) = match self.prepare_and_commit(payload, &mut prepared) {
            Ok(held) => {
                self.mapped.append(&mut prepared.mapped);
                self.mapped.append(&mut prepared.reserved);
                moved = prepared.libraries.iter().map(|library| library.describe().concat()).collect();
                self.libraries.append(&mut prepared.libraries);
                for (address, word) in prepared.renewals {
                    unsafe { AtomicU64::from_ptr(address as *mut u64) }.store(word, SeqCst);
                }
                for address in prepared.constructors {
                    unsafe { std::mem::transmute::<u64, extern "C" fn()>(address)() };
                }
                (APPLIED, held, String::new())
            }
            Err(Failure(status, message)) => {
                prepared.take_back();
                (status, 0, message)
            }
        };
        let patch = payload.first_chunk().unwrap_or(&[0; 4]);
        let (status, retries, held) = (status.to_le_bytes(), self.lookout.retries.to_le_bytes(), held.to_le_bytes());
        let count = (moved.len() as u32).to_le_bytes();
        [&patch[..], &status, &retries, &held, &counted(message.as_bytes()), &count, &moved.concat()].concat()
    }

    fn prepare_and_commit(&mut self, payload: &[u8], prepared: &mut Prepared) -> Result<u64, Failure> {
        let malformed = || Failure(BAD_FRAME, "the transaction does not have the form it should have".into());
        let ops = read_transaction(payload).ok_or_else(malformed)?;
        // Whatever their order in the frame; docs/protocol.md lists what is done before what.
        for step in 0..=6 {
            ops.iter().try_for_each(|op| self.prepare(step, op, prepared))?;
        }
        let cells: Vec<Cell> = std::mem::take(&mut prepared.cells).into_values().collect();
        commit::commit(&cells, &mut self.lookout).map_err(|message| Failure(THREADS_BUSY, message))
    }

    /// What one operation has to do in this step; in the first all is looked at that can be wrong.
    fn prepare(&self, step: u32, op: &Op, prepared: &mut Prepared) -> Result<(), Failure> {
        match (step, *op) {
            (0, Op::Check { module, at, bytes }) => self.compare(prepared, module, at, bytes)?,
            (0, Op::Cell { module, at, old, new, guard }) => self.add_cell(prepared, module, at, old, new, guard)?,
            (0, Op::Slot { module, at, old, .. }) => {
                let old = self.address(prepared, 0, old)?.to_le_bytes();
                let address = self.address(prepared, module, at)?;
                ensure!(address % 8 == 0, BAD_FRAME, "a slot at {at:#x} is not aligned");
                // Where it is to lead may be in a library that is not open yet.
                self.add_cell(prepared, module, at, &old, &old, (0, 0))?;
            }
            (5, Op::Slot { module, at, new, .. }) => {
                let new = self.address(prepared, 0, new)?.to_le_bytes();
                let address = self.address(prepared, module, at)?;
                if let Some(cell) = prepared.cells.get_mut(&address) {
                    cell.new = new.into();
                }
            }
            (0, Op::Renew { module, at, word }) => {
                let address = self.address(prepared, module, at)?;
                let rights = prepared.regions.rights(address, 8);
                let data = rights.is_some_and(|rights| rights & (PROT_WRITE | PROT_EXEC) == PROT_WRITE);
                ensure!(address % 8 == 0 && data, BAD_FRAME, "there is no word of data at {at:#x}");
                prepared.renewals.push((address, word));
            }
            (0, Op::Map { at, length }) => {
                let pages = self.free_pages(prepared, at, length)?;
                prepared.mapped.push(pages);
            }
            (0, Op::Library { at, length, .. }) => {
                let pages = self.free_pages(prepared, at, length)?;
                prepared.reserved.push(pages);
            }
            (0, Op::TlsInit { offset, length, .. }) => {
                let fits = u64::from(offset) + u64::from(length) <= u64::from(thread_locals::ROOM_SIZE);
                ensure!(fits, NO_TLS_ROOM, "offset {offset:#x} + {length:#x} bytes");
            }
            (1, Op::Import { flags, addend, .. }) if flags & IMPORT_BY_RESOLVER != 0 => {
                // x86-64 psABI and the C library: a resolver takes nothing and may be called at any time after the start.
                let resolve: extern "C" fn() -> u64 =
                    unsafe { std::mem::transmute(self.address(prepared, 0, addend)? as *const ()) };
                prepared.imports.push_back(resolve());
            }
            (1, Op::Import { flags, addend, name, scope, .. }) => {
                let weak = flags & IMPORT_WEAK != 0;
                let name = CString::new(name).unwrap_or_default();
                let found = loader::find(&name, self.modules.get(scope as usize).map_or(0, |module| module.handle));
                ensure!(found != 0 || weak, SYMBOL_NOT_FOUND, "{}", name.to_string_lossy());
                prepared.imports.push_back(if found == 0 { 0 } else { found.wrapping_add_signed(addend) });
            }
            (2, Op::Map { at, length }) => {
                let start = self.address(prepared, 0, at)?;
                let failed = |why| Failure(MAPPING_FAILED, format!("{length:#x} bytes at {start:#x}: {why}"));
                memory::map(start, length).map_err(failed)?;
            }
            (2, Op::Library { at, length, bytes }) => {
                let start = self.reserved_address(0, at)?;
                let failed = |what| Failure(MAPPING_FAILED, format!("the loader cannot open the patch: {what}"));
                prepared.libraries.push(Library::open(bytes, (start, start + length)).map_err(failed)?);
            }
            (3, Op::Write { at, bytes }) => prepared.store(self.address(prepared, 0, at)?, bytes)?,
            (3, Op::Word { at, module, value }) => {
                prepared
                    .store(self.address(prepared, 0, at)?, &self.address(prepared, module, value)?.to_le_bytes())?;
            }
            (3, Op::Tls { at, size, value }) => {
                let room = thread_locals::room_offset().ok_or_else(|| Failure(NO_TLS_ROOM, "there is none".into()))?;
                let offset = room + value;
                let fits = size == 8 || (size == 4 && i32::try_from(offset).is_ok());
                ensure!(fits, BAD_FRAME, "a thread-local offset of {size} bytes cannot hold {offset}");
                prepared.store(self.address(prepared, 0, at)?, &offset.to_le_bytes()[..usize::from(size)])?;
            }
            (3, Op::Import { at, .. }) => {
                let word = prepared.imports.pop_front().unwrap_or(0);
                prepared.store(self.address(prepared, 0, at)?, &word.to_le_bytes())?;
            }
            (4, Op::Protect { at, length, protection }) => {
                let start = self.address(prepared, 0, at)?;
                // Bits 1 read, 2 write, 4 execute: PROT_READ, PROT_WRITE, PROT_EXEC. Never both of the last two.
                let sound = protection & 6 != 6 && protection <= 7 && start % memory::PAGE == 0;
                ensure!(sound, BAD_FRAME, "protection {protection} at {start:#x}");
                prepared.require(start, length)?;
                let done = memory::protect(start, length, i32::from(protection));
                ensure!(done, PROTECTION_REFUSED, "protection {protection} at {start:#x} was refused by the system");
                memory::fetch_anew(start, length);
            }
            (5, Op::Init { at }) => prepared.constructors.push(prepared.require(self.address(prepared, 0, at)?, 1)?),
            (5, Op::Unwind { at }) => {
                let block = prepared.require(self.address(prepared, 0, at)?, 1)?;
                unwinder::register(block).map_err(|why| Failure(MAPPING_FAILED, format!("frame records: {why}")))?;
                prepared.unwind.push(block);
            }
            (6, Op::TlsInit { offset, length, at }) => {
                let at = self.address(prepared, 0, at)?;
                thread_locals::initialise(offset, length, at).map_err(|what| Failure(NO_TLS_ROOM, what.into()))?;
            }
            _ => (),
        }
        Ok(())
    }

    /// Looks at everything that can be wrong with a cell, and keeps it.
    fn add_cell(
        &self,
        prepared: &mut Prepared,
        module: u32,
        at: i64,
        old: &[u8],
        new: &[u8],
        guard: (u8, u8),
    ) -> Result<(), Failure> {
        self.compare(prepared, module, at, old)?;
        let address = self.address(prepared, module, at)?;
        let rights = prepared.regions.rights(address, old.len()).filter(|_| !old.is_empty());
        let protection = rights.filter(|rights| memory::can_write(address, old.len(), *rights));
        ensure!(protection.is_some(), PROTECTION_REFUSED, "{address:#x} cannot be written");
        let before = prepared.cells.range(..address + old.len() as u64).next_back();
        let overlaps = before.is_some_and(|(start, cell)| start + cell.old.len() as u64 > address);
        ensure!(!overlaps, BAD_FRAME, "two cells overlap");
        let guard = (address + u64::from(guard.0), address + u64::from(guard.1));
        let (protection, old, new) = (protection.unwrap_or(0), old.into(), new.into());
        prepared.cells.insert(address, Cell { address, old, new, guard, protection });
        Ok(())
    }

    fn compare(&self, prepared: &Prepared, module: u32, at: i64, expected: &[u8]) -> Result<(), Failure> {
        let (address, mut found) = (self.address(prepared, module, at)?, vec![0; expected.len()]);
        let readable = memory::read_mapped(&prepared.regions, address, &mut found);
        if readable && found == expected {
            return Ok(());
        }
        let hex = |bytes: &[u8]| bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        let (expected, found) = (hex(expected), if readable { hex(&found) } else { "nothing mapped".into() });
        Err(Failure(BYTES_DIFFER, format!("module {module} at {at:#x}: expected {expected}, found {found}")))
    }

    /// Of what stands there: in a library where a library stands for it.
    fn address(&self, prepared: &Prepared, module: u32, at: i64) -> Result<u64, Failure> {
        let address = self.reserved_address(module, at)?;
        let mut libraries = self.libraries.iter().chain(&prepared.libraries);
        Ok(libraries.find_map(|library| library.find(address)).unwrap_or(address))
    }

    fn reserved_address(&self, module: u32, at: i64) -> Result<u64, Failure> {
        let missing = || Failure(BAD_FRAME, format!("there is no module {module}"));
        Ok(self.modules.get(module as usize).ok_or_else(missing)?.image.base.wrapping_add_signed(at))
    }

    /// The pages, if they are those of a reservation that nothing takes.
    fn free_pages(&self, prepared: &Prepared, at: i64, length: u64) -> Result<(u64, u64), Failure> {
        let start = self.reserved_address(0, at)?;
        let whole = start % memory::PAGE == 0 && length % memory::PAGE == 0 && length != 0;
        let inside = |(first, size): &(u64, u64)| {
            start >= *first && length.checked_add(start - first).is_some_and(|end| end <= *size)
        };
        let fits = whole && self.reservations.iter().any(inside);
        let mut taken = self.mapped.iter().chain(&prepared.mapped).chain(&prepared.reserved);
        let free = fits && !taken.any(|range| start < range.1 && range.0 < start + length);
        ensure!(free, MAPPING_FAILED, "{length:#x} bytes at {start:#x} are not free pages of a reservation");
        Ok((start, start + length))
    }
}

impl Prepared {
    /// The address, if these bytes were mapped by this transaction: all else is not touched without looking.
    fn require(&self, address: u64, length: u64) -> Result<u64, Failure> {
        let inside = |range: &(u64, u64)| address >= range.0 && address <= range.1 && length <= range.1 - address;
        let own = self.mapped.iter().any(inside) || self.libraries.iter().any(|library| inside(&library.lies()));
        ensure!(own, BAD_FRAME, "{length:#x} bytes at {address:#x} were not mapped by this transaction");
        Ok(address)
    }

    fn store(&self, address: u64, bytes: &[u8]) -> Result<(), Failure> {
        self.require(address, bytes.len() as u64)?;
        if let Some(library) =
            self.libraries.iter().find(|library| (library.lies().0..library.lies().1).contains(&address))
        {
            ensure!(library.write(address, bytes), PROTECTION_REFUSED, "{address:#x} cannot be written");
            return Ok(());
        }
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
        Ok(())
    }

    fn take_back(&mut self) {
        self.unwind.iter().for_each(|block| unwinder::forget(*block));
        for (start, end) in &self.mapped {
            memory::unmap(*start, end - start);
        }
        self.libraries.drain(..).for_each(Library::close);
    }
}
