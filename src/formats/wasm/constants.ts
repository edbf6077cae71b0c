// WebAssembly's numbers, under the names of the specifications: the core one ("Core", release 3), the conventions for
// relocatable objects ("Linking", tool-conventions/Linking.md, version 2) and for dynamic linking ("DynamicLinking").
// No logic.

export const MAGIC = 0x6d73_6100; // "\0asm"
export const VERSION = 1;

// Core, "Sections".
export const SECTION_CUSTOM = 0;
export const SECTION_TYPE = 1;
export const SECTION_IMPORT = 2;
export const SECTION_FUNCTION = 3;
export const SECTION_TABLE = 4;
export const SECTION_MEMORY = 5;
export const SECTION_GLOBAL = 6;
export const SECTION_EXPORT = 7;
export const SECTION_START = 8;
export const SECTION_ELEMENT = 9;
export const SECTION_CODE = 10;
export const SECTION_DATA = 11;
export const SECTION_DATA_COUNT = 12;
export const SECTION_TAG = 13;

/** Names of sections that have none of their own. */
export const SECTION_NAMES: readonly string[] = [
  ...['custom', 'type', 'import', 'function', 'table', 'memory', 'global', 'export', 'start', 'element'],
  ...['code', 'data', 'data count', 'tag'],
];

/** The order in which known sections stand; a custom one may stand anywhere. */
export const SECTION_ORDER: readonly number[] = [
  ...[SECTION_TYPE, SECTION_IMPORT, SECTION_FUNCTION, SECTION_TABLE, SECTION_MEMORY, SECTION_TAG, SECTION_GLOBAL],
  ...[SECTION_EXPORT, SECTION_START, SECTION_ELEMENT, SECTION_DATA_COUNT, SECTION_CODE, SECTION_DATA],
];

// Core, "Types".
export const TYPE_I32 = 0x7f;
export const TYPE_I64 = 0x7e;
export const TYPE_F32 = 0x7d;
export const TYPE_F64 = 0x7c;
export const TYPE_V128 = 0x7b;
export const TYPE_FUNCREF = 0x70;
export const TYPE_EXTERNREF = 0x6f;
/** Types of one byte: those above and other heap types' short forms. */
export const TYPE_SHORT_FIRST = 0x69;
/** Followed by a heap type. */
export const TYPE_REF = 0x64;
export const TYPE_REF_NULL = 0x63;
/** What a function type begins with. */
export const TYPE_FUNC = 0x60;

// Core, "Imports" and "Exports".
export const EXTERN_FUNCTION = 0;
export const EXTERN_TABLE = 1;
export const EXTERN_MEMORY = 2;
export const EXTERN_GLOBAL = 3;
export const EXTERN_TAG = 4;

// Core, "Limits": bits of the flag.
export const LIMITS_HAS_MAXIMUM = 1;
export const LIMITS_SHARED = 2;
export const LIMITS_64 = 4;
/** Custom page sizes (proposal): an exponent follows. */
export const LIMITS_PAGE_SIZE = 8;

/** What a table with an initialiser begins with, and the zero behind it. */
export const TABLE_WITH_INITIALISER = 0x40;

/** Bytes of a page of memory. */
export const PAGE_SIZE = 0x1_0000;

// Core, "Instructions": those that constant expressions and our own code have.
export const OP_END = 0x0b;
export const OP_CALL = 0x10;
export const OP_CALL_INDIRECT = 0x11;
export const OP_RETURN_CALL = 0x12;
export const OP_LOCAL_GET = 0x20;
export const OP_GLOBAL_GET = 0x23;
export const OP_I32_CONST = 0x41;
export const OP_I64_CONST = 0x42;
export const OP_F32_CONST = 0x43;
export const OP_F64_CONST = 0x44;
export const OP_I32_ADD = 0x6a;
export const OP_I32_SUB = 0x6b;
export const OP_I32_MUL = 0x6c;
export const OP_I64_ADD = 0x7c;
export const OP_I64_SUB = 0x7d;
export const OP_I64_MUL = 0x7e;
export const OP_REF_NULL = 0xd0;
export const OP_REF_FUNC = 0xd2;
export const OP_VECTOR = 0xfd;
/** Behind OP_VECTOR. */
export const VECTOR_CONST = 12;

// Core, "Element Section": bits of the flag.
export const ELEMENT_PASSIVE = 1;
/** Active: a table's index follows. Else: declarative. */
export const ELEMENT_EXPLICIT = 2;
export const ELEMENT_EXPRESSIONS = 4;

// Core, "Data Section".
export const DATA_ACTIVE = 0;
export const DATA_PASSIVE = 1;
export const DATA_ACTIVE_EXPLICIT = 2;

