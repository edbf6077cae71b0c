// The fields of a relocatable file's __eh_frame that have no relocation: producers for x86-64 leave the distances from
// records to functions and to their tables as they are, since linkers take the section apart. The model has a relocation
// for each, as ELF has. LSB Core 5.0 §10.6.1; Apple's compact_unwind_encoding.h on how they stand beside __compact_unwind.
import { splitEhFrame } from '../dwarf/eh-frame.js';
import { DW_EH_PE_pcrel, readEncoded } from '../dwarf/pointer-encoding.js';
import { hex } from '../../codes/error.js';
import type { MachoSection } from './header.js';
import * as types from './relocation-types.js';
import { openSectionsByAddress } from './sections-by-address.js';
import { createFolded, referentAt, type FoldedRelocations, type RelocationFile } from './relocations.js';

const LENGTHS: ReadonlyMap<number, number> = new Map([
  [4, types.LENGTH_4],
  [8, types.LENGTH_8],
]);

interface Found {
  readonly offset: number;
  readonly length: number;
  readonly target: number;
}

/** `folded` with what is missing there. IPBP1001 and IPBP1002 for broken records. */
export function withUnwindFields(
  parts: RelocationFile,
  section: MachoSection,
  folded: FoldedRelocations,
): FoldedRelocations {
  const { file, headers } = parts;
  const reader = file.window(section.offset, section.size);
  const { cies, fdes } = splitEhFrame(reader.bytes, [], `${file.name}: ${section.segment},${section.name}`);
  const known = new Set(folded.offset);
  const found: Found[] = [];
  const look = (offset: number, encoding: number): void => {
    // Absolute without a relocation, it would mean nothing; omitted, it is 0xff.
    if (known.has(offset) || (encoding & 0xf0) !== DW_EH_PE_pcrel) return;
    const distance = readEncoded(reader.seek(offset), encoding);
    const length = LENGTHS.get(reader.position - offset);
    if (distance === 0 || length === undefined) return;
    found.push({ offset, length, target: section.address + offset + distance });
  };
  for (const { pcBegin, lsda, cie } of fdes) {
    const common = cies[cie];
    if (common === undefined) continue;
    look(pcBegin.offset, common.fdeEncoding);
    if (lsda !== null) look(lsda.offset, common.lsdaEncoding);
  }
  if (found.length === 0) return folded;
  const x86 = headers.machine === 'x86_64';
  const sectionAt = openSectionsByAddress(headers.sections);
  const subtractor = x86 ? types.X86_64_RELOC_SUBTRACTOR : types.ARM64_RELOC_SUBTRACTOR;
  const made = found.map(({ offset, length, target }) => {
    const into = sectionAt(target);
    if (into === null) {
      return reader.malformed('an unwind record describes nothing in the file', { actual: hex(target) }, offset);
    }
    const { symbol, offset: addend } = referentAt(parts, into.index, target - into.address);
    return {
      offset,
      type: types.relocationType(subtractor, false, length) + types.MINUS_PLACE,
      symbol,
      addend,
      minus: 0,
    };
  });
  for (let row = 0; row < folded.count; row++) {
    made.push({
      offset: folded.offset[row] as number,
      type: folded.type[row] as number,
      symbol: folded.symbol[row] as number,
      addend: folded.addend[row] as number,
      minus: folded.minus[row] as number,
    });
  }
  const result = createFolded(made.length);
  made
    .sort((a, b) => a.offset - b.offset)
    .forEach(({ offset, type, symbol, addend, minus }, row) => {
      result.offset[row] = offset;
      result.type[row] = type;
      result.symbol[row] = symbol;
      result.addend[row] = addend;
      result.minus[row] = minus;
    });
  return result;
}
