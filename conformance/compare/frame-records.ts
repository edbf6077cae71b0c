// The records of an .eh_frame section, as far as the comparison needs them (LSB 5.0, 10.6): which code each describes.
import { type ElfFile } from './elf-file.js';

/** A CIE or FDE. Offsets are in the file. */
export interface FrameRecord {
  readonly start: number;
  /** Of the whole record, its length field with it. */
  readonly size: number;
  /** The start of an FDE's CIE; null for a CIE. */
  readonly cie: number | null;
  /** Where the record's own text ends and pointers begin: after the CIE pointer. */
  readonly body: number;
}

/** The records between two offsets, up to the terminator; some inputs have one in their midst, which ends nothing there. */
export function frameRecords({ view }: ElfFile, start: number, end: number): FrameRecord[] {
  const records: FrameRecord[] = [];
  for (let at = start; at + 4 <= end;) {
    const length = view.getUint32(at, true);
    if (length === 0) {
      at += 4;
      continue;
    }
    const pointer = view.getUint32(at + 4, true);
    const cie = pointer === 0 ? null : at + 4 - pointer;
    records.push({ start: at, size: length + 4, cie, body: at + 8 });
    at += length + 4;
  }
  return records;
}

/** What a CIE says of its FDEs' pointers: 0xff where the letter is missing. */
export interface FrameEncoding {
  readonly code: number;
  readonly personality: number;
  readonly data: number;
}

/** Reads a CIE's augmentation. Throws on letters that the comparison does not know. */
export function frameEncoding({ bytes }: ElfFile, cie: number): FrameEncoding {
  let at = cie + 9;
  let letters = '';
  while (bytes[at] !== 0) letters += String.fromCharCode(bytes[at++]!);
  at++;
  const skip = (): void => {
    while (bytes[at++]! >= 0x80);
  };
  skip();
  skip();
  skip();
  let [code, personality, data] = [0, 0xff, 0xff];
  if (!letters.startsWith('z')) return { code, personality, data };
  skip();
  for (const letter of letters.slice(1)) {
    if (letter === 'R') code = bytes[at++]!;
    else if (letter === 'L') data = bytes[at++]!;
    else if (letter === 'P') {
      personality = bytes[at++]!;
      at += pointerSize(personality);
    } else if (letter !== 'S' && letter !== 'B') throw new Error(`letter ${letter} of an augmentation`);
  }
  return { code, personality, data };
}

/** The size of a pointer of an encoding: DW_EH_PE_absptr, udata4, udata8, sdata4, sdata8. */
export function pointerSize(encoding: number): 4 | 8 {
  const form = encoding % 16;
  return form === 3 || form === 11 ? 4 : 8;
}
