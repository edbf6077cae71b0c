// Symbol tables and relocation sections (gABI "Symbol Table", "Relocation") to the model's columns. The same checks as
// symbols.ts and relocations.ts, at some ten nanoseconds for each entry: entries are read as words of four bytes.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { decodeText } from '../../bytes/text.js';
import { hex } from '../../codes/error.js';
import * as columns from '../columns.js';
import type { FileRelocations, RelocationColumns, SymbolColumns } from '../columns.js';
import * as elf from './constants.js';
import { relocationCount, type RelocationBounds } from './relocations.js';

const TWO_32 = 0x1_0000_0000;
/** Largest high half of a safe integer, 2^53 − 1. */
const MAX_HIGH = 0x1f_ffff;
/** What names may add up to in tables of any size; as in string-table.ts. */
const SMALL = 1_000_000;
const UNKNOWN = 0xff;

const KINDS = new Uint8Array(16).fill(columns.KIND_NONE);
KINDS[elf.STT_OBJECT] = columns.KIND_DATA;
KINDS[elf.STT_COMMON] = columns.KIND_DATA;
KINDS[elf.STT_FUNC] = columns.KIND_FUNCTION;
KINDS[elf.STT_SECTION] = columns.KIND_SECTION;
KINDS[elf.STT_FILE] = columns.KIND_FILE;
KINDS[elf.STT_TLS] = columns.KIND_TLS;
KINDS[elf.STT_GNU_IFUNC] = columns.KIND_IFUNC;

const BINDINGS = new Uint8Array(16).fill(UNKNOWN);
BINDINGS[elf.STB_LOCAL] = columns.BINDING_LOCAL;
BINDINGS[elf.STB_GLOBAL] = columns.BINDING_GLOBAL;
BINDINGS[elf.STB_WEAK] = columns.BINDING_WEAK;
BINDINGS[elf.STB_GNU_UNIQUE] = columns.BINDING_UNIQUE;

const VISIBILITIES = new Uint8Array(4).fill(columns.VISIBILITY_DEFAULT);
VISIBILITIES[elf.STV_PROTECTED] = columns.VISIBILITY_PROTECTED;
VISIBILITIES[elf.STV_HIDDEN] = columns.VISIBILITY_HIDDEN;
VISIBILITIES[elf.STV_INTERNAL] = columns.VISIBILITY_INTERNAL;

/** A symbol table's parts. `extended` and `sectionCount` are as in `openSymbols`; `firstGlobal` is its sh_info. */
export interface SymbolTableParts {
  readonly entries: ByteReader;
  readonly strings: ByteReader;
  readonly extended: ByteReader | null;
  readonly sectionCount: number | null;
  readonly firstGlobal: number;
}

