// Numbers of the Mach-O format, spelled as Apple's headers spell them: <mach-o/loader.h>, <mach-o/nlist.h>, <mach-o/stab.h>
// and <mach/machine.h>. No logic; relocation types are in relocation-types.ts.

// <mach-o/loader.h>, mach_header_64
export const MH_MAGIC_64 = 0xfeedfacf;
export const MH_OBJECT = 0x1;
export const MH_EXECUTE = 0x2;
export const MH_DYLIB = 0x6;
export const MH_BUNDLE = 0x8;
/** No name is left undefined. */
export const MH_NOUNDEFS = 0x1;
export const MH_DYLDLINK = 0x4;
/** Undefined names say of which library they are. */
export const MH_TWOLEVEL = 0x80;
/** It has weak definitions that others see, and uses some. */
export const MH_WEAK_DEFINES = 0x8000;
export const MH_BINDS_TO_WEAK = 0x1_0000;
export const MH_NO_REEXPORTED_DYLIBS = 0x10_0000;
export const MH_HAS_TLV_DESCRIPTORS = 0x80_0000;
/** Each symbol begins a piece that the linker may move and drop on its own. */
export const MH_SUBSECTIONS_VIA_SYMBOLS = 0x2000;
/** An executable that may be loaded at any address. */
export const MH_PIE = 0x20_0000;
export const MACH_HEADER_64_SIZE = 32;

// <mach/machine.h>
export const CPU_TYPE_X86_64 = 0x0100_0007;
export const CPU_TYPE_ARM64 = 0x0100_000c;

// <mach-o/loader.h>, load commands
export const LC_SYMTAB = 0x2;
export const LC_SEGMENT_64 = 0x19;
export const LC_DYSYMTAB = 0xb;
export const LC_LOAD_DYLIB = 0xc;
export const LC_ID_DYLIB = 0xd;
export const LC_LOAD_DYLINKER = 0xe;
export const LC_LOAD_WEAK_DYLIB = 0x8000_0018;
export const LC_UUID = 0x1b;
export const LC_RPATH = 0x8000_001c;
export const LC_CODE_SIGNATURE = 0x1d;
export const LC_REEXPORT_DYLIB = 0x8000_001f;
export const LC_DYLD_INFO = 0x22;
export const LC_DYLD_INFO_ONLY = 0x8000_0022;
export const LC_LOAD_UPWARD_DYLIB = 0x8000_0023;
export const LC_FUNCTION_STARTS = 0x26;
export const LC_DATA_IN_CODE = 0x29;
export const LC_VERSION_MIN_MACOSX = 0x24;
export const LC_VERSION_MIN_IPHONEOS = 0x25;
export const LC_SOURCE_VERSION = 0x2a;
export const LC_LINKER_OPTION = 0x2d;
export const LC_LINKER_OPTIMIZATION_HINT = 0x2e;
export const LC_VERSION_MIN_TVOS = 0x2f;
export const LC_VERSION_MIN_WATCHOS = 0x30;
export const LC_BUILD_VERSION = 0x32;
export const LC_DYLD_EXPORTS_TRIE = 0x8000_0033;
export const LC_DYLD_CHAINED_FIXUPS = 0x8000_0034;
export const PLATFORM_MACOS = 1;
export const PLATFORM_IOS = 2;
export const PLATFORM_TVOS = 3;
export const PLATFORM_WATCHOS = 4;
/** Of a segment: not writable any more once it is fixed up. */
export const SG_READ_ONLY = 0x10;
export const SEGMENT_COMMAND_64_SIZE = 72;
export const SECTION_64_SIZE = 80;
export const SYMTAB_COMMAND_SIZE = 24;

// <mach-o/loader.h>, section types: the low byte of a section's flags
export const S_ZEROFILL = 0x1;
export const S_CSTRING_LITERALS = 0x2;
export const S_4BYTE_LITERALS = 0x3;
export const S_8BYTE_LITERALS = 0x4;
export const S_LITERAL_POINTERS = 0x5;
export const S_NON_LAZY_SYMBOL_POINTERS = 0x6;
export const S_LAZY_SYMBOL_POINTERS = 0x7;
export const S_SYMBOL_STUBS = 0x8;
export const S_MOD_INIT_FUNC_POINTERS = 0x9;
export const S_MOD_TERM_FUNC_POINTERS = 0xa;
export const S_GB_ZEROFILL = 0xc;
export const S_16BYTE_LITERALS = 0xe;
export const S_THREAD_LOCAL_REGULAR = 0x11;
export const S_THREAD_LOCAL_ZEROFILL = 0x12;
export const S_THREAD_LOCAL_VARIABLES = 0x13;
export const S_THREAD_LOCAL_INIT_FUNCTION_POINTERS = 0x15;
export const S_INIT_FUNC_OFFSETS = 0x16;

// <mach-o/loader.h>, section attributes
export const S_ATTR_PURE_INSTRUCTIONS = 0x8000_0000;
export const S_ATTR_NO_DEAD_STRIP = 0x1000_0000;
export const S_ATTR_DEBUG = 0x0200_0000;
export const S_ATTR_SOME_INSTRUCTIONS = 0x0000_0400;

// <mach-o/nlist.h>
export const NLIST_64_SIZE = 16;
export const N_STAB = 0xe0;
export const N_PEXT = 0x10;
export const N_TYPE = 0x0e;
export const N_EXT = 0x01;
export const N_UNDF = 0x0;
export const N_ABS = 0x2;
export const N_INDR = 0xa;
export const N_PBUD = 0xc;
export const N_SECT = 0xe;
/** Of symbols in objects; in linked files the number means something else. */
export const N_NO_DEAD_STRIP = 0x0020;
export const N_WEAK_REF = 0x0040;
export const N_WEAK_DEF = 0x0080;
export const N_SYMBOL_RESOLVER = 0x0100;
export const N_ALT_ENTRY = 0x0200;
