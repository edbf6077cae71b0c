// Sections of relocations (`reloc.CODE`, `reloc.DATA`, `reloc..debug_info`): entries as they stand there. Linking,
// "Relocation Sections".
import type { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import * as wasm from './constants.js';
import { readIndex } from './value-types.js';

/** Relocations of one section. Columns, as objects have hundreds of thousands in debug information. */
export interface RelocationSection {
  /** Index of the section that they apply to. */
  readonly target: number;
  readonly count: number;
  readonly type: Uint8Array;
  /** In the content of the section. */
  readonly offset: Uint32Array;
  /** Of a symbol, or of a type. */
  readonly index: Uint32Array;
  readonly addend: Float64Array;
}

/** Types of a relocation that have an addend. */
const WITH_ADDEND = new Set([
  wasm.R_WASM_MEMORY_ADDR_LEB,
  wasm.R_WASM_MEMORY_ADDR_SLEB,
  wasm.R_WASM_MEMORY_ADDR_I32,
  wasm.R_WASM_MEMORY_ADDR_REL_SLEB,
  wasm.R_WASM_MEMORY_ADDR_LEB64,
  wasm.R_WASM_MEMORY_ADDR_SLEB64,
  wasm.R_WASM_MEMORY_ADDR_I64,
  wasm.R_WASM_MEMORY_ADDR_REL_SLEB64,
  wasm.R_WASM_MEMORY_ADDR_TLS_SLEB,
  wasm.R_WASM_MEMORY_ADDR_TLS_SLEB64,
  wasm.R_WASM_MEMORY_ADDR_LOCREL_I32,
  wasm.R_WASM_FUNCTION_OFFSET_I32,
  wasm.R_WASM_FUNCTION_OFFSET_I64,
  wasm.R_WASM_SECTION_OFFSET_I32,
]);

/** Least bytes of an entry: type, offset, index. */
const LEAST_ENTRY = 3;

/** Reads the content of a section of relocations. IPBP1001 and IPBP1002 for broken ones. */
export function readRelocationSection(reader: ByteReader): RelocationSection {
  const target = readIndex(reader);
  const before = reader.position;
  const count = readIndex(reader);
  // Before room for so many is made.
  if (count * LEAST_ENTRY > reader.remaining) {
    reader.malformed('more relocations than there are bytes for', { actual: `${count}` }, before);
  }
  const type = new Uint8Array(count);
  const offset = new Uint32Array(count);
  const index = new Uint32Array(count);
  const addend = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const start = reader.position;
    const number = reader.u8();
    if (number > wasm.R_WASM_FUNCTION_INDEX_I32) {
      reader.malformed('an unknown relocation', { actual: `number ${number}` }, start);
    }
    type[row] = number;
    offset[row] = readIndex(reader);
    index[row] = readIndex(reader);
    if (WITH_ADDEND.has(number)) addend[row] = reader.sleb();
  }
  if (!reader.ended) reader.malformed('a section is longer than what it holds', { actual: 'relocations' });
  return { target, count, type, offset, index, addend };
}

/** The section's content. */
export function encodeRelocationSection(section: RelocationSection): Uint8Array {
  const { target, count, type, offset, index, addend } = section;
  const w = new ByteWriter(count * 8 + 16).uleb(target).uleb(count);
  for (let row = 0; row < count; row++) {
    const number = type[row] as number;
    w.u8(number)
      .uleb(offset[row] as number)
      .uleb(index[row] as number);
    if (WITH_ADDEND.has(number)) w.sleb(addend[row] as number);
  }
  return w.finish();
}

/** Bytes of the field, by the type's number. */
export function fieldSize(type: number): number {
  switch (type) {
    case wasm.R_WASM_TABLE_INDEX_I32:
    case wasm.R_WASM_MEMORY_ADDR_I32:
    case wasm.R_WASM_FUNCTION_OFFSET_I32:
    case wasm.R_WASM_SECTION_OFFSET_I32:
    case wasm.R_WASM_GLOBAL_INDEX_I32:
    case wasm.R_WASM_MEMORY_ADDR_LOCREL_I32:
    case wasm.R_WASM_FUNCTION_INDEX_I32:
      return 4;
    case wasm.R_WASM_MEMORY_ADDR_I64:
    case wasm.R_WASM_TABLE_INDEX_I64:
    case wasm.R_WASM_FUNCTION_OFFSET_I64:
      return 8;
    case wasm.R_WASM_MEMORY_ADDR_LEB64:
    case wasm.R_WASM_MEMORY_ADDR_SLEB64:
    case wasm.R_WASM_MEMORY_ADDR_REL_SLEB64:
    case wasm.R_WASM_TABLE_INDEX_SLEB64:
    case wasm.R_WASM_TABLE_INDEX_REL_SLEB64:
    case wasm.R_WASM_MEMORY_ADDR_TLS_SLEB64:
      return 10;
    default:
      return 5;
  }
}
