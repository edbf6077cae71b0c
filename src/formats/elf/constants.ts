// Numbers of the ELF format, spelled as the specifications spell them: System V gABI (chapters 4 and 5), its x86-64
// and AArch64 supplements, and the GNU and LLVM extensions. No logic, and no relocation types: those are rows in reloc/.

// gABI, ELF header
export const ELFMAG = 0x464c457f; // 0x7f 'E' 'L' 'F', little-endian
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const EV_CURRENT = 1;
export const EI_OSABI = 7;
export const ELFOSABI_NONE = 0;
export const ELFOSABI_GNU = 3;
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const EI_VERSION = 6;
export const EHDR_SIZE = 64;
export const SHDR_SIZE = 64;
export const PHDR_SIZE = 56;
export const SYM_SIZE = 24;
export const RELA_SIZE = 24;
export const REL_SIZE = 16;
export const DYN_SIZE = 16;

export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;

export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;

// gABI, special section indexes
export const SHN_UNDEF = 0;
export const SHN_LORESERVE = 0xff00;
export const SHN_X86_64_LCOMMON = 0xff02;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;
export const SHN_XINDEX = 0xffff;
export const PN_XNUM = 0xffff;

// gABI, section types
export const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_HASH = 5;
export const SHT_DYNAMIC = 6;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_DYNSYM = 11;
export const SHT_INIT_ARRAY = 14;
export const SHT_FINI_ARRAY = 15;
export const SHT_PREINIT_ARRAY = 16;
export const SHT_GROUP = 17;
export const SHT_SYMTAB_SHNDX = 18;
export const SHT_CREL = 0x40000014; // LLVM, provisional
export const SHT_LLVM_CALL_GRAPH_PROFILE = 0x6fff4c09; // LLVM: holds symbol indexes
export const SHT_LLVM_ADDRSIG = 0x6fff4c03; // LLVM: holds symbol indexes
export const SHT_RELR = 19;
export const SHT_GNU_HASH = 0x6ffffff6;
export const SHT_GNU_VERDEF = 0x6ffffffd;
export const SHT_GNU_VERNEED = 0x6ffffffe;
export const SHT_GNU_VERSYM = 0x6fffffff;
export const SHT_X86_64_UNWIND = 0x70000001;

// gABI, section flags; all that are used here lie in the low 32 bits
export const SHF_WRITE = 0x1;
export const SHF_ALLOC = 0x2;
export const SHF_EXECINSTR = 0x4;
export const SHF_MERGE = 0x10;
export const SHF_STRINGS = 0x20;
export const SHF_INFO_LINK = 0x40;
export const SHF_LINK_ORDER = 0x80;
export const SHF_TLS = 0x400;
export const SHF_COMPRESSED = 0x800;
export const SHF_GNU_RETAIN = 0x200000;
export const SHF_EXCLUDE = 0x80000000;

export const CHDR_SIZE = 24;
export const ELFCOMPRESS_ZLIB = 1;
export const ELFCOMPRESS_ZSTD = 2;

export const GRP_COMDAT = 1;

// gABI, symbols
export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;
export const STB_WEAK = 2;
export const STB_GNU_UNIQUE = 10;

export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_SECTION = 3;
export const STT_FILE = 4;
export const STT_COMMON = 5;
export const STT_TLS = 6;
export const STT_GNU_IFUNC = 10;

export const STV_DEFAULT = 0;
export const STV_INTERNAL = 1;
export const STV_HIDDEN = 2;
export const STV_PROTECTED = 3;

// gABI, program headers; PT_GNU_ are in the LSB Core 5.0 §10.3 and glibc's elf.h
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PT_GNU_EH_FRAME = 0x6474e550;
export const PT_GNU_STACK = 0x6474e551;
export const PT_GNU_RELRO = 0x6474e552;
export const PT_GNU_PROPERTY = 0x6474e553;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

