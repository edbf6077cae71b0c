// A Mach-O file with a part of it changed, signed again or not: what a loader has to refuse. It reads and writes as the
// format's headers say, apart from the readers of src/.
import { createHash } from 'node:crypto';

const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const LC_DYLD_INFO_ONLY = 0x80000022;
const LC_DYLD_CHAINED_FIXUPS = 0x80000034;

/** Offsets of fields of segment_command_64. */
export const SEGMENT = { address: 24, size: 32, offset: 40, fileSize: 48, maximum: 56, initial: 60 } as const;
/** Offsets of fields of section_64. */
export const SECTION = { address: 32, size: 40, offset: 48, align: 52 } as const;

/** A file that is changed in place. */
export class MutableImage {
  readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes);
  }

  private *commands(): Generator<{ readonly type: number; readonly at: number }> {
    let at = 32;
    for (let left = this.bytes.readUInt32LE(16); left > 0; left--) {
      yield { type: this.bytes.readUInt32LE(at), at };
      at += this.bytes.readUInt32LE(at + 4);
    }
  }

  private command(type: number): number {
    for (const each of this.commands()) if (each.type === type) return each.at;
    throw new Error(`no load command 0x${type.toString(16)}`);
  }

  private name(at: number): string {
    return this.bytes.toString('latin1', at, at + 16).replace(/\0.*/, '');
  }

  /** Where a segment's command is. */
  segment(name: string): number {
    for (const { type, at } of this.commands()) if (type === LC_SEGMENT_64 && this.name(at + 8) === name) return at;
    throw new Error(`no segment ${name}`);
  }

  /** Where a section's entry in its segment's command is. */
  section(segment: string, name: string): number {
    const start = this.segment(segment);
    for (let index = 0; index < this.bytes.readUInt32LE(start + 64); index++) {
      const at = start + 72 + 80 * index;
      if (this.name(at) === name) return at;
    }
    throw new Error(`no section ${segment},${name}`);
  }

  add64(at: number, by: number): this {
    this.bytes.writeBigUInt64LE(this.bytes.readBigUInt64LE(at) + BigInt(by), at);
    return this;
  }

  set32(at: number, value: number): this {
    this.bytes.writeUInt32LE(value, at);
    return this;
  }

  /** Turns one bit of a byte. */
  flip(at: number): this {
    this.bytes[at] = this.bytes[at]! ^ 1;
    return this;
  }

  /** Offset of the rebase opcodes. */
  rebase(): number {
    return this.bytes.readUInt32LE(this.command(LC_DYLD_INFO_ONLY) + 8);
  }

  /** Offset of the chained fixups' header. */
  chained(): number {
    return this.bytes.readUInt32LE(this.command(LC_DYLD_CHAINED_FIXUPS) + 8);
  }

  /** Offset of the CodeDirectory, the first blob of what linkers write. */
  codeDirectory(): number {
    const signature = this.bytes.readUInt32LE(this.command(LC_CODE_SIGNATURE) + 8);
    return signature + this.bytes.readUInt32BE(signature + 16);
  }

  /** Every page's hash anew. */
  signed(): this {
    const at = this.codeDirectory();
    const hashes = at + this.bytes.readUInt32BE(at + 16);
    const limit = this.bytes.readUInt32BE(at + 32);
    const page = 2 ** this.bytes[at + 39]!;
    for (let index = 0; index < this.bytes.readUInt32BE(at + 28); index++) {
      const bytes = this.bytes.subarray(index * page, Math.min((index + 1) * page, limit));
      createHash('sha256')
        .update(bytes)
        .digest()
        .copy(this.bytes, hashes + 32 * index);
    }
    return this;
  }
}
