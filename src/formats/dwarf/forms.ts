// Attribute values (DWARF 5 §7.5.5 and §7.5.6): how many bytes each form takes, and what constants, references and
// strings mean. 32-bit DWARF only. Which attribute a value belongs to is for the walker.
import { IpbpError, hex } from '../../codes/error.js';
import type { ByteReader } from '../../bytes/reader.js';
import { skipLeb } from './abbrev.js';
import * as dw from './constants.js';

/** What the size or meaning of a form depends on. */
export interface FormContext {
  readonly version: number;
  readonly addressSize: number;
  /** Start of the unit in .debug_info: most references count from there. */
  readonly unitStart: number;
}

/** Moves behind a value. IPBP1003 for a form that does not exist. */
export function skipForm(reader: ByteReader, form: number, context: FormContext): void {
  switch (form) {
    case dw.DW_FORM_flag_present:
    case dw.DW_FORM_implicit_const:
      return;
    case dw.DW_FORM_data1:
    case dw.DW_FORM_flag:
    case dw.DW_FORM_ref1:
    case dw.DW_FORM_strx1:
    case dw.DW_FORM_addrx1:
      reader.skip(1);
      return;
    case dw.DW_FORM_data2:
    case dw.DW_FORM_ref2:
    case dw.DW_FORM_strx2:
    case dw.DW_FORM_addrx2:
      reader.skip(2);
      return;
    case dw.DW_FORM_strx3:
    case dw.DW_FORM_addrx3:
      reader.skip(3);
      return;
    case dw.DW_FORM_data4:
    case dw.DW_FORM_ref4:
    case dw.DW_FORM_strp:
    case dw.DW_FORM_line_strp:
    case dw.DW_FORM_sec_offset:
    case dw.DW_FORM_strx4:
    case dw.DW_FORM_addrx4:
    case dw.DW_FORM_ref_sup4:
    case dw.DW_FORM_strp_sup:
    case dw.DW_FORM_GNU_ref_alt:
    case dw.DW_FORM_GNU_strp_alt:
      reader.skip(4);
      return;
    case dw.DW_FORM_data8:
    case dw.DW_FORM_ref8:
    case dw.DW_FORM_ref_sig8:
    case dw.DW_FORM_ref_sup8:
      reader.skip(8);
      return;
    case dw.DW_FORM_data16:
      reader.skip(16);
      return;
    case dw.DW_FORM_addr:
      reader.skip(context.addressSize);
      return;
    case dw.DW_FORM_ref_addr:
      // DWARF 2 gave it the size of an address (DWARF 3 §7.5.4); those units are not read.
      reader.skip(4);
      return;
    case dw.DW_FORM_udata:
    case dw.DW_FORM_sdata:
    case dw.DW_FORM_ref_udata:
    case dw.DW_FORM_strx:
    case dw.DW_FORM_addrx:
    case dw.DW_FORM_loclistx:
    case dw.DW_FORM_rnglistx:
    case dw.DW_FORM_GNU_addr_index:
    case dw.DW_FORM_GNU_str_index:
      skipLeb(reader);
      return;
    case dw.DW_FORM_block1:
      reader.skip(reader.u8());
      return;
    case dw.DW_FORM_block2:
      reader.skip(reader.u16());
      return;
    case dw.DW_FORM_block4:
      reader.skip(reader.u32());
      return;
    case dw.DW_FORM_block:
    case dw.DW_FORM_exprloc:
      reader.skip(reader.uleb());
      return;
    case dw.DW_FORM_string: {
      const end = reader.bytes.indexOf(0, reader.position);
      if (end < 0) reader.malformed('a string does not end', { expected: 'a NUL byte' });
      reader.seek(end + 1);
      return;
    }
    default:
      // Among them DW_FORM_indirect, which no compiler writes.
      throw unsupportedForm(reader, form);
  }
}

/**
 * A constant as text: decimal where it is a safe integer, else its bytes in hex, as Rust's discriminants may have 128
 * bits. Equal values of equal forms give equal text. Blocks come as hex, too. Null for forms that hold no constant.
 */
