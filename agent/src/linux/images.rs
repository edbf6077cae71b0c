//! Which images (executable and libraries) the loader has mapped, where, and how each is known for sure: by build id, or
//! where it has none by the SHA-256 of its code as mapped.

use super::thread_pointers;
use libc::{Elf64_Phdr, PT_LOAD, PT_NOTE, PT_TLS};
use sha2::{Digest, Sha256};
use std::ffi::{c_int, c_void, CStr};
use std::os::unix::ffi::OsStringExt;

/// An image as `dl_iterate_phdr` reports it.
pub struct Image {
    /// The slide: address in memory minus address in the file.
    pub base: u64,
    pub path: Vec<u8>,
    headers: Vec<Elf64_Phdr>,
    /// Where the calling thread has its copy of the thread-locals; 0: it has none.
    tls_copy: u64,
}

/// Shows each image, in load order, the executable first, while the loader holds the list still: one that a thread of
/// the program closes is gone at any other time.
pub fn visit(mut visit: impl FnMut(Image)) {
    let mut visit: &mut dyn FnMut(Image) = &mut visit;
    unsafe { libc::dl_iterate_phdr(Some(show), &mut visit as *mut _ as *mut c_void) };
}

/// Shows each image that is not known by its base and path.
pub fn visit_opened(is_known: impl Fn(u64, &[u8]) -> bool, mut show: impl FnMut(Image)) {
    visit(|image| {
        if !is_known(image.base, &image.path) {
            show(image);
        }
    });
}

unsafe extern "C" fn show(info: *mut libc::dl_phdr_info, _: libc::size_t, visit: *mut c_void) -> c_int {
    (*(visit as *mut &mut dyn FnMut(Image)))(image(&*info));
    0
}

unsafe fn image(info: &libc::dl_phdr_info) -> Image {
    let name = if info.dlpi_name.is_null() { &[] } else { CStr::from_ptr(info.dlpi_name).to_bytes() };
    let executable = || std::fs::read_link("/proc/self/exe").unwrap_or_default().into_os_string().into_vec();
    // musl gives a program without a loader this name.
    let path = if matches!(name, b"" | b"/proc/self/exe") { executable() } else { name.to_vec() };
    let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize).to_vec();
    Image { base: info.dlpi_addr, path, headers, tls_copy: info.dlpi_tls_data as u64 }
}

impl Image {
    /// Its lowest address in memory.
    pub fn start(&self) -> u64 {
        self.segments(PT_LOAD).map(|header| self.base.wrapping_add(header.p_vaddr)).min().unwrap_or(0)
    }

    /// Kind (1 build id, 2 SHA-256 of the code) and identity.
    pub fn identity(&self) -> (u8, Vec<u8>) {
        if let Some(id) = self.segments(PT_NOTE).find_map(|notes| build_id(self.bytes(notes), notes.p_align)) {
            return (1, id);
        }
        let code = self.segments(PT_LOAD).filter(|header| header.p_flags & libc::PF_X != 0);
        let hash = code.fold(Sha256::new(), |hash, header| hash.chain_update(self.bytes(header)));
        (2, hash.finalize().to_vec())
    }

    /// Address of the template that new threads' copies of its thread-locals are made from, and of the copy of the
    /// thread that asked for the image.
    pub fn tls_template(&self) -> Option<(u64, u64)> {
        let template = self.base + self.segments(PT_TLS).next()?.p_vaddr;
        (self.tls_copy != 0).then_some((template, self.tls_copy))
    }

    /// Offset of the calling thread's copy of its thread-locals from the thread pointer. Of a module that was there at
    /// the start it is the same in all threads; what was loaded later has copies wherever there was memory.
    pub fn tls_offset(&self) -> Option<i64> {
        (self.tls_copy != 0).then_some(self.tls_copy.wrapping_sub(thread_pointers::own()) as i64)
    }

    fn segments(&self, kind: u32) -> impl Iterator<Item = &Elf64_Phdr> {
        self.headers.iter().filter(move |header| header.p_type == kind)
    }

    pub fn holds(&self, address: u64, length: u64) -> bool {
        self.segments(PT_LOAD).any(|header| {
            let before = address.wrapping_sub(self.base.wrapping_add(header.p_vaddr));
            before <= header.p_memsz && length <= header.p_memsz - before
        })
    }

    /// Bytes of a segment as mapped; empty when it lies in no loaded one.
    fn bytes(&self, header: &Elf64_Phdr) -> &[u8] {
        let address = self.base.wrapping_add(header.p_vaddr);
        if header.p_filesz == 0 || !self.holds(address, header.p_filesz) {
            return &[];
        }
        unsafe { std::slice::from_raw_parts(address as *const u8, header.p_filesz as usize) }
    }
}

/// The build id among the notes of one PT_NOTE (gABI "Note Section"; fields are padded to the segment's alignment).
fn build_id(mut notes: &[u8], align: u64) -> Option<Vec<u8>> {
    let align = if align == 8 { 8 } else { 4 };
    let word = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    loop {
        let (name_size, size, kind) = (word(notes, 0)?, word(notes, 4)?, word(notes, 8)?);
        let description = notes.get((12 + name_size).next_multiple_of(align)..)?;
        const NT_GNU_BUILD_ID: usize = 3;
        if kind == NT_GNU_BUILD_ID && notes.get(12..12 + name_size)? == b"GNU\0" {
            return Some(description.get(..size)?.to_vec());
        }
        notes = description.get(size.next_multiple_of(align)..)?;
    }
}
