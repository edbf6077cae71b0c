//! Which images (executable and libraries) dyld has mapped, where, and how each is known for sure: by its UUID, or where it
//! has none by the SHA-256 of its code as mapped. Names and numbers are those of <mach-o/loader.h>.

use crate::loader;
use crate::memory::PROT_EXEC;
use sha2::{Digest, Sha256};
use std::ffi::{c_char, CStr, CString};

extern "C" {
    // <mach-o/dyld.h>
    fn _dyld_image_count() -> u32;
    fn _dyld_get_image_header(index: u32) -> *const u8;
    fn _dyld_get_image_vmaddr_slide(index: u32) -> isize;
    fn _dyld_get_image_name(index: u32) -> *const c_char;
}

const MH_MAGIC_64: u32 = 0xfeed_facf;
const MH_EXECUTE: u32 = 2;
const LC_SEGMENT_64: u32 = 0x19;
const LC_UUID: u32 = 0x1b;
/// `sizeof(struct mach_header_64)`: the load commands follow.
const HEADER: usize = 32;

/// An image as its load commands tell.
pub struct Image {
    /// The slide: address in memory minus address in the file.
    pub base: u64,
    pub path: Vec<u8>,
    kind: u32,
    uuid: Option<[u8; 16]>,
    segments: Vec<Segment>,
}

/// In memory. `size` without what only the file has.
struct Segment {
    start: u64,
    size: u64,
    file_size: u64,
    rights: i32,
}

/// Shows each image, the executable first. For the start, when nothing can be closed yet.
pub fn visit(visit: impl FnMut(Image)) {
    let images = listed().filter_map(|(index, path)| image(index, path.to_bytes()));
    show(images.collect(), visit);
}

/// Shows each image that is not known by its base and path, while it cannot be closed.
pub fn visit_opened(is_known: impl Fn(u64, &[u8]) -> bool, visit: impl FnMut(Image)) {
    let new = |(index, path): &(u32, CString)| !is_known(slide(*index), path.to_bytes());
    let mut handles = Vec::new();
    // By its path: one that another thread closes gives its number to the next.
    for (_, path) in listed().filter(new) {
        let base = bases(&path).last();
        handles.extend(base.and_then(|base| loader::pin(&path, base)).map(|handle| (handle, path)));
    }
    let held = |path: &CString| handles.iter().any(|(_, held)| held == path);
    let images = listed().filter(new).filter(|(_, path)| held(path));
    show(images.filter_map(|(index, path)| image(index, path.to_bytes())).collect(), visit);
    handles.into_iter().for_each(|(handle, _)| loader::close(handle));
}

/// With inserted libraries, which one dyld lists first is not told.
fn show(mut images: Vec<Image>, visit: impl FnMut(Image)) {
    images.sort_by_key(|image| image.kind != MH_EXECUTE);
    images.into_iter().for_each(visit);
}

/// Index and path of each.
fn listed() -> impl Iterator<Item = (u32, CString)> {
    let named = |index| {
        let name = unsafe { _dyld_get_image_name(index) };
        (!name.is_null()).then(|| (index, unsafe { CStr::from_ptr(name) }.to_owned()))
    };
    (0..unsafe { _dyld_image_count() }).filter_map(named)
}

fn slide(index: u32) -> u64 {
    unsafe { _dyld_get_image_vmaddr_slide(index) as u64 }
}

/// Where images with this path lie.
pub fn bases(path: &CStr) -> impl Iterator<Item = u64> + '_ {
    listed().filter(move |(_, name)| name.as_c_str() == path).map(|(index, _)| slide(index))
}

fn image(index: u32, path: &[u8]) -> Option<Image> {
    let header = unsafe { _dyld_get_image_header(index) };
    if header.is_null() {
        return None;
    }
    let mut image = Image { base: slide(index), path: path.into(), kind: 0, uuid: None, segments: Vec::new() };
    // The loader has mapped as many bytes of commands as the header says.
    let fields = unsafe { std::slice::from_raw_parts(header, HEADER) };
    (word(fields, 0)? == MH_MAGIC_64).then_some(())?;
    image.kind = word(fields, 12)?;
    let (count, size) = (word(fields, 16)?, word(fields, 20)?);
    let mut commands = unsafe { std::slice::from_raw_parts(header.add(HEADER), size as usize) };
    for _ in 0..count {
        let (command, rest) = commands.split_at_checked(word(commands, 4)? as usize)?;
        match word(command, 0)? {
            LC_SEGMENT_64 => image.segments.push(segment(command, image.base)?),
            LC_UUID => image.uuid = command.get(8..24)?.try_into().ok(),
            _ => (),
        }
        commands = rest;
    }
    // __PAGEZERO is no part of the image: nothing is mapped there.
    image.segments.retain(|segment| segment.rights != 0 || segment.file_size != 0);
    Some(image)
}

/// `struct segment_command_64`: vmaddr at 24, vmsize, fileoff, filesize; initprot at 60.
fn segment(command: &[u8], base: u64) -> Option<Segment> {
    let long = |at| Some(u64::from(word(command, at)?) | u64::from(word(command, at + 4)?) << 32);
    let start = base.wrapping_add(long(24)?);
    Some(Segment { start, size: long(32)?, file_size: long(48)?, rights: word(command, 60)? as i32 })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl Image {
    /// Its lowest address in memory.
    pub fn start(&self) -> u64 {
        self.segments.iter().map(|segment| segment.start).min().unwrap_or(0)
    }

    /// The end of its highest segment.
    pub fn end(&self) -> u64 {
        self.segments.iter().map(|segment| segment.start + segment.size).max().unwrap_or(0)
    }

    /// Kind (1 build id, 2 SHA-256 of the code) and identity.
    pub fn identity(&self) -> (u8, Vec<u8>) {
        if let Some(uuid) = self.uuid {
            return (1, uuid.into());
        }
        let code = self.segments.iter().filter(|segment| segment.rights & PROT_EXEC != 0);
        let hash = code.fold(Sha256::new(), |hash, segment| {
            let size = segment.file_size.min(segment.size) as usize;
            hash.chain_update(unsafe { std::slice::from_raw_parts(segment.start as *const u8, size) })
        });
        (2, hash.finalize().to_vec())
    }

    /// Thread-locals are reached through descriptors, and lie wherever there was memory.
    pub fn tls_offset(&self) -> Option<i64> {
        None
    }

    pub fn holds(&self, address: u64, length: u64) -> bool {
        self.segments.iter().any(|segment| {
            let before = address.wrapping_sub(segment.start);
            before <= segment.size && length <= segment.size - before
        })
    }
}
