// Symbol tables (gABI "Symbol Table"). All symbols of a table are read at once, at first use: names are substrings of
// one decoded string table, so that 150,000 symbols cost tens of milliseconds. Single ones can be read before that.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import type { Binding, ObjectSymbol, SymbolKind, Visibility } from '../object-file.js';
import * as elf from './constants.js';
import type { StringTable } from './string-table.js';

const TWO_32 = 0x1_0000_0000;
const VISIBILITIES: readonly Visibility[] = ['default', 'internal', 'hidden', 'protected'];

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
    if (valueHigh > 0x1f_ffff || sizeHigh > 0x1f_ffff) {
      reader.malformed('a symbol has a value or size too large', { expected: 'less than 2^53' }, at);
    }
    return {
      index,
      name: names(view.getUint32(at, true)),
      kind: symbolKind(info & 0xf),
      binding: bindingOf(reader, info >> 4, at),
      visibility: VISIBILITIES[view.getUint8(at + 5) & 3] as Visibility,
      section:
        shndx === elf.SHN_UNDEF
          ? 'undefined'
          : shndx < elf.SHN_LORESERVE
            ? inRange(reader, shndx, sectionCount, at)
            : reservedSection(reader, shndx, extended, index, sectionCount),
      value: valueHigh * TWO_32 + view.getUint32(at + 8, true),
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

function symbolKind(type: number): SymbolKind {
  switch (type) {
    case elf.STT_FUNC:
      return 'function';
    case elf.STT_OBJECT:
    case elf.STT_COMMON:
      return 'data';
    case elf.STT_TLS:
      return 'tls';
    case elf.STT_SECTION:
      return 'section';
    case elf.STT_FILE:
      return 'file';
    case elf.STT_GNU_IFUNC:
      return 'ifunc';
    default:
      // STT_NOTYPE, and types that only an operating system or processor of its own would know.
      return 'none';
  }
}

function bindingOf(reader: ByteReader, binding: number, at: number): Binding {
  switch (binding) {
    case elf.STB_LOCAL:
      return 'local';
    case elf.STB_GLOBAL:
      return 'global';
    case elf.STB_WEAK:
      return 'weak';
    case elf.STB_GNU_UNIQUE:
      return 'unique';
    default:
      return reader.malformed('a symbol has an unknown binding', { actual: `${binding}` }, at);
  }
}

function reservedSection(
  reader: ByteReader,
  shndx: number,
  extended: ByteReader | null,
  index: number,
  sectionCount: number | null,
): ObjectSymbol['section'] {
  if (shndx === elf.SHN_ABS) return 'absolute';
  if (shndx === elf.SHN_COMMON || shndx === elf.SHN_X86_64_LCOMMON) return 'common';
  const at = index * elf.SYM_SIZE;
  if (shndx !== elf.SHN_XINDEX || extended === null) {
    return reader.malformed('a symbol has a reserved section index', { actual: `0x${shndx.toString(16)}` }, at);
  }
  return inRange(reader, extended.seek(index * 4).u32(), sectionCount, at);
}

function inRange(reader: ByteReader, section: number, sectionCount: number | null, at: number): number {
  if (sectionCount !== null && section >= sectionCount) {
    reader.malformed('a symbol is in a section that does not exist', { actual: `${section} of ${sectionCount}` }, at);
  }
  return section;
}
