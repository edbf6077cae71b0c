// What the model calls a symbol's kind, binding, visibility and section, as the fields of a symbol table hold them (gABI
// "Symbol Table"): for who writes tables, and for who reads them, one by one (symbols.ts) or as columns (columns.ts).
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { hex } from '../../codes/error.js';
import * as columns from '../columns.js';
import type { Binding, SymbolKind, Visibility } from '../object-file.js';
import * as elf from './constants.js';

/** The high half of st_info. */
export const BINDING_FIELDS: Readonly<Record<Binding, number>> = {
  local: elf.STB_LOCAL,
  global: elf.STB_GLOBAL,
  weak: elf.STB_WEAK,
  unique: elf.STB_GNU_UNIQUE,
};
/** The low half of st_info. */
export const KIND_FIELDS: Readonly<Record<SymbolKind, number>> = {
  function: elf.STT_FUNC,
  data: elf.STT_OBJECT,
  tls: elf.STT_TLS,
  section: elf.STT_SECTION,
  file: elf.STT_FILE,
  ifunc: elf.STT_GNU_IFUNC,
  none: elf.STT_NOTYPE,
  // Of no file of this format.
  ...{ global: elf.STT_NOTYPE, table: elf.STT_NOTYPE, type: elf.STT_NOTYPE, tag: elf.STT_NOTYPE },
};
/** st_other. */
export const VISIBILITY_FIELDS: Readonly<Record<Visibility, number>> = {
  default: elf.STV_DEFAULT,
  internal: elf.STV_INTERNAL,
  hidden: elf.STV_HIDDEN,
  protected: elf.STV_PROTECTED,
};

/** The kind of a symbol by the low half of st_info: `none` too for what only a system of its own would know. */
export const KINDS = new Uint8Array(16).fill(columns.KIND_NONE);
columns.SYMBOL_KINDS.slice(0, columns.KIND_IFUNC + 1).forEach((kind, number) => (KINDS[KIND_FIELDS[kind]] = number));
KINDS[elf.STT_COMMON] = columns.KIND_DATA;

/** No binding. */
export const UNKNOWN = 0xff;
/** The binding by the high half of st_info. */
export const BINDINGS = new Uint8Array(16).fill(UNKNOWN);
columns.SYMBOL_BINDINGS.forEach((binding, number) => (BINDINGS[BINDING_FIELDS[binding]] = number));

/** The visibility by the low bits of st_other. */
export const VISIBILITIES = new Uint8Array(4);
columns.SYMBOL_VISIBILITIES.forEach((visibility, number) => (VISIBILITIES[VISIBILITY_FIELDS[visibility]] = number));

/** IPBP1002 for the binding of the symbol at this row. */
export function unknownBinding(entries: ByteReader, info: number, row: number): never {
  const actual = `${(info >>> 4) & 0xf}`;
  return entries.malformed('a symbol has an unknown binding', { actual }, row * elf.SYM_SIZE);
}

/**
 * The section that st_shndx says, or one of the SECTION_ numbers; `extended` has the indexes that do not fit there.
 * IPBP1002 for one of no section; `count` is null where any will do.
 */
export function sectionOf(
  entries: ByteReader,
  extended: ByteReader | null,
  count: number | null,
  shndx: number,
  row: number,
): number {
  if (shndx === elf.SHN_UNDEF) return columns.SECTION_UNDEFINED;
  const section = shndx < elf.SHN_LORESERVE ? shndx : reserved(entries, extended, shndx, row);
  if (count !== null && section >= count) {
    const actual = `${section} of ${count}`;
    entries.malformed('a symbol is in a section that does not exist', { actual }, row * elf.SYM_SIZE);
  }
  return section;
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
