// The symbol table as it lies in the file (Apple's <mach-o/nlist.h>), as columns: what subsections are cut by, what the
// model's symbols are made of, and which of the model's symbols an entry is.
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { LIMITS } from '../../bytes/limits.js';
import { decodeText } from '../../bytes/text.js';
import { hex } from '../../codes/error.js';
import * as macho from './constants.js';
import type { SymbolRow } from './encode-symbols.js';
import type { MachoHeaders } from './header.js';

const TWO_32 = 0x1_0000_0000;
/** Largest high half of a safe integer, 2^53 − 1. */
const MAX_HIGH = 0x1f_ffff;
/** What names may add up to in tables of any size; as in elf/string-table.ts. */
const SMALL = 1_000_000;

/** All entries of the table; row = number in the file. */
export interface NlistTable {
  readonly count: number;
  /** Where the entries start in the file. */
  readonly entries: ByteReader;
  /** The string table. */
  readonly strings: Uint8Array;
  /** A name is bytes [nameStart, nameStart + nameLength) of `strings`, as the file has it. */
  readonly nameStart: Uint32Array;
  readonly nameLength: Uint32Array;
  readonly type: Uint8Array;
  /** Number of the section, from 1; 0 is none. */
  readonly section: Uint8Array;
  readonly description: Uint16Array;
  readonly value: Float64Array;
  /** Entries that are symbols of the model, in the file's order: those that are not for debuggers. */
  readonly rows: Uint32Array;
  /** Entry → index of the model's symbol; 0 for what is none. */
  readonly symbolOf: Uint32Array;
}

/**
 * Reads the table that LC_SYMTAB names; an empty one where there is none.
 * @throws IpbpError IPBP1001 for names outside the string table, IPBP1002 for other broken entries
 */
export function readNlistTable(file: Windows, { symbolTable, sections }: MachoHeaders): NlistTable {
  const place = symbolTable ?? { offset: 0, count: 0, stringsOffset: 0, stringsSize: 0 };
  const { count } = place;
  const entries = file.window(place.offset, count * macho.NLIST_64_SIZE);
  const names = file.window(place.stringsOffset, place.stringsSize);
  const view = new DataView(entries.bytes.buffer, entries.bytes.byteOffset, entries.length);
  const nameStart = new Uint32Array(count);
  const nameLength = new Uint32Array(count);
  const type = new Uint8Array(count);
  const section = new Uint8Array(count);
  const description = new Uint16Array(count);
  const value = new Float64Array(count);
  const symbolOf = new Uint32Array(count);
  const rows = new Uint32Array(count);
  const { bytes } = names;
  let symbols = 0;
  let namesLeft = SMALL + bytes.length * LIMITS.nameReuse;
  for (let row = 0, at = 0; row < count; row++, at += macho.NLIST_64_SIZE) {
    const start = view.getUint32(at, true);
    const kind = view.getUint8(at + 4);
    const number = view.getUint8(at + 5);
    const high = view.getUint32(at + 12, true);
    type[row] = kind;
    section[row] = number;
    description[row] = view.getUint16(at + 6, true);
    // At 0 there is none: Apple's linkers put a blank there.
    if (start !== 0) {
      if (start >= bytes.length) names.seek(start).need(1);
      const end = endOfName(bytes, start);
      if (end < 0) names.malformed('a name does not end in its string table', {}, start);
      namesLeft -= end - start;
      if (end - start > LIMITS.nameBytes) names.malformed('a name is too long', {}, start);
      if (namesLeft < 0) names.malformed('the names of a string table overlap too much', {}, start);
      nameStart[row] = start;
      nameLength[row] = end - start;
    }
    if ((kind & macho.N_STAB) !== 0) {
      value[row] = high * TWO_32 + view.getUint32(at + 8, true);
      continue;
    }
    const where = kind & macho.N_TYPE;
    if (where === macho.N_SECT && (number === 0 || number > sections.length)) {
      const actual = `${number} of ${sections.length}`;
      entries.malformed('a symbol is in a section that does not exist', { actual }, at);
    }
    if (high > MAX_HIGH && where !== macho.N_ABS) {
      entries.malformed('a symbol has a value too large', { expected: 'less than 2^53' }, at);
    }
    // Absolute ones are signed; what is no safe integer can stand in a table, but not be computed with.
    const number64 = (high > MAX_HIGH ? high - TWO_32 : high) * TWO_32 + view.getUint32(at + 8, true);
    value[row] = Number.isSafeInteger(number64) ? number64 : NaN;
    rows[symbols++] = row;
    symbolOf[row] = symbols;
  }
  const columns = { nameStart, nameLength, type, section, description, value };
  return { count, entries, strings: bytes, ...columns, rows: rows.subarray(0, symbols), symbolOf };
}

/** Where the name that starts here ends; -1 when it does not. */
function endOfName(bytes: Uint8Array, start: number): number {
  // Most names are shorter than what a call of indexOf costs.
  const near = Math.min(start + 48, bytes.length);
  for (let at = start; at < near; at++) if (bytes[at] === 0) return at;
  return bytes.indexOf(0, near);
}

/** The entries for debuggers, in the file's order. */
export function* debuggerRows(table: NlistTable): Generator<SymbolRow> {
  const { count, type, section, description, value, strings, nameStart, nameLength } = table;
  for (let row = 0; row < count; row++) {
    if (((type[row] as number) & macho.N_STAB) === 0) continue;
    const start = nameStart[row] as number;
    yield {
      type: type[row] as number,
      name: decodeText(strings, start, start + (nameLength[row] as number)),
      section: section[row] as number,
      description: description[row] as number,
      value: value[row] as number,
    };
  }
}

/** Where a row is: N_UNDF, N_ABS, N_SECT and so on. */
export function whereOf({ type }: NlistTable, row: number): number {
  return (type[row] as number) & macho.N_TYPE;
}

/** Was the name made by the assembler, and cuts nothing: `L…`, or the `ltmp3` that LLVM puts where a section starts? */
export function isTemporary({ strings, nameStart }: NlistTable, row: number): boolean {
  return isTemporaryAt(strings, nameStart[row] as number);
}

/** The same of the name that starts here. None is one too. */
export function isTemporaryAt(strings: Uint8Array, start: number): boolean {
  const first = start === 0 ? 0 : (strings[start] ?? 0);
  if (first !== 0x6c) return first === 0 || first === 0x4c; // l, L
  const digit = strings[start + 4] ?? 0;
  return (
    strings[start + 1] === 0x74 && // t
    strings[start + 2] === 0x6d && // m
    strings[start + 3] === 0x70 && // p
    digit >= 0x30 &&
    digit <= 0x39
  );
}

/** IPBP1002 for an entry that says what it must not. */
export function brokenEntry(table: NlistTable, row: number, summary: string, actual: number): never {
  return table.entries.malformed(summary, { actual: hex(actual) }, row * macho.NLIST_64_SIZE);
}
