// The records of an .eh_frame as columns, for links: where each lies, to which CIE it belongs, which relocations are its
// own. What is in them eh-frame.ts reads. LSB Core 5.0 §10.6.1.
import { LIMITS } from '../../bytes/limits.js';
import { ByteReader } from '../../bytes/reader.js';
import { DW_EH_PE_pcrel, DW_EH_PE_sdata4, readEncodedAddress } from './pointer-encoding.js';

/** Columns with `count` rows, in the order of the section. */
export interface UnwindRecords {
  readonly count: number;
  readonly offset: Uint32Array;
  /** With the length field. */
  readonly size: Uint32Array;
  /** Row of its CIE; −1 for a CIE. */
  readonly cie: Int32Array;
  /** Row of the first relocation at or behind the record's start; `count + 1` rows, so that the next row is the end. */
  readonly firstRelocation: Uint32Array;
}

/**
 * Splits the bytes of a relocatable file's .eh_frame. `relocations` are the offsets of the section's
 * relocations, rising, and `firstRow` is the row of the first of them.
 * IPBP1001 and IPBP1002 as `splitEhFrame`; IPBP1002 too for records of 64-bit length, which no compiler writes.
 */
export function splitUnwindRecords(
  bytes: Uint8Array,
  relocations: ArrayLike<number>,
  firstRow: number,
  where: string,
): UnwindRecords {
  const reader: ByteReader = new ByteReader(bytes, where);
  // A record has four bytes of length and four of the CIE's distance at least.
  const most = Math.ceil(bytes.length / 8);
  if (most > LIMITS.unwindRecords) reader.malformed('too many unwind records', {}, 0);
  const offset = new Uint32Array(most);
  const size = new Uint32Array(most);
  const cie = new Int32Array(most);
  const firstRelocation = new Uint32Array(most + 1);
  const cies = new Map<number, number>();
  let count = 0;
  let next = 0;
  while (!reader.ended) {
    const start = reader.position;
    const length = reader.u32();
    if (length === 0) continue;
    if (length === 0xffff_ffff) reader.malformed('an unwind record of 64-bit length', { expected: '32-bit' }, start);
    if (length < 4) reader.malformed('an unwind record is too short', { actual: `${length} bytes` }, start);
    reader.need(length);
    const id = reader.u32();
    const row = count++;
    offset[row] = start;
    size[row] = length + 4;
    if (id === 0) {
      cies.set(start, row);
      cie[row] = -1;
    } else {
      const common = cies.get(start + 4 - id);
      if (common === undefined) {
        reader.malformed('an unwind record refers to no CIE', { actual: `${id} back` }, start + 4);
      }
      cie[row] = common;
    }
    while (next < relocations.length && (relocations[next] as number) < start) next++;
    firstRelocation[row] = firstRow + next;
    reader.seek(start + 4 + length);
  }
  firstRelocation[count] = firstRow + relocations.length;
  return {
    count,
    offset: offset.subarray(0, count),
    size: size.subarray(0, count),
    cie: cie.subarray(0, count),
    firstRelocation: firstRelocation.subarray(0, count + 1),
  };
}

const DISTANCE = DW_EH_PE_pcrel + DW_EH_PE_sdata4;

/**
 * Where the code starts that a linked FDE describes. `view` is one of `bytes`, a section that is loaded at `start`; the
 * field is at `at` of it, stored as `encoding` says. Nearly all are distances of four bytes.
 */
export function codeOfFde(bytes: Uint8Array, view: DataView, at: number, encoding: number, start: number): number {
  if (encoding === DISTANCE) return start + at + view.getInt32(at, true);
  return readEncodedAddress(new ByteReader(bytes, 'unwind records').seek(at), encoding, start + at);
}
