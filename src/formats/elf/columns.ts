// Symbol tables (gABI "Symbol Table") to the model's columns. The same checks as symbols.ts, at some ten nanoseconds for
// each entry: entries are read as words of four bytes.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { decodeText } from '../../bytes/text.js';
import * as columns from '../columns.js';
import type { SymbolColumns } from '../columns.js';
import * as elf from './constants.js';
import { BINDINGS, KINDS, sectionOf, UNKNOWN, unknownBinding, VISIBILITIES } from './symbol-fields.js';

const TWO_32 = 0x1_0000_0000;
/** Largest high half of a safe integer, 2^53 − 1. */
const MAX_HIGH = 0x1f_ffff;
/** What names may add up to in tables of any size; as in string-table.ts. */
const SMALL = 1_000_000;

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
    kind[row] = KINDS[mixed & 0xf] as number;
    const bound = BINDINGS[(mixed >>> 4) & 0xf] as number;
    if (bound === UNKNOWN) unknownBinding(entries, mixed, row);
    binding[row] = bound;
    visibility[row] = VISIBILITIES[(mixed >>> 8) & 3] as number;
    const place = sectionOf(entries, extended, sectionCount, mixed >>> 16, row);
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

/** The first `count` words. Copied where they do not lie at a multiple of four: members of archives lie anywhere. */
function wordsOf(bytes: Uint8Array, count: number): Uint32Array {
  return bytes.byteOffset % 4 === 0
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, count)
    : new Uint32Array(bytes.slice(0, count * 4).buffer);
}
