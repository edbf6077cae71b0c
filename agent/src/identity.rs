//! Which modules (executable and libraries) are in the process, where, and how each is known for sure: by build id, or
//! where it has none by the SHA-256 of its code as mapped.

use sha2::{Digest, Sha256};
use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;

/// A module as `dl_iterate_phdr` reports it.
pub struct Module {
    /// The slide: address in memory minus address in the file.
    pub base: u64,
    pub identity: Identity,
    pub path: Vec<u8>,
}

pub enum Identity {
    BuildId(Vec<u8>),
    TextSha256(Vec<u8>),
}

const NT_GNU_BUILD_ID: usize = 3;

/// All modules in load order; the first is the executable. Reads the code of those without a build id, so it has to run
/// before anything is patched.
pub fn modules() -> Vec<Module> {
    let mut found = Vec::new();
    unsafe { libc::dl_iterate_phdr(Some(collect), &mut found as *mut _ as *mut _) };
    found.iter().map(identify).collect()
}

/// Lowest address of the executable in memory.
pub fn executable_start() -> Option<u64> {
    let mut found: Vec<Found> = Vec::new();
    unsafe { libc::dl_iterate_phdr(Some(collect), &mut found as *mut _ as *mut _) };
    let executable = found.first()?;
    let loads = executable.headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    loads.map(|header| executable.base.wrapping_add(header.p_vaddr)).min()
}

/// Address of the template that new threads' copies of this library's thread-locals are made from.
pub fn own_tls_template() -> Option<u64> {
    let own = own_tls_template as *const () as u64;
    let mut found: Vec<Found> = Vec::new();
    unsafe { libc::dl_iterate_phdr(Some(collect), &mut found as *mut _ as *mut _) };
    let module = found.iter().find(|module| module.holds(own, 1))?;
    let segment = module.headers.iter().find(|header| header.p_type == libc::PT_TLS)?;
    Some(module.base + segment.p_vaddr)
}

struct Found {
    base: u64,
    name: Vec<u8>,
    headers: Vec<libc::Elf64_Phdr>,
}

impl Found {
    fn holds(&self, address: u64, length: u64) -> bool {
        self.headers.iter().filter(|header| header.p_type == libc::PT_LOAD).any(|header| {
            let start = self.base.wrapping_add(header.p_vaddr);
            address >= start && address - start <= header.p_memsz && length <= header.p_memsz - (address - start)
        })
    }

    /// Bytes of a segment as mapped; empty when it lies in no loaded one.
    fn bytes(&self, header: &libc::Elf64_Phdr) -> &[u8] {
        let address = self.base.wrapping_add(header.p_vaddr);
        if header.p_filesz == 0 || !self.holds(address, header.p_filesz) {
            return &[];
        }
        unsafe { std::slice::from_raw_parts(address as *const u8, header.p_filesz as usize) }
    }
}

unsafe extern "C" fn collect(info: *mut libc::dl_phdr_info, _: libc::size_t, into: *mut libc::c_void) -> libc::c_int {
    let info = &*info;
    let name = if info.dlpi_name.is_null() { Vec::new() } else { CStr::from_ptr(info.dlpi_name).to_bytes().to_vec() };
    let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize).to_vec();
    (*(into as *mut Vec<Found>)).push(Found { base: info.dlpi_addr, name, headers });
    0
}

fn identify(found: &Found) -> Module {
    let notes = found.headers.iter().filter(|header| header.p_type == libc::PT_NOTE);
    let identity = match notes.filter_map(|header| build_id(found.bytes(header), header.p_align)).next() {
        Some(id) => Identity::BuildId(id),
        None => {
            let mut hash = Sha256::new();
            let code = |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0;
            found.headers.iter().filter(code).for_each(|header| hash.update(found.bytes(header)));
            Identity::TextSha256(hash.finalize().to_vec())
        }
    };
    let path = if found.name.is_empty() {
        std::fs::read_link("/proc/self/exe").map(|path| path.as_os_str().as_bytes().to_vec()).unwrap_or_default()
    } else {
        found.name.clone()
    };
    Module { base: found.base, identity, path }
}

/// The build id among the notes of one PT_NOTE (gABI "Note Section"; fields are padded to the segment's alignment).
fn build_id(mut notes: &[u8], align: u64) -> Option<Vec<u8>> {
    let align = if align == 8 { 8 } else { 4 };
    let padded = |size: usize| size.checked_add(align - 1).map(|size| size / align * align);
    let word = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    loop {
        let (name_size, size, kind) = (word(notes, 0)?, word(notes, 4)?, word(notes, 8)?);
        let description = notes.get(padded(name_size.checked_add(12)?)?..)?;
        if kind == NT_GNU_BUILD_ID && notes.get(12..12 + name_size)? == b"GNU\0" {
            return Some(description.get(..size)?.to_vec());
        }
        notes = description.get(padded(size)?..)?;
    }
}
