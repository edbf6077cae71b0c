// LEB128 fields of fixed width: compilers leave 5 bytes for numbers of 32 bits and 10 for those of 64, all but the last with
// the mark that more follow. Linking, "Relocation Sections".
import type { Field } from '../fixup.js';

const TWO_32 = 2 ** 32;

function leb(name: string, size: 5 | 10, min: number, max: number): Field {
  const signed = min < 0;
  return {
    ...{ name, size, min, max, multiple: 1, modulo: null, chosenBy: null },
    encode(bytes, offset, value) {
      // A constant of 32 bits is signed, whatever the address that it is.
      let rest = signed && size === 5 && value >= TWO_32 / 2 ? value - TWO_32 : value;
      for (let at = 0; at < size; at++) {
        const low = ((rest % 128) + 128) % 128;
        rest = (rest - low) / 128;
        bytes[offset + at] = at < size - 1 ? low + 0x80 : low;
      }
    },
    decode(bytes, offset) {
      let [value, scale] = [0, 1];
      for (let at = 0; at < size; at++, scale *= 128) value += ((bytes[offset + at] ?? 0) & 0x7f) * scale;
      // The last byte's bit 6 is the sign.
      return signed && ((bytes[offset + size - 1] ?? 0) & 0x40) !== 0 ? value - scale : value;
    },
  };
}

/** Unsigned, 32 bits: indexes and offsets of loads and stores. */
export const ULEB32 = leb('uleb32', 5, 0, TWO_32 - 1);
/** What `i32.const` holds: an address is any number of 32 bits. */
export const SLEB32 = leb('sleb32', 5, -TWO_32 / 2, TWO_32 - 1);
/** The same for memories of 64 bits; safe integers. */
export const ULEB64 = leb('uleb64', 10, 0, Number.MAX_SAFE_INTEGER);
export const SLEB64: Field = {
  ...leb('sleb64', 10, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  decode(bytes, offset) {
    // Low 49 bits and the rest, each exact: their sum is within the safe range, what stands between is not.
    let [low, high] = [0, 0];
    for (let at = 6; at >= 0; at--) low = low * 128 + ((bytes[offset + at] ?? 0) & 0x7f);
    for (let at = 9; at >= 7; at--) high = high * 128 + ((bytes[offset + at] ?? 0) & 0x7f);
    if (high >= 2 ** 20) high -= 2 ** 21;
    return high * 2 ** 49 + low;
  },
};
