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
} as const;
