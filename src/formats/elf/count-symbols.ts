// Counts symbols in the table as it lies in the file. Making 100,000 symbols with their names takes a tenth of a second;
// a program's start needs to know how many functions there are, not which.
import type { ByteReader } from '../../bytes/reader.js';
import { encodeText } from '../../bytes/text.js';
import * as elf from './constants.js';

/** Functions that are defined in one of these sections. */
export function countFunctions(table: ByteReader, inSection: (index: number) => boolean): number {
  return count(table, (view, at) => {
    const type = view.getUint8(at + 4) & 0xf;
    return (type === elf.STT_FUNC || type === elf.STT_GNU_IFUNC) && inSection(view.getUint16(at + 6, true));
  });
}

/** Symbols that have one of these names. `strings` is the table's string table. */
export function countNamed(table: ByteReader, strings: ByteReader, names: readonly string[]): number {
  const wanted = names.map((name) => encodeText(`${name}\0`));
  const { bytes } = strings;
  return count(table, (view, at) => {
    const name = view.getUint32(at, true);
    for (const letters of wanted) if (startsAt(bytes, name, letters)) return true;
    return false;
  });
}

/** Almost always false at the first letter. */
function startsAt(bytes: Uint8Array, offset: number, letters: Uint8Array): boolean {
  for (let index = 0; index < letters.length; index++) if (bytes[offset + index] !== letters[index]) return false;
  return true;
}

function count({ bytes }: ByteReader, counts: (view: DataView, at: number) => boolean): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let found = 0;
  for (let at = 0; at + elf.SYM_SIZE <= bytes.length; at += elf.SYM_SIZE) if (counts(view, at)) found++;
  return found;
}
