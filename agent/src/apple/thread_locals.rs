//! Room for the thread-locals that patches bring along: none. A patch is a library, and has its own.

pub const ROOM_SIZE: u32 = 0;
pub const ROOM_ALIGN: u32 = 1;

/// There is no room.
pub fn room_offset() -> Option<i64> {
    None
}

/// As above.
pub fn initialise(_: u32, _: u32, _: u64) -> Result<(), &'static str> {
    Err("on this system a patch has its own thread-locals")
}
