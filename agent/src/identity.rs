//! Which modules (executable and libraries) are in the process, and what is told of each: numbers and names for what the
//! loader has mapped (`platform::images`).

use crate::libraries::is_patch;
pub use crate::platform::images::Image;
use crate::platform::images::{visit, visit_opened};
use crate::wire::counted;

/// What the protocol has a number for.
pub struct Module {
    pub image: Image,
    /// What keeps a library from being closed that the program has opened; 0: nothing has to.
    pub handle: u64,
}

impl Module {
    fn new(image: Image) -> Self {
        Module { image, handle: 0 }
    }

    /// As the protocol tells of a module; to be asked for before anything is patched.
    pub fn describe(&self) -> Vec<u8> {
        let (kind, id) = self.image.identity();
        [&self.image.base.to_le_bytes()[..], &[kind], &counted(&id), &counted(&self.image.path)].concat()
    }
}

/// All modules in load order; the first is the executable.
pub fn modules() -> Vec<Module> {
    let mut found = Vec::new();
    visit(|image| found.push(Module::new(image)));
    found
}

/// Modules that are not `known`, each with what is told of it. It is looked at while it cannot be closed.
pub fn opened_since(known: &[Module]) -> Vec<(Module, Vec<u8>)> {
    let is_known = |base, path: &[u8]| {
        known.iter().any(|known| known.image.base == base && known.image.path == path) || is_patch(base)
    };
    let mut found = Vec::new();
    visit_opened(is_known, |image| {
        let module = Module::new(image);
        let told = module.describe();
        found.push((module, told));
    });
    found
}

/// The module that this code is in.
pub fn own_module() -> Option<Module> {
    modules().into_iter().find(|module| module.image.holds(own_module as *const () as u64, 1))
}
