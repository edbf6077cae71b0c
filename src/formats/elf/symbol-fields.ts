// What the model calls a symbol's kind, binding and visibility, as the fields of a symbol table hold them (gABI "Symbol
// Table"). For who writes tables; readers are symbols.ts and columns.ts.
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
};
/** st_other. */
export const VISIBILITY_FIELDS: Readonly<Record<Visibility, number>> = {
  default: elf.STV_DEFAULT,
  internal: elf.STV_INTERNAL,
  hidden: elf.STV_HIDDEN,
  protected: elf.STV_PROTECTED,
};
