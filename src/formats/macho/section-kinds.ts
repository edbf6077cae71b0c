// What a section of a Mach-O file is for, by its type, its attributes and its name (Apple's <mach-o/loader.h>), what the
// model calls it, and how a relocatable one is cut where its content says so.
import type { SectionKind } from '../object-file.js';
import * as macho from './constants.js';
import { isZeroFill, type MachoSection } from './header.js';

/** How a relocatable section is cut: at its symbols, behind every NUL, into entries of a size, or not at all. */
export type Cut = 'symbols' | 'strings' | 'whole' | number;

/** A model section's name: `__TEXT,__text`; of debug information what the DWARF standard calls it: `.debug_info`. */
export function sectionName({ segment, name, attributes }: MachoSection): string {
  if (!isDebug(segment, attributes) || !name.startsWith('__debug_')) return `${segment},${name}`;
  // Names have 16 letters at most.
  return name === '__debug_str_offs' ? '.debug_str_offsets' : `.${name.slice(2)}`;
}

function isDebug(segment: string, attributes: number): boolean {
  return (attributes & macho.S_ATTR_DEBUG) !== 0 || segment === '__DWARF';
}

/** What the model calls it. */
export function sectionKind({ segment, name, type, attributes }: MachoSection): SectionKind {
  // Its own attribute says that it is for debuggers.
  if (name === '__compact_unwind' && segment === '__LD') return 'unwind-table';
  if (isDebug(segment, attributes)) return 'debug';
  if (segment === '__LD' || segment === '__LLVM' || segment === '__LINKEDIT') return 'other';
  if (segment === '__TEXT' && name === '__unwind_info') return 'unwind-table';
  if (segment === '__TEXT' && name === '__eh_frame') return 'unwind';
  if (name === '__gcc_except_tab' || name === '__gcc_except_tab__TEXT') return 'lsda';
  switch (type) {
    case macho.S_THREAD_LOCAL_REGULAR:
      return 'tls-data';
    case macho.S_THREAD_LOCAL_ZEROFILL:
      return 'tls-zero';
    case macho.S_THREAD_LOCAL_VARIABLES:
      return 'tls-descriptors';
    case macho.S_MOD_INIT_FUNC_POINTERS:
    case macho.S_INIT_FUNC_OFFSETS:
    case macho.S_THREAD_LOCAL_INIT_FUNCTION_POINTERS:
      return 'init';
    case macho.S_MOD_TERM_FUNC_POINTERS:
      return 'fini';
    default:
  }
  if (isZeroFill(type)) return 'zero';
  if (isCode(attributes)) return 'code';
  if (segment === '__TEXT') return 'readonly';
  return segment === '__DATA_CONST' || (segment === '__DATA' && name === '__const') ? 'relro' : 'data';
}

/** Made of instructions, or with some among its data. */
export function isCode(attributes: number): boolean {
  return (attributes & (macho.S_ATTR_PURE_INSTRUCTIONS | macho.S_ATTR_SOME_INSTRUCTIONS)) !== 0;
}

/** Where the content says how the section is cut it is, also in files whose symbols say nothing. */
export function cutOf(section: MachoSection, viaSymbols: boolean): Cut {
  const kind = sectionKind(section);
  if (kind === 'debug' || kind === 'unwind' || kind === 'unwind-table' || kind === 'other') return 'whole';
  return section.type === macho.S_CSTRING_LITERALS
    ? 'strings'
    : (entrySize(section) ?? (viaSymbols ? 'symbols' : 'whole'));
}

/** Bytes of one entry, where all are of one size and each stands for itself; else null. */
export function entrySize({ type, segment, name }: MachoSection): number | null {
  switch (type) {
    case macho.S_4BYTE_LITERALS:
      return 4;
    case macho.S_8BYTE_LITERALS:
    case macho.S_LITERAL_POINTERS:
    case macho.S_NON_LAZY_SYMBOL_POINTERS:
    case macho.S_LAZY_SYMBOL_POINTERS:
    case macho.S_MOD_INIT_FUNC_POINTERS:
    case macho.S_MOD_TERM_FUNC_POINTERS:
    case macho.S_THREAD_LOCAL_INIT_FUNCTION_POINTERS:
      return 8;
    case macho.S_16BYTE_LITERALS:
      return 16;
    case macho.S_INIT_FUNC_OFFSETS:
      return 4;
    default:
  }
  if (!segment.startsWith('__DATA')) return null;
  if (name === '__cfstring') return 32;
  return /^__objc_(?:class|sel|super|proto)refs$/.test(name) ? 8 : null;
}

/** Equal entries may share one address. */
export function isLiteral(type: number): boolean {
  return (
    type === macho.S_CSTRING_LITERALS ||
    type === macho.S_4BYTE_LITERALS ||
    type === macho.S_8BYTE_LITERALS ||
    type === macho.S_16BYTE_LITERALS
  );
}
