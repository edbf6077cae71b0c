// Encoded pointers of exception tables (LSB Core 5.0 §10.5.1 "DWARF Exception Header Encoding"): one byte says how a
// pointer is stored (low four bits), what it is relative to (next three) and whether it is indirect (the top bit).
import type { ByteReader } from '../../bytes/reader.js';
import { IpbpError, hex } from '../../codes/error.js';

export const DW_EH_PE_omit = 0xff;
export const DW_EH_PE_absptr = 0x00;
export const DW_EH_PE_uleb128 = 0x01;
export const DW_EH_PE_udata2 = 0x02;
export const DW_EH_PE_udata4 = 0x03;
export const DW_EH_PE_udata8 = 0x04;
export const DW_EH_PE_sleb128 = 0x09;
export const DW_EH_PE_sdata2 = 0x0a;
export const DW_EH_PE_sdata4 = 0x0b;
export const DW_EH_PE_sdata8 = 0x0c;
export const DW_EH_PE_pcrel = 0x10;

/** Reads a pointer's stored value, signed or not as its encoding says. IPBP1002 for an encoding that does not exist. */
export function readEncoded(reader: ByteReader, encoding: number): number {
  switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
      // Signed too: an object without its relocations applied may hold −4 here.
      return reader.i64();
    case DW_EH_PE_uleb128:
      return reader.uleb();
    case DW_EH_PE_udata2:
      return reader.u16();
    case DW_EH_PE_udata4:
      return reader.u32();
    case DW_EH_PE_sleb128:
      return reader.sleb();
    case DW_EH_PE_sdata2:
      return reader.i16();
    case DW_EH_PE_sdata4:
      return reader.i32();
    case DW_EH_PE_sdata8:
      return reader.i64();
    default:
      return reader.malformed('an exception table has an unknown pointer encoding', { actual: hex(encoding) });
  }
}

/**
 * Reads a pointer of a loaded table and makes it an address; `fieldAddress` is where the field itself is loaded.
 * IPBP1003 for bases other than absolute and pcrel. The indirect bit is the caller's: the result is then where the
 * address stands.
 */
export function readEncodedAddress(reader: ByteReader, encoding: number, fieldAddress: number): number {
  const where = reader.where();
  const value = readEncoded(reader, encoding);
  switch (encoding & 0x70) {
    case DW_EH_PE_absptr:
      return value;
    case DW_EH_PE_pcrel:
      return fieldAddress + value;
    default:
      throw new IpbpError('IPBP1003', 'this pointer encoding of an exception table is not supported', {
        expected: 'absptr or pcrel',
        actual: hex(encoding),
        where,
      });
  }
}