/** Reads a whole symbol table. IPBP1001 and IPBP1002 as `openSymbols` and `openStringTable`. */
export function readSymbolColumns(parts: SymbolTableParts): SymbolColumns {
  const { entries, strings, extended, sectionCount } = parts;
  const count = Math.floor(entries.length / elf.SYM_SIZE);
  if (count > LIMITS.symbols) entries.malformed('too many symbols', { actual: `${count}` }, 0);
  const words = wordsOf(entries.bytes, count * (elf.SYM_SIZE / 4));
  const bytes = strings.bytes;
  const offset = new Uint32Array(count);
  const length = new Uint32Array(count);
  const kind = new Uint8Array(count);
  const binding = new Uint8Array(count);
  const visibility = new Uint8Array(count);
  const section = new Int32Array(count);
  const value = new Float64Array(count);
  const size = new Float64Array(count);
  let namesLeft = SMALL + bytes.length * LIMITS.nameReuse;
  for (let row = 0, at = 0; row < count; row++, at += elf.SYM_SIZE / 4) {
    const name = words[at] as number;
    // st_info, st_other and st_shndx are one word.
    const mixed = words[at + 1] as number;
    const shndx = mixed >>> 16;
    kind[row] = KINDS[mixed & 0xf] as number;
    const bound = BINDINGS[(mixed >>> 4) & 0xf] as number;
    if (bound === UNKNOWN) {
      const actual = `${(mixed >>> 4) & 0xf}`;
      entries.malformed('a symbol has an unknown binding', { actual }, row * elf.SYM_SIZE);
    }
    binding[row] = bound;
    visibility[row] = VISIBILITIES[(mixed >>> 8) & 3] as number;
    const place =
      shndx === elf.SHN_UNDEF
        ? columns.SECTION_UNDEFINED
        : shndx < elf.SHN_LORESERVE
          ? shndx
          : reserved(entries, extended, shndx, row);
    if (sectionCount !== null && place >= sectionCount) {
      const actual = `${place} of ${sectionCount}`;
      entries.malformed('a symbol is in a section that does not exist', { actual }, row * elf.SYM_SIZE);
    }
    section[row] = place;
    const valueHigh = words[at + 3] as number;
    const sizeHigh = words[at + 5] as number;
    if (valueHigh > MAX_HIGH || sizeHigh > MAX_HIGH) {
      if (place !== columns.SECTION_ABSOLUTE || sizeHigh > MAX_HIGH) {
        const expected = 'less than 2^53';
        entries.malformed('a symbol has a value or size too large', { expected }, row * elf.SYM_SIZE);
      }
      const signed = (valueHigh - TWO_32) * TWO_32 + (words[at + 2] as number);
      value[row] = Number.isSafeInteger(signed) ? signed : NaN;
    } else {
      value[row] = valueHigh * TWO_32 + (words[at + 2] as number);
    }
    size[row] = sizeHigh * TWO_32 + (words[at + 4] as number);
    if (name === 0) continue;
    if (name >= bytes.length) strings.seek(name).need(1);
    const end = endOfName(bytes, name);
    if (end < 0) strings.malformed('a name does not end in its string table', {}, name);
    namesLeft -= end - name;
    if (end - name > LIMITS.nameBytes) strings.malformed('a name is too long', {}, name);
    if (namesLeft < 0) strings.malformed('the names of a string table overlap too much', {}, name);
    offset[row] = name;
    length[row] = end - name;
  }
  return {
    count,
    firstGlobal: Math.min(parts.firstGlobal, count),
    names: { bytes, offset, length },
    kind,
    binding,
    visibility,
    section,
    value,
    size,
    nameOf(row) {
      const start = offset[row] ?? 0;
      return decodeText(bytes, start, start + (length[row] ?? 0));
    },
  };
}

/** Where the name that starts here ends; -1 when it does not. */
function endOfName(bytes: Uint8Array, start: number): number {
  // Most names are shorter than what a call of indexOf costs.
  const near = Math.min(start + 48, bytes.length);
  for (let at = start; at < near; at++) if (bytes[at] === 0) return at;
  return bytes.indexOf(0, near);
}

function reserved(entries: ByteReader, extended: ByteReader | null, shndx: number, row: number): number {
  if (shndx === elf.SHN_ABS) return columns.SECTION_ABSOLUTE;
  if (shndx === elf.SHN_COMMON || shndx === elf.SHN_X86_64_LCOMMON) return columns.SECTION_COMMON;
  if (shndx === elf.SHN_XINDEX && extended !== null) {
    const index = extended.seek(row * 4).u32();
    // A column of 32 bits with a sign; no file has as many sections (LIMITS.sections).
    if (index <= LIMITS.sections) return index;
  }
  return entries.malformed('a symbol has a reserved section index', { actual: hex(shndx) }, row * elf.SYM_SIZE);
}

/** A relocation section: its bytes and its type, SHT_RELA or SHT_REL. */
export interface RelocationSource {
  readonly reader: ByteReader;
  readonly type: number;
}

/** The relocation sections that apply to one section. */
export interface RelocationTarget {
  readonly sources: readonly RelocationSource[];
  readonly bounds: RelocationBounds;
}

/**
 * Reads the relocation sections of one target as one.
 * @throws IpbpError as `readRelocationSection`; IPBP1002 too where some have addends and some have not.
 */
export function readRelocationColumns(
  sources: readonly RelocationSource[],
  bounds: RelocationBounds,
): RelocationColumns {
  return readAllRelocationColumns([{ sources, bounds }]).rows;
}

