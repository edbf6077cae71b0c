// The fields that hold whole numbers, little-endian. Fields inside instruction words are their machine's own
// (a folder per machine). A field checks nothing: apply.ts does, once for all of them.
import type { Field } from './fixup.js';

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const U32 = 0x1_0000_0000;

function whole(name: string, size: 1 | 2 | 4, min: number, max: number): Field {
  return {
    name,
    size,
    min,
    max,
    multiple: 1,
    modulo: null,
    chosenBy: null,
    encode(bytes, offset, value) {
      const v = view(bytes);
      if (size === 1) v.setInt8(offset, value);
      else if (size === 2) v.setInt16(offset, value, true);
      else v.setInt32(offset, value, true);
    },
    decode(bytes, offset) {
      const v = view(bytes);
      const signed = min < 0;
      if (size === 1) return signed ? v.getInt8(offset) : v.getUint8(offset);
      if (size === 2) return signed ? v.getInt16(offset, true) : v.getUint16(offset, true);
      return signed ? v.getInt32(offset, true) : v.getUint32(offset, true);
    },
  };
}

/** No bytes at all: relocations that only mark a place. */
export const NOTHING: Field = {
  name: 'none',
  size: 0,
  min: 0,
  max: 0,
  multiple: 1,
  modulo: null,
  chosenBy: null,
  encode() {},
  decode: () => 0,
};

export const INT8 = whole('int8', 1, -0x80, 0x7f);
export const INT16 = whole('int16', 2, -0x8000, 0x7fff);
export const INT32 = whole('int32', 4, -0x8000_0000, 0x7fff_ffff);
export const UINT32 = whole('uint32', 4, 0, 0xffff_ffff);
/** 8, 16 and 32 bits that may be read as signed or unsigned (the psABI does not say which, or says both). */
export const WORD8 = whole('word8', 1, -0x80, 0xff);
export const WORD16 = whole('word16', 2, -0x8000, 0xffff);
export const WORD32 = whole('word32', 4, -0x8000_0000, 0xffff_ffff);

/** 64 bits. Values are safe integers, so the range is theirs. */
export const INT64: Field = {
  name: 'int64',
  size: 8,
  min: Number.MIN_SAFE_INTEGER,
  max: Number.MAX_SAFE_INTEGER,
  multiple: 1,
  modulo: null,
  chosenBy: null,
  encode(bytes, offset, value) {
    const v = view(bytes);
    const high = Math.floor(value / U32);
    v.setUint32(offset, value - high * U32, true);
    v.setInt32(offset + 4, high, true);
  },
  decode(bytes, offset) {
    const v = view(bytes);
    return v.getInt32(offset + 4, true) * U32 + v.getUint32(offset, true);
  },
};

/** An address of 64 bits of which the highest is a mark, and set. */
export const MARKED64: Field = {
  ...INT64,
  name: 'marked64',
  min: 0,
  encode(bytes, offset, value) {
    INT64.encode(bytes, offset, value);
    bytes[offset + 7] = 0x80;
  },
  decode(bytes, offset) {
    const v = view(bytes);
    return (v.getUint32(offset + 4, true) % 0x100_0000) * U32 + v.getUint32(offset, true);
  },
};
