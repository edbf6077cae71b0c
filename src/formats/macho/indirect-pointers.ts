// Sections of pointers to symbols (S_NON_LAZY_SYMBOL_POINTERS, S_LAZY_SYMBOL_POINTERS) in relocatable files: which symbol
// a pointer stands for is not said by a relocation but by the indirect symbols of LC_DYSYMTAB, one for each from the number
// on that the section names. The model has a relocation for each. Apple's <mach-o/loader.h>.
import { indirectSymbolsOf } from './commands.js';
import * as macho from './constants.js';
import type { MachoSection } from './header.js';
import { foldedRow, joined, offsetsOf } from './folded-relocations.js';
import type { FoldedRelocations } from './folded-relocations.js';
import type { RelocationFile } from './relocations.js';
import * as types from './relocation-types.js';

const POINTER_SIZE = 8;
/** INDIRECT_SYMBOL_ABS and INDIRECT_SYMBOL_LOCAL: such a pointer is what stands there, or has a relocation. */
const NO_SYMBOL = 0x4000_0000;

/** Is it a section of such pointers? */
export function holdsIndirectPointers({ type }: MachoSection): boolean {
  return type === macho.S_NON_LAZY_SYMBOL_POINTERS || type === macho.S_LAZY_SYMBOL_POINTERS;
}

/** `folded` with a relocation for each pointer without one. IPBP1002 where there is no such symbol. */
export function withIndirectPointers(
  parts: RelocationFile,
  section: MachoSection,
  folded: FoldedRelocations,
): FoldedRelocations {
  const { file, headers, table } = parts;
  const indirect = indirectSymbolsOf(file, headers);
  const known = offsetsOf(folded);
  const made: number[] = [];
  const count = Math.floor(section.size / POINTER_SIZE);
  if (section.reserved1 + count > indirect.length) {
    const actual = `${section.reserved1 + count} of ${indirect.length}`;
    file.malformed('a section of pointers has too few indirect symbols', { actual }, section.offset);
  }
  for (let index = 0; index < count; index++) {
    const offset = index * POINTER_SIZE;
    const entry = indirect[section.reserved1 + index] as number;
    if (known.has(offset) || entry >= NO_SYMBOL) continue;
    const symbol = table.symbolOf[entry] ?? 0;
    if (symbol === 0) {
      const actual = `${entry} of ${table.count}`;
      file.malformed('a pointer has an unknown symbol', { actual }, section.offset + offset);
    }
    made.push(
      ...foldedRow(offset, types.relocationType(types.X86_64_RELOC_UNSIGNED, false, types.LENGTH_8), symbol, 0),
    );
  }
  return joined(made, folded);
}
