//! The library that unwinds the program's stacks, and how it is told of frame records that no module has.

extern "C" {
    fn __register_frame(block: u64);
    fn __deregister_frame(block: u64);
}

/// Has the unwinder look at this block of frame records (a `.eh_frame` with an end) from now on.
pub fn register(block: u64) -> Result<(), &'static str> {
    match way::section_functions() {
        Some((add, _)) => unsafe { add(block) },
        None => unsafe { __register_frame(block) },
    }
    Ok(())
}

/// Takes [`register`] back.
pub fn forget(block: u64) {
    match way::section_functions() {
        Some((_, remove)) => unsafe { remove(block) },
        None => unsafe { __deregister_frame(block) },
    }
}

type Section = unsafe extern "C" fn(u64);

/// Preloaded into a program that loads libgcc_s, as all of rustc's do.
#[cfg(not(feature = "linked"))]
mod way {
    pub fn section_functions() -> Option<(super::Section, super::Section)> {
        None
    }
}

/// A static program has either libgcc's unwinder, where `__register_frame` takes a block, or LLVM's (rustc's musl
/// targets), where it takes one record only and other functions take a block.
#[cfg(feature = "linked")]
mod way {
    use super::Section;
    use std::arch::asm;
    use std::mem::transmute;

    /// The address of a function, 0 where the program has none of that name: `.weak`, as libgcc has neither.
    macro_rules! address_of {
        ($name:literal) => {{
            let address: u64;
            asm!(concat!(".weak ", $name), concat!("mov {}, qword ptr [rip + ", $name, "@GOTPCREL]"), out(reg) address);
            address
        }};
    }

    pub fn section_functions() -> Option<(Section, Section)> {
        unsafe {
            let (add, remove) = (
                address_of!("__unw_add_dynamic_eh_frame_section"),
                address_of!("__unw_remove_dynamic_eh_frame_section"),
            );
            Some((transmute::<u64, Option<Section>>(add)?, transmute::<u64, Option<Section>>(remove)?))
        }
    }
}
