// IPBP2xxx: linking and relocation. Entries are CodeEntry (table.ts); numbers are never reused.
export const LINK_CODES = {
  IPBP2001: {
    title: 'unknown relocation type',
    meaning: 'An object uses a relocation type that has no row for its machine.',
    remedy: 'Please report it with the type and the crate.',
  },
  IPBP2002: {
    title: 'relocation out of range',
    meaning: 'The value that a relocation computes does not fit its field.',
    remedy: 'Restart the program; if it happens again, please report it.',
  },
  IPBP2003: {
    title: 'unresolved symbol',
    meaning:
      'A changed function needs a symbol that is in neither the running program, its libraries, the objects nor the rlibs.',
    remedy: 'Check that the crate which defines it is a dependency; rebuild and restart.',
  },
  IPBP2004: {
    title: 'relocation cannot be applied here',
    meaning: 'A relocation stands at a place or refers to a target that it cannot be used with.',
    remedy: 'Please report it with the crate.',
  },
  IPBP2005: {
    title: 'no room',
    meaning: 'The space that the agent reserved (memory or thread-locals) is used up.',
    remedy: 'Restart the program: the patches are then part of it.',
  },
  IPBP2006: {
    title: 'ambiguous static',
    meaning:
      'A static of a C file exists several times in the running program, in files of one name: which is meant cannot be told.',
    remedy: 'Restart the program.',
  },
  IPBP2020: {
    title: 'object cannot be rewritten',
    meaning:
      'An object of the program has something that cannot be carried over when its functions are given slots; it is linked as it is.',
    remedy: 'Its functions are redirected by a jump instead, where one fits; please report the object.',
  },
  IPBP2030: {
    title: 'symbol defined twice',
    meaning: 'Two objects of a link define a symbol, neither of them weakly.',
    remedy: 'Rename one of them, make it static, or leave one of the objects out.',
  },
  IPBP2031: {
    title: 'symbol not defined',
    meaning: 'Something in a link refers to a symbol that no input defines, and that may not be left to the loader.',
    remedy: 'Name the object or library that defines it; a hidden symbol has to be defined in the link itself.',
  },
  IPBP2032: {
    title: 'not for a shared object',
    meaning: 'Code refers to something in a way that only works in an executable.',
    remedy: 'Compile it with -fPIC (rustc: -C relocation-model=pic).',
  },
  IPBP2033: {
    title: 'reference into a dropped group',
    meaning: "An object refers to a local symbol of a section group of which another object's copy was taken.",
    remedy: 'Compile the objects with one compiler and one set of options.',
  },
  IPBP2034: {
    title: 'nothing to link',
    meaning: 'There is no object among the inputs of a link.',
    remedy: 'Name at least one object.',
  },
  IPBP2035: {
    title: 'not supported in a link',
    meaning: 'An input of a link has something that this linker does not do yet.',
    remedy: 'Link with another linker, or do without.',
  },
  IPBP2036: {
    title: 'packed sections left out',
    meaning:
      'An object has sections (debug information) packed by a method that Node cannot unpack; they are left out.',
    remedy: 'Use a Node that has zstd (22.15 or newer), or compile with -gz=zlib or -gz=none.',
  },
  IPBP2040: {
    title: 'module cannot be patched',
    meaning: 'A WebAssembly module is made in a way that does not let the engine give its functions slots.',
    remedy: 'Link it without link-time optimisation and keep the names of functions (no strip, no wasm-opt before).',
  },
  IPBP2041: {
    title: 'prepared module was changed',
    meaning:
      'A tool that ran after the module was prepared for patches moved or took away what patches rely on: data, functions in the table, exports, or the sections that tell of them.',
    remedy:
      'Leave that tool out of builds that are to be patched, or report it: wasm-bindgen and wasm-opt are meant to work.',
  },
} as const;
