// What a section's header says of it: its type by what it holds. Apple's <mach-o/loader.h>, "Constants for the type of a
// section", "Constants for the section attributes".
import * as macho from '../formats/macho/constants.js';
import { INIT_OFFSETS } from './emit-dylib-initialisers.js';
import type { OutputSection } from './shared/output-section.js';

const CODE = macho.S_ATTR_PURE_INSTRUCTIONS + macho.S_ATTR_SOME_INSTRUCTIONS;
const LITERALS: ReadonlyMap<number, number> = new Map([
  [4, macho.S_4BYTE_LITERALS],
  [8, macho.S_8BYTE_LITERALS],
  [16, macho.S_16BYTE_LITERALS],
]);

/** Type and attributes. */
export function sectionFlags({ name, kind, mergeable, strings, entrySize }: OutputSection): number {
  if (name === '__TEXT,__stubs') return macho.S_SYMBOL_STUBS + CODE;
  if (name === '__DATA_CONST,__got') return macho.S_NON_LAZY_SYMBOL_POINTERS;
  if (name === INIT_OFFSETS) return macho.S_INIT_FUNC_OFFSETS;
  switch (kind) {
    case 'code':
      return CODE;
    case 'zero':
      return macho.S_ZEROFILL;
    case 'tls-data':
      return macho.S_THREAD_LOCAL_REGULAR;
    case 'tls-zero':
      return macho.S_THREAD_LOCAL_ZEROFILL;
    case 'tls-descriptors':
      return macho.S_THREAD_LOCAL_VARIABLES;
    case 'init':
      return macho.S_MOD_INIT_FUNC_POINTERS;
    case 'fini':
      return macho.S_MOD_TERM_FUNC_POINTERS;
    default:
      if (!mergeable) return 0;
      return strings ? macho.S_CSTRING_LITERALS : (LITERALS.get(entrySize) ?? 0);
  }
}
