// How large symbols are. Mach-O does not say it: functions are as long as their unwind records say, else symbols reach to
// the next one or to the end of their section, without the padding where it can be told from code.
import { KIND_FUNCTION, KIND_SECTION, type SymbolColumns } from '../columns.js';
import type { LengthAt } from './described-lengths.js';
import type { MachoHeaders } from './header.js';
import { isTemporary, type NlistTable } from './symbol-table.js';
import type { Pieces } from './subsections.js';

/** What sizes are found in. */
export interface Measured {
  readonly headers: MachoHeaders;
  readonly table: NlistTable;
  readonly pieces: Pieces;
  readonly lengthAt: LengthAt;
  /** The bytes [start, end) of a section of the file. */
  contentOf(section: number, start: number, end: number): Uint8Array;
}

/** Fills in the sizes of a relocatable file's symbols, where their places are known. */
export function measureSymbols(measured: Measured, symbols: SymbolColumns): void {
  const { pieces, table, headers, lengthAt } = measured;
  const { section, value, size, kind } = symbols;
  const several = inPiecesOfSeveral(measured, symbols);
  // The end of each is the start of the next that stands elsewhere.
  for (let at = several.length - 1; at >= 0; at--) {
    const symbol = several[at] as number;
    const next = several[at + 1];
    const piece = section[symbol] as number;
    if (next === undefined || section[next] !== piece) size[symbol] = (pieces.size[piece] as number) - valueOf(symbol);
    else if (value[next] === value[symbol]) size[symbol] = size[next] as number;
    else size[symbol] = valueOf(next) - valueOf(symbol);
  }
  for (let symbol = 1; symbol <= table.rows.length; symbol++) {
    if (kind[symbol] !== KIND_FUNCTION) continue;
    const piece = section[symbol] as number;
    const number = pieces.section[piece] as number;
    const start = (pieces.start[piece] as number) + valueOf(symbol);
    const length = lengthAt((headers.sections[number]?.address ?? 0) + start);
    const most = size[symbol] as number;
    size[symbol] =
      length !== undefined && length <= most
        ? length
        : withoutPadding(measured.contentOf(number, start, start + most), headers.machine);
  }

  function valueOf(symbol: number): number {
    return value[symbol] as number;
  }
}

/**
 * Sizes the symbols that are alone in their piece, as most are, and gives the others by rising place. Those of the
 * assembler have no size.
 */
function inPiecesOfSeveral({ pieces, table }: Measured, { section, value, size, kind }: SymbolColumns): number[] {
  const counts = new Uint32Array(pieces.count);
  const placed: number[] = [];
  table.rows.forEach((row, index) => {
    const piece = section[index + 1] as number;
    if (piece < 0 || kind[index + 1] === KIND_SECTION || isTemporary(table, row)) return;
    counts[piece] = (counts[piece] as number) + 1;
    placed.push(index + 1);
  });
  const several: number[] = [];
  for (const symbol of placed) {
    const piece = section[symbol] as number;
    if (counts[piece] === 1) size[symbol] = (pieces.size[piece] as number) - (value[symbol] as number);
    else several.push(symbol);
  }
  return several.sort(
    (a, b) => (section[a] as number) - (section[b] as number) || (value[a] as number) - (value[b] as number),
  );
}

/** What LLVM fills with between functions, by length; the longest that fits first. "Intel SDM" volume 2B, NOP. */
const X86_64_FILLS: readonly (readonly number[])[] = [
  [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x00],
  [0x66, 0x90],
  [0x90],
  [0xcc],
  [0x66],
];
/** JMP rel8. */
const SHORT_JUMP = 0xeb;
const ARM64_FILLS: readonly (readonly number[])[] = [
  [0x1f, 0x20, 0x03, 0xd5], // NOP
  [0x00, 0x00, 0x00, 0x00],
];

/** How many bytes are left when what fills up to the next function is taken off. */
function withoutPadding(code: Uint8Array, machine: MachoHeaders['machine']): number {
  const fills = machine === 'x86_64' ? X86_64_FILLS : ARM64_FILLS;
  let end = code.length;
  for (;;) {
    const fill = fills.find((bytes) => endsWith(code, end, bytes));
    if (fill === undefined) return end;
    end -= fill.length;
  }
}

/** A function is not all padding; and what stands behind the code of a short jump is its distance (`eb 90`). */
function endsWith(code: Uint8Array, end: number, bytes: readonly number[]): boolean {
  const start = end - bytes.length;
  if (start <= 0 || (bytes.length === 1 && code[start - 1] === SHORT_JUMP)) return false;
  return bytes.every((byte, index) => code[start + index] === byte);
}
