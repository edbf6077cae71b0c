// SHT_RELR: addresses of words that the loader adds its base to, packed (gABI proposal "Relative relocations", in the
// gABI since 2022, "Relocation"). An even word is an address; an odd one a bitmap of the 63 words that follow.
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError, hex } from '../../codes/error.js';
import { LIMITS } from '../../bytes/limits.js';

const WORD = 8;
/** Words that one bitmap covers. */
const COVERED = 63;

/**
 * The section's bytes.
 * @param addresses rising, each once and even: an odd one is a mistake of the caller (RangeError)
 */
export function encodeRelr(addresses: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const table = new ByteWriter(1024);
  let next = 0;
  let last = -1;
  while (next < addresses.length) {
    const address = addresses[next] as number;
    if (address % 2 !== 0) throw new RangeError(`${hex(address)} cannot be packed: it is odd`);
    if (address <= last) throw new RangeError(`${hex(address)} is out of order`);
    table.u64(address);
    last = address;
    next++;
    for (let base = address + WORD; next < addresses.length; base += COVERED * WORD) {
      let low = 0;
      let high = 0;
      for (; next < addresses.length; next++) {
        const distance = (addresses[next] as number) - base;
        // Below zero: inside the word that the address itself is of.
        if (distance < 0 || distance >= COVERED * WORD || distance % WORD !== 0) break;
        // Bit 0 marks the bitmap.
        const bit = distance / WORD + 1;
        if (bit < 32) low |= 1 << bit;
        else high |= 1 << (bit - 32);
        last = addresses[next] as number;
      }
      if (low === 0 && high === 0) break;
      table.u32((low | 1) >>> 0).u32(high >>> 0);
    }
  }
  return table.finish();
}

/** The addresses, in the section's order. IPBP1002 for a bitmap without an address before it. */
export function decodeRelr(bytes: Uint8Array, where: string): number[] {
  const reader: ByteReader = new ByteReader(bytes, where);
  const addresses: number[] = [];
  let base: number | null = null;
  while (!reader.ended) {
    const low = reader.u32();
    const high = reader.u32();
    if (low % 2 === 0) {
      const address = high * 0x1_0000_0000 + low;
      if (!Number.isSafeInteger(address)) reader.malformed('an address is too large', { expected: 'below 2^53' });
      addresses.push(address);
      base = address + WORD;
      continue;
    }
    if (base === null) {
      throw new IpbpError('IPBP1002', 'packed relocations start with a bitmap', {
        expected: 'an address',
        where: reader.where(0),
      });
    }
    for (let bit = 1; bit < 64; bit++) {
      const set = bit < 32 ? (low >>> bit) % 2 : (high >>> (bit - 32)) % 2;
      if (set === 1) addresses.push(base + (bit - 1) * WORD);
    }
    base += COVERED * WORD;
    if (addresses.length > LIMITS.relocations) reader.malformed('too many relocations');
  }
  return addresses;
}
