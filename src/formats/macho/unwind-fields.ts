// The fields of a relocatable file's __eh_frame that have no relocation: producers for x86-64 leave the distances from
// records to functions and to their tables as they are, since linkers take the section apart. The model has a relocation
// for each, as ELF has. LSB Core 5.0 §10.6.1; Apple's compact_unwind_encoding.h on how they stand beside __compact_unwind.
import type { EhFrame } from '../dwarf/eh-frame.js';
import { DW_EH_PE_pcrel, readEncoded } from '../dwarf/pointer-encoding.js';
import { hex } from '../../codes/error.js';
import type { MachoSection } from './header.js';
import * as types from './relocation-types.js';
import { openSectionsByAddress } from './sections-by-address.js';
import { foldedRow, joined, offsetsOf, type FoldedRelocations } from './folded-relocations.js';
import { referentAt, type RelocationFile } from './relocations.js';

const LENGTHS: ReadonlyMap<number, number> = new Map([
  [4, types.LENGTH_4],
  [8, types.LENGTH_8],
]);

/** `folded` with what is missing there; `frames` are the section's records. IPBP1002 for one that describes nothing. */
export function withUnwindFields(
  parts: RelocationFile,
  section: MachoSection,
  { cies, fdes }: EhFrame,
  folded: FoldedRelocations,
): FoldedRelocations {
  const { file, headers } = parts;
  const reader = file.window(section.offset, section.size);
  const known = offsetsOf(folded);
  const x86 = headers.machine === 'x86_64';
  const subtractor = x86 ? types.X86_64_RELOC_SUBTRACTOR : types.ARM64_RELOC_SUBTRACTOR;
  const sectionAt = openSectionsByAddress(headers.sections);
  const made: number[] = [];
  const look = (offset: number, encoding: number): void => {
    // Absolute without a relocation, it would mean nothing; omitted, it is 0xff.
    if ((encoding & 0xf0) !== DW_EH_PE_pcrel || known.has(offset)) return;
    const distance = readEncoded(reader.seek(offset), encoding);
    const length = LENGTHS.get(reader.position - offset);
    if (distance === 0 || length === undefined) return;
    const target = section.address + offset + distance;
    const into = sectionAt(target);
    if (into === null) {
      return reader.malformed('an unwind record describes nothing in the file', { actual: hex(target) }, offset);
    }
    const { symbol, offset: addend } = referentAt(parts, into.index, target - into.address);
    const type = types.relocationType(subtractor, false, length) + types.MINUS_PLACE;
    made.push(...foldedRow(offset, type, symbol, addend));
  };
  for (const { pcBegin, lsda, cie } of fdes) {
    const common = cies[cie];
    if (common === undefined) continue;
    look(pcBegin.offset, common.fdeEncoding);
    if (lsda !== null) look(lsda.offset, common.lsdaEncoding);
  }
  return joined(made, folded);
}