// Core, appendix "Name Section", and the extended names proposal.
export const NAME_MODULE = 0;
export const NAME_FUNCTION = 1;
export const NAME_LOCAL = 2;
export const NAME_LABEL = 3;
export const NAME_TYPE = 4;
export const NAME_TABLE = 5;
export const NAME_MEMORY = 6;
export const NAME_GLOBAL = 7;
export const NAME_ELEMENT = 8;
export const NAME_DATA = 9;
export const NAME_FIELD = 10;
export const NAME_TAG = 11;

// Linking, "Linking Metadata Section".
export const LINKING_VERSION = 2;
export const WASM_SEGMENT_INFO = 5;
export const WASM_INIT_FUNCS = 6;
export const WASM_COMDAT_INFO = 7;
export const WASM_SYMBOL_TABLE = 8;

// Linking, "Symbol table": kinds.
export const SYMTAB_FUNCTION = 0;
export const SYMTAB_DATA = 1;
export const SYMTAB_GLOBAL = 2;
export const SYMTAB_SECTION = 3;
export const SYMTAB_EVENT = 4;
export const SYMTAB_TABLE = 5;

// Linking, "Symbol table": flags.
export const WASM_SYM_BINDING_WEAK = 0x01;
export const WASM_SYM_BINDING_LOCAL = 0x02;
export const WASM_SYM_VISIBILITY_HIDDEN = 0x04;
export const WASM_SYM_UNDEFINED = 0x10;
export const WASM_SYM_EXPORTED = 0x20;
export const WASM_SYM_EXPLICIT_NAME = 0x40;
export const WASM_SYM_NO_STRIP = 0x80;
export const WASM_SYM_TLS = 0x100;
export const WASM_SYM_ABSOLUTE = 0x200;

// Linking, "Segment info": flags.
export const WASM_SEG_FLAG_STRINGS = 1;
export const WASM_SEG_FLAG_TLS = 2;
export const WASM_SEG_FLAG_RETAIN = 4;

// Linking, "COMDAT": kinds of what a group holds.
export const WASM_COMDAT_DATA = 0;
export const WASM_COMDAT_FUNCTION = 1;
export const WASM_COMDAT_SECTION = 5;

// Linking, "Relocation Sections"; numbers 12, 19 and 25 are not given there, but in LLVM's WasmRelocs.def.
export const R_WASM_FUNCTION_INDEX_LEB = 0;
export const R_WASM_TABLE_INDEX_SLEB = 1;
export const R_WASM_TABLE_INDEX_I32 = 2;
export const R_WASM_MEMORY_ADDR_LEB = 3;
export const R_WASM_MEMORY_ADDR_SLEB = 4;
export const R_WASM_MEMORY_ADDR_I32 = 5;
export const R_WASM_TYPE_INDEX_LEB = 6;
export const R_WASM_GLOBAL_INDEX_LEB = 7;
export const R_WASM_FUNCTION_OFFSET_I32 = 8;
export const R_WASM_SECTION_OFFSET_I32 = 9;
export const R_WASM_TAG_INDEX_LEB = 10;
export const R_WASM_MEMORY_ADDR_REL_SLEB = 11;
export const R_WASM_TABLE_INDEX_REL_SLEB = 12;
export const R_WASM_GLOBAL_INDEX_I32 = 13;
export const R_WASM_MEMORY_ADDR_LEB64 = 14;
export const R_WASM_MEMORY_ADDR_SLEB64 = 15;
export const R_WASM_MEMORY_ADDR_I64 = 16;
export const R_WASM_MEMORY_ADDR_REL_SLEB64 = 17;
export const R_WASM_TABLE_INDEX_SLEB64 = 18;
export const R_WASM_TABLE_INDEX_I64 = 19;
export const R_WASM_TABLE_NUMBER_LEB = 20;
export const R_WASM_MEMORY_ADDR_TLS_SLEB = 21;
export const R_WASM_FUNCTION_OFFSET_I64 = 22;
export const R_WASM_MEMORY_ADDR_LOCREL_I32 = 23;
export const R_WASM_TABLE_INDEX_REL_SLEB64 = 24;
export const R_WASM_MEMORY_ADDR_TLS_SLEB64 = 25;
export const R_WASM_FUNCTION_INDEX_I32 = 26;

// DynamicLinking, "dylink.0".
export const WASM_DYLINK_MEM_INFO = 1;
export const WASM_DYLINK_NEEDED = 2;
export const WASM_DYLINK_EXPORT_INFO = 3;
export const WASM_DYLINK_IMPORT_INFO = 4;
export const WASM_DYLINK_RUNTIME_PATH = 5;
