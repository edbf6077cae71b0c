// Whole symbol tables from columns, .dynsym and .symtab alike (gABI "Symbol Table"), and the string tables their names
// are in. The counterpart of columns.ts; write-symbols.ts changes a table that is there.
import { ByteWriter } from '../../bytes/writer.js';
import { encodeText } from '../../bytes/text.js';
import * as columns from '../columns.js';
import * as elf from './constants.js';
import { BINDING_FIELDS, KIND_FIELDS, VISIBILITY_FIELDS } from './symbol-fields.js';

const TWO_32 = 0x1_0000_0000;

/** The same by the numbers of columns. */
const KINDS = Uint8Array.from(columns.SYMBOL_KINDS, (kind) => KIND_FIELDS[kind]);
const BINDINGS = Uint8Array.from(columns.SYMBOL_BINDINGS, (binding) => BINDING_FIELDS[binding] * 16);
const VISIBILITIES = Uint8Array.from(columns.SYMBOL_VISIBILITIES, (visibility) => VISIBILITY_FIELDS[visibility]);

/**
 * The table's rows, the null symbol not among them: they are written from index 1 on. Values are those of columns.ts,
 * `name` is an offset in the string table. Columns may be longer than `count`.
 */
export interface SymbolRows {
  readonly count: number;
  readonly name: Uint32Array;
  readonly kind: Uint8Array;
  readonly binding: Uint8Array;
  readonly visibility: Uint8Array;
  readonly section: Int32Array;
  readonly value: Float64Array;
  readonly size: Float64Array;
}

/** Columns with room for so many rows; `count` is to be set. */
export function symbolRows(capacity: number): SymbolRows & { count: number } {
  return {
    count: 0,
    name: new Uint32Array(capacity),
    kind: new Uint8Array(capacity),
    binding: new Uint8Array(capacity),
    visibility: new Uint8Array(capacity),
    section: new Int32Array(capacity),
    value: new Float64Array(capacity),
    size: new Float64Array(capacity),
  };
}

/** The entries, the null symbol first, and the section indexes that do not fit them (SHT_SYMTAB_SHNDX), if any do not. */
export function encodeSymbols(rows: SymbolRows): {
  readonly entries: Uint8Array<ArrayBuffer>;
  readonly extended: Uint8Array<ArrayBuffer> | null;
} {
  const words = new Uint32Array((rows.count + 1) * (elf.SYM_SIZE / 4));
  let extended: Uint32Array<ArrayBuffer> | null = null;
  for (let row = 0, at = elf.SYM_SIZE / 4; row < rows.count; row++, at += elf.SYM_SIZE / 4) {
    const section = rows.section[row] as number;
    let field = section;
    if (section < 0) field = specialSection(section);
    else if (section >= elf.SHN_LORESERVE) {
      field = elf.SHN_XINDEX;
      extended ??= new Uint32Array(rows.count + 1);
      extended[row + 1] = section;
    }
    const info = (KINDS[rows.kind[row] as number] as number) + (BINDINGS[rows.binding[row] as number] as number);
    const other = VISIBILITIES[rows.visibility[row] as number] as number;
    const value = rows.value[row] as number;
    const size = rows.size[row] as number;
    words[at] = rows.name[row] as number;
    words[at + 1] = info + other * 0x100 + field * 0x1_0000;
    words[at + 2] = value % TWO_32;
    words[at + 3] = Math.floor(value / TWO_32);
    words[at + 4] = size % TWO_32;
    words[at + 5] = Math.floor(size / TWO_32);
  }
  return {
    entries: new Uint8Array(words.buffer),
    extended: extended === null ? null : new Uint8Array(extended.buffer),
  };
}

function specialSection(section: number): number {
  if (section === columns.SECTION_ABSOLUTE) return elf.SHN_ABS;
  return section === columns.SECTION_COMMON ? elf.SHN_COMMON : elf.SHN_UNDEF;
}

/** A string table under construction. It does not look for names it has: who adds one twice has it twice. */
export interface StringTableWriter {
  /** Bytes so far, with the NUL at the start. */
  readonly size: number;
  /** Offset of a name: bytes [start, end), without a NUL. The empty name is at 0. */
  add(bytes: Uint8Array, start: number, end: number): number;
  addText(text: string): number;
  finish(): Uint8Array<ArrayBuffer>;
}

/** An empty string table (gABI "String Table"). */
export function createStringTable(): StringTableWriter {
  const table = new ByteWriter(4096).u8(0);
  const add = (bytes: Uint8Array, start: number, end: number): number => {
    if (start === end) return 0;
    const offset = table.length;
    table.raw(bytes.subarray(start, end)).u8(0);
    return offset;
  };
  return {
    get size() {
      return table.length;
    },
    add,
    addText(text) {
      const bytes = encodeText(text);
      return add(bytes, 0, bytes.length);
    },
    finish: () => table.finish(),
  };
}