// gABI, dynamic section; GNU's are in glibc's elf.h
export const DT_NULL = 0;
export const DT_NEEDED = 1;
export const DT_PLTRELSZ = 2;
export const DT_PLTGOT = 3;
export const DT_HASH = 4;
export const DT_STRTAB = 5;
export const DT_SYMTAB = 6;
export const DT_RELA = 7;
export const DT_RELASZ = 8;
export const DT_RELAENT = 9;
export const DT_STRSZ = 10;
export const DT_SYMENT = 11;
export const DT_INIT = 12;
export const DT_FINI = 13;
export const DT_SONAME = 14;
export const DT_RPATH = 15;
export const DT_SYMBOLIC = 16;
export const DT_PLTREL = 20;
export const DT_TEXTREL = 22;
export const DT_JMPREL = 23;
export const DT_INIT_ARRAY = 25;
export const DT_FINI_ARRAY = 26;
export const DT_INIT_ARRAYSZ = 27;
export const DT_FINI_ARRAYSZ = 28;
export const DT_RUNPATH = 29;
export const DT_FLAGS = 30;
export const DT_PREINIT_ARRAY = 32;
export const DT_PREINIT_ARRAYSZ = 33;
export const DT_RELRSZ = 35;
export const DT_RELR = 36;
export const DT_RELRENT = 37;
export const DT_GNU_HASH = 0x6ffffef5;
export const DT_TLSDESC_PLT = 0x6ffffef6;
export const DT_TLSDESC_GOT = 0x6ffffef7;
export const DT_VERSYM = 0x6ffffff0;
export const DT_RELACOUNT = 0x6ffffff9;
export const DT_FLAGS_1 = 0x6ffffffb;
export const DT_VERDEF = 0x6ffffffc;
export const DT_VERDEFNUM = 0x6ffffffd;
export const DT_VERNEED = 0x6ffffffe;
export const DT_VERNEEDNUM = 0x6fffffff;
export const DF_ORIGIN = 0x1;
export const DF_SYMBOLIC = 0x2;
export const DF_TEXTREL = 0x4;
export const DF_BIND_NOW = 0x8;
export const DF_STATIC_TLS = 0x10;
export const DF_1_NOW = 0x1;
export const DF_1_NODELETE = 0x8;
export const DF_1_NOOPEN = 0x40;
export const DF_1_ORIGIN = 0x80;
export const DF_1_PIE = 0x08000000;

// LSB Core 5.0 §10.7, symbol versions
export const VER_NDX_LOCAL = 0;
export const VER_NDX_GLOBAL = 1;
export const VER_NDX_HIDDEN = 0x8000;
export const VER_NEED_CURRENT = 1;
export const VER_FLG_BASE = 0x1;
export const VER_FLG_WEAK = 0x2;

// GNU notes
export const NT_GNU_BUILD_ID = 3;
export const NT_GNU_PROPERTY_TYPE_0 = 5;
// x86-64 psABI and AAELF64, "Program Property"
export const GNU_PROPERTY_X86_FEATURE_1_AND = 0xc0000002;
export const GNU_PROPERTY_X86_FEATURE_1_IBT = 1;
export const GNU_PROPERTY_AARCH64_FEATURE_1_AND = 0xc0000000;
export const GNU_PROPERTY_AARCH64_FEATURE_1_BTI = 1;

/** Names of dynamic tags, for descriptions. */
export const DYNAMIC_TAG_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'NEEDED'],
  [2, 'PLTRELSZ'],
  [3, 'PLTGOT'],
  [4, 'HASH'],
  [5, 'STRTAB'],
  [6, 'SYMTAB'],
  [7, 'RELA'],
  [8, 'RELASZ'],
  [9, 'RELAENT'],
  [10, 'STRSZ'],
  [11, 'SYMENT'],
  [12, 'INIT'],
  [13, 'FINI'],
  [14, 'SONAME'],
  [15, 'RPATH'],
  [16, 'SYMBOLIC'],
  [17, 'REL'],
  [18, 'RELSZ'],
  [19, 'RELENT'],
  [20, 'PLTREL'],
  [21, 'DEBUG'],
  [22, 'TEXTREL'],
  [23, 'JMPREL'],
  [24, 'BIND_NOW'],
  [25, 'INIT_ARRAY'],
  [26, 'FINI_ARRAY'],
  [27, 'INIT_ARRAYSZ'],
  [28, 'FINI_ARRAYSZ'],
  [29, 'RUNPATH'],
  [30, 'FLAGS'],
  [32, 'PREINIT_ARRAY'],
  [33, 'PREINIT_ARRAYSZ'],
  [35, 'RELRSZ'],
  [36, 'RELR'],
  [37, 'RELRENT'],
  [0x6ffffef5, 'GNU_HASH'],
  [0x6ffffff0, 'VERSYM'],
  [0x6ffffff9, 'RELACOUNT'],
  [0x6ffffffb, 'FLAGS_1'],
  [0x6ffffffc, 'VERDEF'],
  [0x6ffffffd, 'VERDEFNUM'],
  [0x6ffffffe, 'VERNEED'],
  [0x6fffffff, 'VERNEEDNUM'],
]);
