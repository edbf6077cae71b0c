// Growable bytes, written in order and patched back. It knows no format and throws only on a caller's mistake: a value
// that does not fit its field is a bug here, not bad input.
import { encodeText } from './text.js';

const TWO_32 = 0x1_0000_0000;

/** Little-endian unless the method ends in `be`. */
export class ByteWriter {
  private buffer: Uint8Array;
  private view: DataView;
  /** Bytes written so far, which is also where the next one goes. */
  length = 0;

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity);
    this.view = new DataView(this.buffer.buffer);
  }

  private grow(size: number): number {
    const at = this.length;
    const needed = at + size;
    if (needed > this.buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2, 256));
      larger.set(this.buffer.subarray(0, at));
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    this.length = needed;
    return at;
  }

  /** Where written bytes already stand; RangeError outside. */
  private written(at: number, size: number): number {
    if (!(at >= 0 && at + size <= this.length)) throw new RangeError(`no ${size} written bytes at ${at}`);
    return at;
  }

  u8(value: number): this {
    fits(value, 0, 0xff);
    const at = this.grow(1);
    this.view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    fits(value, 0, 0xffff);
    const at = this.grow(2);
    this.view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    fits(value, 0, 0xffff_ffff);
    const at = this.grow(4);
    this.view.setUint32(at, value, true);
    return this;
  }

  i32(value: number): this {
    fits(value, -0x8000_0000, 0x7fff_ffff);
    const at = this.grow(4);
    this.view.setInt32(at, value, true);
    return this;
  }

  u64(value: number): this {
    fits(value, 0, Number.MAX_SAFE_INTEGER);
    this.putI64(this.grow(8), value);
    return this;
  }

  i64(value: number): this {
    fits(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    this.putI64(this.grow(8), value);
    return this;
  }

  u16be(value: number): this {
    fits(value, 0, 0xffff);
    const at = this.grow(2);
    this.view.setUint16(at, value, false);
    return this;
  }

  u32be(value: number): this {
    fits(value, 0, 0xffff_ffff);
    const at = this.grow(4);
    this.view.setUint32(at, value, false);
    return this;
  }

  u64be(value: number): this {
    fits(value, 0, Number.MAX_SAFE_INTEGER);
    const at = this.grow(8);
    this.view.setUint32(at, Math.floor(value / TWO_32), false);
    this.view.setUint32(at + 4, value % TWO_32, false);
    return this;
  }

  /** Unsigned LEB128 (DWARF 5 §7.6); `width` pads it to so many bytes. */
  uleb(value: number, width = 0): this {
    let rest = fits(value, 0, Number.MAX_SAFE_INTEGER);
    for (let count = 1; ; count++) {
      const low = rest % 128;
      rest = (rest - low) / 128;
      if (rest === 0 && count >= width) return this.u8(low);
      this.u8(low + 0x80);
    }
  }

  /** Signed LEB128 (DWARF 5 §7.6). */
  sleb(value: number): this {
    let rest = fits(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = (rest - low) / 128;
      if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) return this.u8(low);
      this.u8(low + 0x80);
    }
  }

  raw(bytes: Uint8Array): this {
    const at = this.grow(bytes.length);
    this.buffer.set(bytes, at);
    return this;
  }

  /** UTF-8, no terminator. */
  text(text: string): this {
    return this.raw(encodeText(text));
  }

  /** UTF-8 and a NUL. */
  cstring(text: string): this {
    return this.text(text).u8(0);
  }

  /** `size` bytes of `value`. */
  fill(size: number, value = 0): this {
    const at = this.grow(size);
    this.buffer.fill(value, at, at + size);
    return this;
  }

  /** Fills up to the next multiple of `alignment`. */
  align(alignment: number, value = 0): this {
    const rest = this.length % alignment;
    return rest === 0 ? this : this.fill(alignment - rest, value);
  }

  setU8(at: number, value: number): void {
    this.view.setUint8(this.written(at, 1), fits(value, 0, 0xff));
  }

  setU16(at: number, value: number): void {
    this.view.setUint16(this.written(at, 2), fits(value, 0, 0xffff), true);
  }

  setU32(at: number, value: number): void {
    this.view.setUint32(this.written(at, 4), fits(value, 0, 0xffff_ffff), true);
  }

  setI32(at: number, value: number): void {
    this.view.setInt32(this.written(at, 4), fits(value, -0x8000_0000, 0x7fff_ffff), true);
  }

  setU64(at: number, value: number): void {
    fits(value, 0, Number.MAX_SAFE_INTEGER);
    this.putI64(this.written(at, 8), value);
  }

  setI64(at: number, value: number): void {
    fits(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    this.putI64(this.written(at, 8), value);
  }

  private putI64(at: number, value: number): void {
    const high = Math.floor(value / TWO_32);
    this.view.setInt32(at + 4, high, true);
    this.view.setUint32(at, value - high * TWO_32, true);
  }

  /** A copy of what was written; the writer may go on. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }
}

function fits(value: number, min: number, max: number): number {
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw new RangeError(`${value} does not fit ${min}..${max}`);
  }
  return value;
}
