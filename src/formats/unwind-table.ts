// The rows of a compact unwind table as compilers write it into objects: one for each piece of code. What a row's encoding
// means is not looked at, and the paged table that a linker makes of the rows is not read here.
// Apple, mach-o/compact_unwind_encoding.h, "A compiler can generate compact unwind information …" (__LD,__compact_unwind).
import { LIMITS } from '../bytes/limits.js';
import { ByteReader } from '../bytes/reader.js';
import type { Relocation } from './object-file.js';

/** Start of the code, length, encoding, personality, LSDA. */
const ROW_SIZE = 32;
const LENGTH_AT = 8;
const ENCODING_AT = 12;
const PERSONALITY_AT = 16;
const LSDA_AT = 24;

/** One row. What it refers to are relocations of the section, as its bytes hold nothing of their own. */
export interface UnwindTableRow {
  /** In the section. */
  readonly offset: number;
  readonly start: Relocation;
  /** Bytes of code. */
  readonly length: number;
  readonly encoding: number;
  readonly personality: Relocation | null;
  readonly lsda: Relocation | null;
}

/**
 * Splits the bytes of such a section. `relocations` are its own; `where` names file and section in messages.
 * Throws IPBP1002 for a size that is no whole number of rows, for a row without code and for a relocation that is none of
 * a row's fields.
 */
export function splitUnwindTable(
  bytes: Uint8Array,
  relocations: readonly Relocation[],
  where: string,
): readonly UnwindTableRow[] {
  const reader: ByteReader = new ByteReader(bytes, where);
  const count = bytes.length / ROW_SIZE;
  if (!Number.isInteger(count)) {
    reader.malformed('a compact unwind table ends inside of a row', {
      expected: `a multiple of ${ROW_SIZE} bytes`,
      actual: `${bytes.length}`,
    });
  }
  if (count > LIMITS.unwindRecords) reader.malformed('too many unwind records', {}, 0);
  const fields = new Map<number, Relocation>();
  for (const relocation of relocations) {
    const field = relocation.offset % ROW_SIZE;
    const isField = field === 0 || field === PERSONALITY_AT || field === LSDA_AT;
    if (!isField || relocation.offset >= bytes.length || fields.has(relocation.offset)) {
      reader.malformed('a relocation of a compact unwind table is no field of a row', {}, relocation.offset);
    }
    fields.set(relocation.offset, relocation);
  }
  return Array.from({ length: count }, (_, row): UnwindTableRow => {
    const offset = row * ROW_SIZE;
    const start = fields.get(offset);
    if (start === undefined) return reader.malformed('a row of a compact unwind table describes no code', {}, offset);
    return {
      offset,
      start,
      length: reader.seek(offset + LENGTH_AT).u32(),
      encoding: reader.seek(offset + ENCODING_AT).u32(),
      personality: fields.get(offset + PERSONALITY_AT) ?? null,
      lsda: fields.get(offset + LSDA_AT) ?? null,
    };
  });
}
