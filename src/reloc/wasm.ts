// R_WASM_*: the rows of WebAssembly. Numbers and names verbatim from tool-conventions' Linking.md, "Relocation Sections",
// those that it lacks from LLVM's WasmRelocs.def. A function's address is its element of the table; what lies in no memory
// is known by an index.
import { EXPRESSIONS, type Expression, type Field, type FixupRow } from './fixup.js';
import { INT64, WORD32 } from './fields.js';
import { SLEB32, SLEB64, ULEB32, ULEB64 } from './wasm32/fields.js';

const SPEC = 'WebAssembly tool conventions, Linking.md, "Relocation Sections"';
const TLS_SPEC = 'WebAssembly tool conventions, Linking.md, "Thread Local Storage"';

function row(type: number, name: string, expression: Expression, field: Field): FixupRow {
  const spec = EXPRESSIONS[expression].term === 'DTP' ? TLS_SPEC : SPEC;
  return { type, name, expression, field, relaxable: false, partner: null, absent: null, spec };
}

/** Rows in the order of their numbers. */
export const WASM_ROWS: readonly FixupRow[] = [
  row(0, 'R_WASM_FUNCTION_INDEX_LEB', 'function', ULEB32),
  row(1, 'R_WASM_TABLE_INDEX_SLEB', 'S+A', SLEB32),
  row(2, 'R_WASM_TABLE_INDEX_I32', 'S+A', WORD32),
  row(3, 'R_WASM_MEMORY_ADDR_LEB', 'S+A', ULEB32),
  row(4, 'R_WASM_MEMORY_ADDR_SLEB', 'S+A', SLEB32),
  row(5, 'R_WASM_MEMORY_ADDR_I32', 'S+A', WORD32),
  row(6, 'R_WASM_TYPE_INDEX_LEB', 'type', ULEB32),
  row(7, 'R_WASM_GLOBAL_INDEX_LEB', 'global', ULEB32),
  row(8, 'R_WASM_FUNCTION_OFFSET_I32', 'offset+A', WORD32),
  row(9, 'R_WASM_SECTION_OFFSET_I32', 'offset+A', WORD32),
  row(10, 'R_WASM_TAG_INDEX_LEB', 'tag', ULEB32),
  row(11, 'R_WASM_MEMORY_ADDR_REL_SLEB', 'S+A-memory', SLEB32),
  row(12, 'R_WASM_TABLE_INDEX_REL_SLEB', 'S+A-table', SLEB32),
  row(13, 'R_WASM_GLOBAL_INDEX_I32', 'global', WORD32),
  row(14, 'R_WASM_MEMORY_ADDR_LEB64', 'S+A', ULEB64),
  row(15, 'R_WASM_MEMORY_ADDR_SLEB64', 'S+A', SLEB64),
  row(16, 'R_WASM_MEMORY_ADDR_I64', 'S+A', INT64),
  row(17, 'R_WASM_MEMORY_ADDR_REL_SLEB64', 'S+A-memory', SLEB64),
  row(18, 'R_WASM_TABLE_INDEX_SLEB64', 'S+A', SLEB64),
  row(19, 'R_WASM_TABLE_INDEX_I64', 'S+A', INT64),
  row(20, 'R_WASM_TABLE_NUMBER_LEB', 'table', ULEB32),
  row(21, 'R_WASM_MEMORY_ADDR_TLS_SLEB', 'DTP+A', SLEB32),
  row(22, 'R_WASM_FUNCTION_OFFSET_I64', 'offset+A', INT64),
  row(23, 'R_WASM_MEMORY_ADDR_LOCREL_I32', 'S+A-P', WORD32),
  row(24, 'R_WASM_TABLE_INDEX_REL_SLEB64', 'S+A-table', SLEB64),
  row(25, 'R_WASM_MEMORY_ADDR_TLS_SLEB64', 'DTP+A', SLEB64),
  row(26, 'R_WASM_FUNCTION_INDEX_I32', 'function', WORD32),
];
