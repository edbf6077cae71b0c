// A cursor over bytes that knows where it is: every error names the file and the offset in it, also through windows.
// It knows no format. All numbers are safe integers; 64-bit values are read as two 32-bit halves, because
// getBigUint64 costs ten times as much (17–23 ns against 1.7).
import { IpbpError, hex } from '../codes/error.js';
import type { ErrorDetails } from '../codes/error.js';
import { LIMITS } from './limits.js';
import { decodeText } from './text.js';

const TWO_32 = 0x1_0000_0000;
/** Largest high half of a safe integer, 2^53 − 1. */
const MAX_HIGH = 0x1f_ffff;

/** Reads little-endian numbers, texts and windows. Reading past the end throws IPBP1001, a bad value IPBP1002. */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** What messages call the file. */
  readonly name: string;
  /** Offset of `bytes[0]` in the file. */
  readonly base: number;
  /** Index in `bytes` of the next byte. */
  position = 0;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, name: string, base = 0) {
    this.bytes = bytes;
    this.name = name;
    this.base = base;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Bytes from the cursor to the end. */
  get remaining(): number {
    return this.bytes.length - this.position;
  }

  get ended(): boolean {
    return this.position >= this.bytes.length;
  }

  /** Where the cursor stands in the file. */
  get offset(): number {
    return this.base + this.position;
  }

  /** `foo.o, offset 0x1f`, for `ErrorDetails.where`; of the cursor, or of an index in `bytes`. */
  where(position = this.position): string {
    return `${this.name}, offset ${hex(this.base + position)}`;
  }

  /** Throws IPBP1002 at the cursor, or at `position`. */
  malformed(summary: string, details: ErrorDetails = {}, position = this.position): never {
    throw new IpbpError('IPBP1002', summary, { where: this.where(position), ...details });
  }

  /** Throws IPBP1001 unless `size` more bytes are there. */
  need(size: number): void {
    if (!(size >= 0 && size <= this.bytes.length - this.position)) {
      throw new IpbpError('IPBP1001', 'input is truncated', {
        expected: `${size} bytes`,
        actual: `${Math.max(0, this.remaining)}`,
        where: this.where(),
      });
    }
  }

  /** Moves the cursor to an index in `bytes`; the end itself is allowed. */
  seek(position: number): this {
    if (!(position >= 0 && position <= this.bytes.length)) {
      throw new IpbpError('IPBP1001', 'input is truncated', {
        expected: `at least ${hex(position)} bytes`,
        actual: hex(this.bytes.length),
        where: this.where(0),
      });
    }
    this.position = position;
    return this;
  }

  skip(size: number): void {
    this.need(size);
    this.position += size;
  }

  /** Moves to the next multiple of `alignment`, counted from `bytes[0]`. */
  align(alignment: number): void {
    const rest = this.position % alignment;
    if (rest !== 0) this.skip(alignment - rest);
  }

  u8(): number {
    this.need(1);
    return this.view.getUint8(this.position++);
  }

  i8(): number {
    this.need(1);
    return this.view.getInt8(this.position++);
  }

  u16(): number {
    this.need(2);
    const value = this.view.getUint16(this.position, true);
    this.position += 2;
    return value;
  }

  i16(): number {
    this.need(2);
    const value = this.view.getInt16(this.position, true);
    this.position += 2;
    return value;
  }

  u32(): number {
    this.need(4);
    const value = this.view.getUint32(this.position, true);
    this.position += 4;
    return value;
  }

  i32(): number {
    this.need(4);
    const value = this.view.getInt32(this.position, true);
    this.position += 4;
    return value;
  }

  u32be(): number {
    this.need(4);
    const value = this.view.getUint32(this.position, false);
    this.position += 4;
    return value;
  }

  /** IPBP1002 beyond 2^53 − 1. */
  u64(): number {
    this.need(8);
    const value = this.unsigned(this.view.getUint32(this.position + 4, true), this.view.getUint32(this.position, true));
    this.position += 8;
    return value;
  }

  u64be(): number {
    this.need(8);
    const value = this.unsigned(
      this.view.getUint32(this.position, false),
      this.view.getUint32(this.position + 4, false),
    );
    this.position += 8;
    return value;
  }

  /** IPBP1002 outside ±(2^53 − 1). */
  i64(): number {
    this.need(8);
    const value = this.view.getInt32(this.position + 4, true) * TWO_32 + this.view.getUint32(this.position, true);
    if (!Number.isSafeInteger(value)) this.malformed('a 64-bit value is too large', { expected: 'less than 2^53' });
    this.position += 8;
    return value;
  }

  private unsigned(high: number, low: number): number {
    if (high > MAX_HIGH) {
      this.malformed('a 64-bit value is too large', {
        expected: 'less than 2^53',
        actual: `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`,
      });
    }
    return high * TWO_32 + low;
  }

  /** Unsigned LEB128 (DWARF 5 §7.6), padded forms included. IPBP1002 beyond 2^53 − 1 or 10 bytes. */
  uleb(): number {
    const start = this.position;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < LIMITS.lebBytes; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      // Padding of zero bits adds nothing, so only a real high bit can leave the safe range.
      if (value > Number.MAX_SAFE_INTEGER) break;
      if (byte < 0x80) return value;
    }
    return this.malformed('a LEB128 number is too large', { expected: 'less than 2^53' }, start);
  }

  /** Signed LEB128 (DWARF 5 §7.6). IPBP1002 outside ±(2^53 − 1) or beyond 10 bytes. */
  sleb(): number {
    const start = this.position;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < LIMITS.lebBytes; count++) {
      const byte = this.u8();
      if (byte < 0x80) {
        // The last byte's bit 6 is the sign: its seven bits count from −64 to 63.
        const last = byte >= 0x40 ? byte - 0x80 : byte;
        value += last * scale;
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      value += (byte & 0x7f) * scale;
      scale *= 128;
      // Seven bytes are summed exactly; more could pass 2^53 before sign padding folds them back.
      if (scale === 2 ** 49) return this.longSleb(start);
    }
    return this.malformed('a LEB128 number is too large', { expected: 'within ±2^53' }, start);
  }

  /** Numbers of eight bytes and more: the low 49 bits and the rest, each exact, joined at the end. */
  private longSleb(start: number): number {
    this.position = start;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 7; count++) {
      value += (this.u8() & 0x7f) * scale;
      scale *= 128;
    }
    let high = 0;
    let width = 1;
    for (let count = 7; count < LIMITS.lebBytes; count++) {
      const byte = this.u8();
      high += (byte & 0x7f) * width;
      width *= 128;
      if (byte < 0x80) {
        const signed = byte >= 0x40 ? high - width : high;
        const whole = signed * scale + value;
        if (Number.isSafeInteger(whole)) return whole;
        break;
      }
    }
    return this.malformed('a LEB128 number is too large', { expected: 'within ±2^53' }, start);
  }

  /** Text up to the next NUL, which is skipped. */
  cstring(): string {
    const end = this.bytes.indexOf(0, this.position);
    if (end < 0) this.malformed('a string does not end', { expected: 'a NUL byte' });
    if (end - this.position > LIMITS.nameBytes) {
      this.malformed('a name is too long', { expected: `at most ${LIMITS.nameBytes} bytes` });
    }
    const text = decodeText(this.bytes, this.position, end);
    this.position = end + 1;
    return text;
  }

  /** Text of exactly `size` bytes. */
  text(size: number): string {
    this.need(size);
    const text = decodeText(this.bytes, this.position, this.position + size);
    this.position += size;
    return text;
  }

  /** The next `size` bytes: a view, not a copy. */
  take(size: number): Uint8Array {
    this.need(size);
    const part = this.bytes.subarray(this.position, this.position + size);
    this.position += size;
    return part;
  }

  /** A reader of its own over [start, start + size) of `bytes`; its offsets stay those of the file. */
  window(start: number, size: number): ByteReader {
    if (!(start >= 0 && size >= 0 && start + size <= this.bytes.length)) {
      throw new IpbpError('IPBP1001', 'input is truncated', {
        expected: `bytes ${hex(this.base + start)} to ${hex(this.base + start + size)}`,
        actual: `an end at ${hex(this.base + this.bytes.length)}`,
        where: this.where(Math.max(0, Math.min(start, this.bytes.length))),
      });
    }
    return new ByteReader(this.bytes.subarray(start, start + size), this.name, this.base + start);
  }
}
