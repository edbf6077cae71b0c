// Numbers of the small programs in LC_DYLD_INFO by which dyld fills pointers: an operation in the high four bits of a byte,
// its immediate operand in the low ones. mach-o/loader.h, `REBASE_OPCODE_*` and `BIND_OPCODE_*`.

export const OPCODE_DONE = 0x00;
export const TYPE_POINTER = 1;
export const POINTER_SIZE = 8;

export const REBASE_SET_TYPE_IMM = 0x10;
export const REBASE_SET_SEGMENT_AND_OFFSET_ULEB = 0x20;
export const REBASE_ADD_ADDR_ULEB = 0x30;
export const REBASE_ADD_ADDR_IMM_SCALED = 0x40;
export const REBASE_DO_IMM_TIMES = 0x50;
export const REBASE_DO_ULEB_TIMES = 0x60;
export const REBASE_DO_ADD_ADDR_ULEB = 0x70;
export const REBASE_DO_ULEB_TIMES_SKIPPING_ULEB = 0x80;

export const BIND_SET_DYLIB_ORDINAL_IMM = 0x10;
export const BIND_SET_DYLIB_ORDINAL_ULEB = 0x20;
export const BIND_SET_DYLIB_SPECIAL_IMM = 0x30;
export const BIND_SET_SYMBOL_TRAILING_FLAGS_IMM = 0x40;
export const BIND_SET_TYPE_IMM = 0x50;
export const BIND_SET_ADDEND_SLEB = 0x60;
export const BIND_SET_SEGMENT_AND_OFFSET_ULEB = 0x70;
export const BIND_ADD_ADDR_ULEB = 0x80;
export const BIND_DO = 0x90;
export const BIND_DO_ADD_ADDR_ULEB = 0xa0;
export const BIND_DO_ADD_ADDR_IMM_SCALED = 0xb0;
export const BIND_DO_ULEB_TIMES_SKIPPING_ULEB = 0xc0;

/** Flags of a symbol: it may be missing; the file has a definition of it that is not weak and wins over weak ones. */
export const SYMBOL_WEAK_IMPORT = 1;
export const SYMBOL_NON_WEAK_DEFINITION = 8;
