// How many bytes of code the unwind records of a relocatable file describe: its __compact_unwind (Apple's
// compact_unwind_encoding.h: entries of function, length, encoding, personality and LSDA) and its __eh_frame.
import type { EhFrame } from '../dwarf/eh-frame.js';
import type { MachoSection } from './header.js';
import { ADDEND, FOLDED_ROW, OFFSET, SYMBOL } from './folded-relocations.js';
import { locate } from './relocations.js';
import type { FoldedRelocations } from './folded-relocations.js';
import type { RelocationFile } from './relocations.js';
import { sectionKind } from './section-kinds.js';

const ENTRY_SIZE = 32;
const LENGTH_FIELD = 8;

/** What unwind information of a file is read by. */
export interface UnwindParts {
  readonly parts: RelocationFile;
  readonly relocationsOf: (section: MachoSection) => FoldedRelocations;
  /** The frame records of a section of kind `unwind`. */
  readonly framesOf: (section: MachoSection) => EhFrame;
}

/** Bytes of code that begin at an address of the file, by what describes it; undefined where nothing does. */
export type LengthAt = (address: number) => number | undefined;

/**
 * The lengths, each table read when it is first needed: compilers that write short rows write one for each function, and
 * frame records, of which each costs more, for the same. IPBP1001 and IPBP1002 as the relocations.
 */
export function openLengths(unwind: UnwindParts): LengthAt {
  let rows: ReadonlyMap<number, number> | null = null;
  let frames: ReadonlyMap<number, number> | null = null;
  return (address) =>
    (rows ??= lengthsByRows(unwind)).get(address) ?? (frames ??= lengthsByFrames(unwind)).get(address);
}

function lengthsByRows({ parts, relocationsOf }: UnwindParts): ReadonlyMap<number, number> {
  const lengths = new Map<number, number>();
  for (const section of parts.headers.sections) {
    if (sectionKind(section) !== 'unwind-table') continue;
    const { bytes } = parts.file.window(section.offset, section.size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { count, rows } = relocationsOf(section);
    for (let row = 0; row < count * FOLDED_ROW; row += FOLDED_ROW) {
      const at = rows[row + OFFSET] as number;
      if (at % ENTRY_SIZE !== 0 || at + ENTRY_SIZE > bytes.length) continue;
      add(parts, lengths, rows, row, view.getUint32(at + LENGTH_FIELD, true));
    }
  }
  return lengths;
}

function lengthsByFrames({ parts, relocationsOf, framesOf }: UnwindParts): ReadonlyMap<number, number> {
  const lengths = new Map<number, number>();
  for (const section of parts.headers.sections) {
    if (sectionKind(section) === 'unwind') addFrames(parts, framesOf(section), relocationsOf(section), lengths);
  }
  return lengths;
}

/** The function's field in a frame record is the distance to it from the field: symbol and addend say where it is. */
function addFrames(
  parts: RelocationFile,
  { fdes }: EhFrame,
  { count, rows }: FoldedRelocations,
  lengths: Map<number, number>,
): void {
  let row = 0;
  for (const { pcBegin, pcRange } of fdes) {
    while (row < count * FOLDED_ROW && (rows[row + OFFSET] as number) < pcBegin.offset) row += FOLDED_ROW;
    if (row < count * FOLDED_ROW && rows[row + OFFSET] === pcBegin.offset) add(parts, lengths, rows, row, pcRange);
  }
}

/** Notes the length of what a relocation refers to. */
function add(
  parts: RelocationFile,
  lengths: Map<number, number>,
  rows: Float64Array,
  row: number,
  length: number,
): void {
  const found = locate(parts, rows[row + SYMBOL] as number);
  if (found === null) return;
  const { pieces, headers } = parts;
  const address = headers.sections[pieces.section[found.piece] as number]?.address ?? 0;
  lengths.set(address + (pieces.start[found.piece] as number) + found.offset + (rows[row + ADDEND] as number), length);
}
