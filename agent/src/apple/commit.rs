//! The moment at which a transaction becomes live. Words change at once, and nobody is stopped for them; where code
//! changes, all threads are held while it does.

use super::threads::Lookout;
use crate::cell::{guards, Cell};
use crate::{forks, memory};
use std::time::{Duration, Instant};

/// How long threads may take to come out of the bytes to be changed.
const LIMIT: Duration = Duration::from_secs(2);

/// Writes all cells, or none; for how many nanoseconds threads were held.
pub fn commit(cells: &[Cell], lookout: &mut Lookout) -> Result<u64, String> {
    if !cells.iter().any(Cell::is_code) {
        cells.iter().for_each(|cell| cell.write(0, &cell.new));
        return Ok(0);
    }
    let guards = guards(cells);
    // A child forked in between would have some of them only.
    if !forks::pause(LIMIT) {
        forks::resume();
        return Err("a fork is under way and does not end".into());
    }
    let start = Instant::now();
    let held = lookout.hold_all_outside(&guards, start + LIMIT);
    let written = held && write_all(cells);
    lookout.release();
    forks::resume();
    let time = start.elapsed();
    match (held, written) {
        (true, true) => Ok(time.as_nanos() as u64),
        (true, false) => Err("the system did not let code be changed".into()),
        _ => Err(format!("after {} ms a thread was not seen outside of the bytes to be changed", time.as_millis())),
    }
}

/// Code first: whoever goes on behind this finds all of it.
fn write_all(cells: &[Cell]) -> bool {
    let code = || cells.iter().filter(|cell| cell.is_code());
    let failed = code().position(|cell| !memory::write(cell.address, &cell.new, cell.protection));
    if let Some(count) = failed {
        code().take(count).for_each(|cell| cell.write(0, &cell.old));
        return false;
    }
    cells.iter().filter(|cell| !cell.is_code()).for_each(|cell| cell.write(0, &cell.new));
    true
}

/// Nothing is left behind by a commit.
pub fn settle(_: &mut Lookout) -> bool {
    true
}
