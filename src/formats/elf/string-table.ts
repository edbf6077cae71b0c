// String tables (gABI "String Table"): from an offset to a name. Owns the fast path and the bound on hostile tables.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { decodeText, isAscii } from '../../bytes/text.js';

/** The NUL-terminated name at an offset of the table; IPBP1001 outside it, IPBP1002 when it does not end. */
export type StringTable = (offset: number) => string;

/** What a budget allows for tables of any size. */
const SMALL = 1_000_000;
/** So many names are decoded one by one before the whole table is: a file's needed libraries do not need all of it. */
const FEW = 32;
/** Engines limit the length of one string; larger tables are decoded name by name. */
const LARGEST_TEXT = 0x1000_0000;

/**
 * Opens the table that `reader` is a window of. An ASCII table is decoded once as a whole and names are substrings,
 * which engines make without copying: 30 ns each instead of 440. Names may overlap (shared tails), so a hostile table
 * could make n symbols share n bytes each; the total is therefore bounded by a multiple of the table's size.
 */
export function openStringTable(reader: ByteReader): StringTable {
  const bytes = reader.bytes;
  let left = SMALL + bytes.length * LIMITS.nameReuse;
  let whole: string | null = null;
  let opened = false;
  let lookups = 0;

  const open = (): void => {
    opened = true;
    if (bytes.length <= LARGEST_TEXT && isAscii(bytes)) whole = decodeText(bytes);
  };

  return (offset) => {
    if (offset === 0 && bytes.length === 0) return '';
    if (!(offset < bytes.length)) reader.seek(offset).need(1);
    if (bytes[offset] === 0) return '';
    if (!opened && ++lookups > FEW) open();
    const end = whole === null ? bytes.indexOf(0, offset) : whole.indexOf('\0', offset);
    if (end < 0) reader.malformed('a name does not end in its string table', {}, offset);
    const size = end - offset;
    left -= size;
    if (size > LIMITS.nameBytes) reader.malformed('a name is too long', {}, offset);
    if (left < 0) reader.malformed('the names of a string table overlap too much', {}, offset);
    return whole === null ? decodeText(bytes, offset, end) : whole.substring(offset, end);
  };
}
