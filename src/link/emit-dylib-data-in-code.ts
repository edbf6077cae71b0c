// LC_DATA_IN_CODE of a Mach-O library: which parts of its code are data (tables of jumps), as the objects say it.
// Apple's <mach-o/loader.h>, data_in_code_entry.
import { ByteWriter } from '../bytes/writer.js';
import { isMachoFile } from '../formats/macho/read.js';
import { pieceAt } from '../formats/macho/subsections.js';
import type { Link } from './shared/link-state.js';
import type { Values } from './shared/values.js';

/** The entries of all code that is kept, by rising place. */
export function encodeDataInCode(link: Link, values: Values): Uint8Array {
  const entries: { readonly offset: number; readonly size: number; readonly kind: number }[] = [];
  for (const { file, base } of link.files) {
    if (!isMachoFile(file)) continue;
    const { sections } = file.macho.headers;
    for (const { offset: address, size, kind } of file.macho.dataInCode()) {
      // In objects they count from where their sections' addresses do.
      const section = sections.find((one) => address >= one.address && address < one.address + one.size);
      if (section === undefined) continue;
      const pieces = file.macho.pieces();
      const piece = pieceAt(pieces, section.index, address - section.address);
      if (values.alive[base + piece] === 0) continue;
      const inPiece = address - section.address - (pieces.start[piece] as number);
      entries.push({ offset: (values.sectionAddress[base + piece] as number) + inPiece, size, kind });
    }
  }
  entries.sort((a, b) => a.offset - b.offset);
  const writer = new ByteWriter(entries.length * 8);
  for (const { offset, size, kind } of entries) writer.u32(offset).u16(size).u16(kind);
  return writer.finish();
}
