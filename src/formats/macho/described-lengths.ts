// How many bytes of code the unwind records of a relocatable file describe: its __compact_unwind (Apple's
// compact_unwind_encoding.h: entries of function, length, encoding, personality and LSDA) and its __eh_frame.
import { splitEhFrame } from '../dwarf/eh-frame.js';
import type { MachoSection } from './header.js';
import { locate, type FoldedRelocations, type RelocationFile } from './relocations.js';
import { sectionKind } from './section-kinds.js';

const ENTRY_SIZE = 32;
const LENGTH_FIELD = 8;

/** Address in the file → length. `relocationsOf` gives a section's folded relocations. IPBP1001 and IPBP1002 as those. */
export function describedLengths(
  parts: RelocationFile,
  relocationsOf: (section: MachoSection) => FoldedRelocations,
): ReadonlyMap<number, number> {
  const lengths = new Map<number, number>();
  for (const section of parts.headers.sections) {
    const kind = sectionKind(section);
    if (kind === 'unwind') addFrames(parts, section, relocationsOf(section), lengths);
    if (kind !== 'unwind-table') continue;
    const content = parts.file.window(section.offset, section.size);
    const { count, offset, symbol, addend } = relocationsOf(section);
    for (let row = 0; row < count; row++) {
      const at = offset[row] as number;
      if (at % ENTRY_SIZE !== 0 || at + ENTRY_SIZE > section.size) continue;
      add(parts, lengths, symbol[row] as number, addend[row] as number, content.seek(at + LENGTH_FIELD).u32());
    }
  }
  return lengths;
}

/** The function's field in a frame record is the distance to it from the field: symbol and addend say where it is. */
function addFrames(
  parts: RelocationFile,
  section: MachoSection,
  { count, offset, symbol, addend }: FoldedRelocations,
  lengths: Map<number, number>,
): void {
  const content = parts.file.window(section.offset, section.size);
  const { fdes } = splitEhFrame(content.bytes, [], `${parts.file.name}: ${section.segment},${section.name}`);
  let row = 0;
  for (const { pcBegin, pcRange } of fdes) {
    while (row < count && (offset[row] as number) < pcBegin.offset) row++;
    if (row === count || offset[row] !== pcBegin.offset) continue;
    add(parts, lengths, symbol[row] as number, addend[row] as number, pcRange);
  }
}

function add(
  parts: RelocationFile,
  lengths: Map<number, number>,
  symbol: number,
  addend: number,
  length: number,
): void {
  const found = locate(parts, symbol);
  if (found === null) return;
  const { pieces, headers } = parts;
  const address = headers.sections[pieces.section[found.piece] as number]?.address ?? 0;
  lengths.set(address + (pieces.start[found.piece] as number) + found.offset + addend, length);
}
