//! A change of bytes of the program, as a transaction has checked it. When and how all of a transaction's are written is
//! the system's own matter (`platform::commit`).

use crate::memory::{self, PROT_EXEC};

/// A change of bytes, checked and ready.
pub struct Cell {
    pub address: u64,
    pub old: Vec<u8>,
    pub new: Vec<u8>,
    /// No thread may stand at these addresses; empty when start ≥ end.
    pub guard: (u64, u64),
    /// Rights of the pages it lies in.
    pub protection: i32,
}

impl Cell {
    pub fn is_code(&self) -> bool {
        self.protection & PROT_EXEC != 0
    }

    /// That this works was tried when the transaction was verified.
    pub fn write(&self, from: usize, bytes: &[u8]) {
        memory::write(self.address + from as u64, bytes, self.protection);
    }
}

/// The guards of cells that have one.
pub fn guards(cells: &[Cell]) -> Vec<(u64, u64)> {
    cells.iter().map(|cell| cell.guard).filter(|guard| guard.0 < guard.1).collect()
}
