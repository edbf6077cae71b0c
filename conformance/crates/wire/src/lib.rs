//! The one signature that the host program calls: text in, text out, a panic becomes the text `panic: …`.
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `body` on the caller's text and copies what it gives into the caller's buffer; returns its length.
///
/// # Safety
/// `input` holds `length` bytes, `output` has room for `room`.
pub unsafe fn answer(
    input: *const u8,
    length: usize,
    output: *mut u8,
    room: usize,
    body: impl FnOnce(&str) -> String,
) -> usize {
    let text = std::str::from_utf8(unsafe { std::slice::from_raw_parts(input, length) }).unwrap_or("");
    let said = match catch_unwind(AssertUnwindSafe(|| body(text))) {
        Ok(said) => said,
        Err(cause) => {
            let text = cause.downcast_ref::<String>().cloned();
            let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("panic: {}", text.unwrap_or_default())
        }
    };
    let size = said.len().min(room);
    unsafe { std::ptr::copy_nonoverlapping(said.as_ptr(), output, size) };
    size
}

/// Exports functions of the host's signature, each a name and a closure from text to text.
#[macro_export]
macro_rules! exports {
    ($($name:ident = $body:expr;)*) => {$(
        #[no_mangle]
        pub unsafe extern "C" fn $name(input: *const u8, length: usize, output: *mut u8, room: usize) -> usize {
            std::panic::set_hook(Box::new(|_| {}));
            unsafe { $crate::answer(input, length, output, room, $body) }
        }
    )*};
}