/** Reads those of all targets into one set of columns; errors as `readRelocationColumns`. */
export function readAllRelocationColumns(targets: readonly RelocationTarget[]): FileRelocations {
  let count = 0;
  let wide = false;
  for (const { sources, bounds } of targets) {
    for (const { reader, type } of sources) {
      count += relocationCount(reader, type);
      wide ||= bounds.size >= TWO_32;
    }
  }
  const kinds = targets.flatMap(({ sources }) => sources.map(({ type }) => type));
  const rows: RelocationColumns = {
    count,
    offset: wide ? new Float64Array(count) : new Uint32Array(count),
    type: new Uint32Array(count),
    symbol: new Uint32Array(count),
    addend: new Float64Array(count),
    implicit: kinds[0] === elf.SHT_REL,
  };
  const first = new Uint32Array(targets.length + 1);
  let row = 0;
  targets.forEach(({ sources, bounds }, target) => {
    const start = row;
    let sorted = true;
    for (const source of sources) {
      if ((source.type === elf.SHT_REL) !== rows.implicit) {
        source.reader.malformed('some relocations have addends and some have none', { expected: 'one kind' }, 0);
      }
      const end = readRows(rows, row, source, bounds);
      sorted &&= isSorted(rows.offset, start, end);
      row = end;
    }
    if (!sorted) sortRows(rows, start, row);
    first[target + 1] = row;
  });
  return { rows, first };
}

/** Reads one section into rows from `row` on; the row behind its last. */
function readRows(
  rows: RelocationColumns,
  row: number,
  { reader, type }: RelocationSource,
  bounds: RelocationBounds,
): number {
  const { offset, type: types, symbol: symbolRows, addend: addends } = rows;
  const implicit = type === elf.SHT_REL;
  const step = implicit ? elf.REL_SIZE / 4 : elf.RELA_SIZE / 4;
  const words = wordsOf(reader.bytes, reader.length / 4);
  for (let at = 0; at < words.length; at += step, row++) {
    const place = (words[at + 1] as number) * TWO_32 + (words[at] as number);
    const symbol = words[at + 3] as number;
    if (place >= bounds.size) {
      const facts = { expected: `below ${hex(bounds.size)}`, actual: hex(place) };
      reader.malformed('a relocation lies outside its section', facts, at * 4);
    }
    if (symbol >= bounds.symbols && symbol !== 0) {
      const actual = `${symbol} of ${bounds.symbols}`;
      reader.malformed('a relocation has an unknown symbol', { actual }, at * 4);
    }
    offset[row] = place;
    types[row] = words[at + 2] as number;
    symbolRows[row] = symbol;
    if (implicit) continue;
    const addend = ((words[at + 5] as number) | 0) * TWO_32 + (words[at + 4] as number);
    if (!Number.isSafeInteger(addend)) {
      reader.malformed('an addend is too large', { expected: 'within ±2^53' }, at * 4);
    }
    addends[row] = addend;
  }
  return row;
}

function isSorted(offset: Uint32Array | Float64Array, start: number, end: number): boolean {
  for (let row = start + 1; row < end; row++) if ((offset[row] as number) < (offset[row - 1] as number)) return false;
  return true;
}

/** Rows [start, end) by rising offset; those of one place keep their order, which some pairs rely on. */
function sortRows(rows: RelocationColumns, start: number, end: number): void {
  const order = new Uint32Array(end - start);
  for (let index = 0; index < order.length; index++) order[index] = index;
  const offset = rows.offset.slice(start, end);
  order.sort((a, b) => (offset[a] as number) - (offset[b] as number) || a - b);
  const type = rows.type.slice(start, end);
  const symbol = rows.symbol.slice(start, end);
  const addend = rows.addend.slice(start, end);
  order.forEach((from, to) => {
    rows.offset[start + to] = offset[from] as number;
    rows.type[start + to] = type[from] as number;
    rows.symbol[start + to] = symbol[from] as number;
    rows.addend[start + to] = addend[from] as number;
  });
}

/** The first `count` words. Copied where they do not lie at a multiple of four: members of archives lie anywhere. */
function wordsOf(bytes: Uint8Array, count: number): Uint32Array {
  return bytes.byteOffset % 4 === 0
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, count)
    : new Uint32Array(bytes.slice(0, count * 4).buffer);
}