export function readConstant(reader: ByteReader, form: number): string | null {
  switch (form) {
    case dw.DW_FORM_data1:
    case dw.DW_FORM_flag:
      return String(reader.u8());
    case dw.DW_FORM_data2:
      return String(reader.u16());
    case dw.DW_FORM_data4:
      return String(reader.u32());
    case dw.DW_FORM_data8: {
      const low = reader.u32();
      const high = reader.u32();
      return high === 0 ? String(low) : `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
    }
    case dw.DW_FORM_data16:
      return hexOf(reader.take(16));
    case dw.DW_FORM_udata:
    case dw.DW_FORM_sdata:
    case dw.DW_FORM_implicit_const:
      return readLeb(reader, form !== dw.DW_FORM_udata);
    case dw.DW_FORM_block1:
      return hexOf(reader.take(reader.u8()));
    case dw.DW_FORM_block:
    case dw.DW_FORM_exprloc:
      return hexOf(reader.take(reader.uleb()));
    case dw.DW_FORM_flag_present:
      return '1';
    default:
      return null;
  }
}

/** Offset in .debug_info that a reference means; null where it leads elsewhere (signatures, supplementary files). */
export function readReference(reader: ByteReader, form: number, context: FormContext): number | null {
  switch (form) {
    case dw.DW_FORM_ref1:
      return context.unitStart + reader.u8();
    case dw.DW_FORM_ref2:
      return context.unitStart + reader.u16();
    case dw.DW_FORM_ref4:
      return context.unitStart + reader.u32();
    case dw.DW_FORM_ref8:
      return context.unitStart + reader.u64();
    case dw.DW_FORM_ref_udata:
      return context.unitStart + reader.uleb();
    case dw.DW_FORM_ref_addr:
      return reader.u32();
    default:
      return null;
  }
}

/**
 * A constant as a number; −1 where it is none: computed, or wider than a size or an offset can be. Most constants are
 * of one byte, and making text of each costs more than reading it.
 */
export function readSmallConstant(reader: ByteReader, form: number): number {
  switch (form) {
    case dw.DW_FORM_data1:
      return reader.u8();
    case dw.DW_FORM_data2:
      return reader.u16();
    case dw.DW_FORM_data4:
      return reader.u32();
    default: {
      if (form === dw.DW_FORM_block1 || form === dw.DW_FORM_block || form === dw.DW_FORM_exprloc) return -1;
      const text = readConstant(reader, form);
      return text !== null && /^\d+$/.test(text) ? Number(text) : -1;
    }
  }
}

/** Index into .debug_str_offsets that a string's form holds; null for other forms. */
export function readStringIndex(reader: ByteReader, form: number): number | null {
  switch (form) {
    case dw.DW_FORM_strx:
    case dw.DW_FORM_GNU_str_index:
      return reader.uleb();
    case dw.DW_FORM_strx1:
      return reader.u8();
    case dw.DW_FORM_strx2:
      return reader.u16();
    case dw.DW_FORM_strx3:
      return reader.u16() + reader.u8() * 0x1_0000;
    case dw.DW_FORM_strx4:
      return reader.u32();
    default:
      return null;
  }
}

/** LEB128 of up to 128 bits: the common ones as decimal numbers, longer ones as the bytes they consist of. */
function readLeb(reader: ByteReader, signed: boolean): string {
  const start = reader.position;
  skipLeb(reader);
  const end = reader.position;
  // Seven bytes hold 49 bits, which are exact.
  if (end - start > 7) return `leb ${hexOf(reader.bytes.subarray(start, end))}`;
  reader.seek(start);
  return String(signed ? reader.sleb() : reader.uleb());
}

function hexOf(bytes: Uint8Array): string {
  let text = '0x';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function unsupportedForm(reader: ByteReader, form: number): IpbpError {
  return new IpbpError('IPBP1003', 'this form of a DWARF attribute is not supported', {
    expected: 'a form of DWARF 5',
    actual: hex(form),
    where: reader.where(),
  });
}
