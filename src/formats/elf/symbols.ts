// Symbol tables (gABI "Symbol Table"). All symbols of a table are read at once, at first use: names are substrings of
// one decoded string table, so that 150,000 symbols cost tens of milliseconds. Single ones can be read before that.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import * as columns from '../columns.js';
import type { Binding, ObjectSymbol, SymbolKind, Visibility } from '../object-file.js';
import * as elf from './constants.js';
import { BINDINGS, KINDS, sectionOf, UNKNOWN, unknownBinding, VISIBILITIES } from './symbol-fields.js';
import type { StringTable } from './string-table.js';

const TWO_32 = 0x1_0000_0000;
/** Largest high half of a safe integer, 2^53 − 1. */
const MAX_HIGH = 0x1f_ffff;

/** A symbol table: `at` reads one symbol anew (IPBP1002 outside the table), `all` reads all and keeps them. */
export interface SymbolTable {
  readonly count: number;
  at(index: number): ObjectSymbol;
  all(): readonly ObjectSymbol[];
}

/**
 * Opens the table that `reader` is a window of. `extended` holds the section indexes that do not fit st_shndx
 * (SHT_SYMTAB_SHNDX), `sectionCount` bounds the others; it is null for linked files, where the index is only a hint.
 * The value of a thread-local symbol in a linked file is its offset in the TLS template, not an address.
 */
export function openSymbols(
  reader: ByteReader,
  names: StringTable,
  extended: ByteReader | null,
  sectionCount: number | null,
): SymbolTable {
  const count = Math.floor(reader.length / elf.SYM_SIZE);
  if (count > LIMITS.symbols) reader.malformed('too many symbols', { actual: `${count}` }, 0);
  const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset, reader.length);

  const readAt = (index: number): ObjectSymbol => {
    const at = index * elf.SYM_SIZE;
    const info = view.getUint8(at + 4);
    const shndx = view.getUint16(at + 6, true);
    const valueHigh = view.getUint32(at + 12, true);
    const sizeHigh = view.getUint32(at + 20, true);
    const binding = BINDINGS[info >>> 4] as number;
    if (binding === UNKNOWN) unknownBinding(reader, info, index);
    const section = sectionOf(reader, extended, sectionCount, shndx, index);
    const large = valueHigh > MAX_HIGH;
    if ((large && section !== columns.SECTION_ABSOLUTE) || sizeHigh > MAX_HIGH) {
      reader.malformed('a symbol has a value or size too large', { expected: 'less than 2^53' }, at);
    }
    // Absolute ones are signed.
    const value = (large ? valueHigh - TWO_32 : valueHigh) * TWO_32 + view.getUint32(at + 8, true);
    return {
      index,
      name: names(view.getUint32(at, true)),
      kind: columns.SYMBOL_KINDS[KINDS[info & 0xf] as number] as SymbolKind,
      binding: columns.SYMBOL_BINDINGS[binding] as Binding,
      visibility: columns.SYMBOL_VISIBILITIES[VISIBILITIES[view.getUint8(at + 5) & 3] as number] as Visibility,
      section: section >= 0 ? section : sectionName(section),
      value: Number.isSafeInteger(value) ? value : NaN,
      size: sizeHigh * TWO_32 + view.getUint32(at + 16, true),
    };
  };

  let kept: readonly ObjectSymbol[] | null = null;
  return {
    count,
    at(index) {
      if (!(index < count)) reader.malformed('a symbol index is outside the table', { actual: `${index} of ${count}` });
      return kept?.[index] ?? readAt(index);
    },
    all() {
      if (kept === null) {
        const symbols: ObjectSymbol[] = [];
        for (let index = 0; index < count; index++) symbols.push(readAt(index));
        kept = symbols;
      }
      return kept;
    },
  };
}

function sectionName(section: number): Exclude<ObjectSymbol['section'], number> {
  if (section === columns.SECTION_ABSOLUTE) return 'absolute';
  return section === columns.SECTION_COMMON ? 'common' : 'undefined';
}
