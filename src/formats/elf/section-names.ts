// Names of sections: compared where they lie, decoded only for who wants to read them. Compilers give every function a
// section, so that there are as many names as symbols, of which all that a link asks is how they begin.
import type { ByteReader } from '../../bytes/reader.js';
import { openStringTable } from './string-table.js';

/** The names of a file's sections, by section index. Offsets outside the table count as an empty name until it is read. */
export interface SectionNames {
  /** The name. IPBP1001 or IPBP1002 as `openStringTable`. */
  text(index: number): string;
  begins(index: number, text: string): boolean;
  /** The code of the letter behind the dot that names begin with; tells most of them apart. */
  letter(index: number): number;
  is(index: number, text: string): boolean;
  /** The name itself or more behind a dot: `.ctors` and `.ctors.65535`, but not `.ctors_of_something`. */
  inFamily(index: number, family: string): boolean;
}

const DOT = 0x2e;

/** Opens the names at these offsets of a string table; null for a file that has none. */
export function openSectionNames(table: ByteReader | null, offsets: Uint32Array): SectionNames {
  const bytes = table?.bytes ?? new Uint8Array(0);
  const textOf = table === null ? () => '' : openStringTable(table);
  const texts = new Map<number, string>();
  const begins = (index: number, text: string): boolean => {
    const start = offsets[index] as number;
    for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
    return true;
  };
  const behind = (index: number, text: string): number => bytes[(offsets[index] as number) + text.length] ?? 0;
  return {
    text(index) {
      let text = texts.get(index);
      if (text === undefined) texts.set(index, (text = textOf(offsets[index] ?? 0)));
      return text;
    },
    begins,
    letter: (index) => bytes[(offsets[index] as number) + 1] ?? 0,
    is: (index, text) => begins(index, text) && behind(index, text) === 0,
    inFamily(index, family) {
      if (!begins(index, family)) return false;
      const next = behind(index, family);
      return next === 0 || next === DOT;
    },
  };
}
