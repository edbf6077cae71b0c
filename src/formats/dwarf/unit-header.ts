// The head of a unit in .debug_info (DWARF 4 and 5 §7.5.1): how it is encoded, where its abbreviations are, where its
// entries begin and end. What the entries say is not here.
import type { ByteReader } from '../../bytes/reader.js';
import { IpbpError } from '../../codes/error.js';
import * as dw from './constants.js';
import type { FormContext } from './forms.js';

/** One unit; offsets in the section. */
export interface UnitHeader extends FormContext {
  /** DW_UT_*; 0 in DWARF 4, which has no kinds. */
  readonly kind: number;
  /** Of its table in the section of abbreviations. */
  readonly abbreviations: number;
  /** Where the number stands that skeleton and split unit have in common; null in DWARF 4, where it is an attribute. */
  readonly splitId: number | null;
  readonly entries: number;
  readonly end: number;
}

/**
 * Reads the header that stands at `start`. 32-bit DWARF.
 * @throws IpbpError IPBP1001 and IPBP1002 when it is broken, IPBP1003 for 64-bit DWARF and versions other than 4 and 5
 */
export function readUnitHeader(reader: ByteReader, start: number): UnitHeader {
  reader.seek(start);
  const length = reader.u32();
  if (length >= 0xffff_fff0) throw unsupported(reader, '64-bit DWARF', start);
  reader.need(length);
  const end = reader.position + length;
  const version = reader.u16();
  if (version !== 4 && version !== 5) throw unsupported(reader, `DWARF ${version}`, start);
  const kind = version === 5 ? reader.u8() : 0;
  let addressSize = version === 5 ? reader.u8() : 0;
  const abbreviations = reader.u32();
  if (version === 4) addressSize = reader.u8();
  const split = kind === dw.DW_UT_skeleton || kind === dw.DW_UT_split_compile;
  const splitId = split ? reader.position : null;
  if (split) reader.skip(8);
  if (kind === dw.DW_UT_type || kind === dw.DW_UT_split_type) reader.skip(12);
  if (addressSize < 1 || addressSize > 8) {
    reader.malformed('a unit has an impossible address size', { actual: `${addressSize}` }, start);
  }
  const entries = reader.position;
  if (entries > end) reader.malformed('a unit is shorter than its header', {}, start);
  return { version, kind, addressSize, abbreviations, splitId, unitStart: start, entries, end };
}

function unsupported(reader: ByteReader, actual: string, position: number): IpbpError {
  return new IpbpError('IPBP1003', 'these type descriptions cannot be read yet', {
    expected: '32-bit DWARF 4 or 5',
    actual,
    where: reader.where(position),
  });
}
