// Counts symbols in the table as it lies in the file: a program's start needs to know how many functions there are, not
// which, and names of 100,000 symbols take a tenth of a second.
import type { Windows } from '../../bytes/source.js';
import { encodeText } from '../../bytes/text.js';
import * as macho from './constants.js';
import type { MachoHeaders } from './header.js';
import { fileName } from './names.js';
import { sectionKind } from './section-kinds.js';
import { isTemporaryAt } from './symbol-table.js';

/** Functions that are defined in code. Of objects, not what the assembler made (`ltmp0`). */
export function countFunctions(file: Windows, headers: MachoHeaders): number {
  const { sections, symbolTable } = headers;
  const code = sections.map((section) => sectionKind(section) === 'code');
  const strings =
    symbolTable === null || headers.type !== macho.MH_OBJECT
      ? null
      : file.window(symbolTable.stringsOffset, symbolTable.stringsSize).bytes;
  return count(file, headers, (view, at) => {
    const type = view.getUint8(at + 4);
    if ((type & (macho.N_STAB | macho.N_TYPE)) !== macho.N_SECT) return false;
    const section = sections[view.getUint8(at + 5) - 1];
    if (section === undefined || code[section.index] !== true) return false;
    const high = view.getUint32(at + 12, true);
    const address = high * 0x1_0000_0000 + view.getUint32(at + 8, true);
    if (address < section.address || address > section.address + section.size) return false;
    return strings === null || !isTemporaryAt(strings, view.getUint32(at, true));
  });
}

/** Symbols that have one of these names, as the model has them. */
export function countNamed(file: Windows, headers: MachoHeaders, names: readonly string[]): number {
  const { symbolTable } = headers;
  if (symbolTable === null) return 0;
  const wanted = names.map((name) => encodeText(`${fileName(name)}\0`));
  const { bytes } = file.window(symbolTable.stringsOffset, symbolTable.stringsSize);
  return count(file, headers, (view, at) => {
    if ((view.getUint8(at + 4) & macho.N_STAB) !== 0) return false;
    const name = view.getUint32(at, true);
    for (const letters of wanted) if (startsAt(bytes, name, letters)) return true;
    return false;
  });
}

/** Almost always false at the second letter. */
function startsAt(bytes: Uint8Array, offset: number, letters: Uint8Array): boolean {
  for (let index = 0; index < letters.length; index++) if (bytes[offset + index] !== letters[index]) return false;
  return true;
}

function count(file: Windows, { symbolTable }: MachoHeaders, counts: (view: DataView, at: number) => boolean): number {
  if (symbolTable === null) return 0;
  const { bytes } = file.window(symbolTable.offset, symbolTable.count * macho.NLIST_64_SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let found = 0;
  for (let at = 0; at + macho.NLIST_64_SIZE <= bytes.length; at += macho.NLIST_64_SIZE) if (counts(view, at)) found++;
  return found;
}
