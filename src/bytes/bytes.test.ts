import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../codes/error.js';
import { ByteReader } from './reader.js';
import { decodeText, encodeText, isAscii } from './text.js';
import { ByteWriter } from './writer.js';

const reader = (...bytes: number[]) => new ByteReader(Uint8Array.from(bytes), 'a.o', 0x40);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof IpbpError) return error.message;
    throw error;
  }
  return 'no error';
}

test('numbers come back as they were written', () => {
  fc.assert(
    fc.property(
      fc.nat(0xff),
      fc.nat(0xffff),
      fc.nat(0xffff_ffff),
      fc.maxSafeNat(),
      fc.maxSafeInteger(),
      (a, b, c, d, e) => {
        const writer = new ByteWriter(1);
        writer.u8(a).u16(b).u32(c).u64(d).i64(e).u32be(c).u64be(d).uleb(d).sleb(e).uleb(c, 8);
        const r = new ByteReader(writer.finish(), 'x');
        assert.equal(
          [r.u8(), r.u16(), r.u32(), r.u64(), r.i64(), r.u32be(), r.u64be(), r.uleb(), r.sleb(), r.uleb()],
          [a, b, c, d, e, c, d, d, e, c],
        );
        assert.ok(r.ended);
      },
    ),
  );
});

test('sleb agrees with a bigint model, padded forms included', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.nat(10), (value, width) => {
      const bytes: number[] = [];
      let rest = BigInt(value);
      for (;;) {
        const low = Number(rest & 0x7fn);
        rest >>= 7n;
        const done = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
        if (done && bytes.length + 1 >= width) {
          bytes.push(low);
          break;
        }
        bytes.push(low | 0x80);
      }
      assert.is(reader(...bytes).sleb(), value);
    }),
  );
});

test('known LEB128 values of DWARF 5 figures 7.22 and 7.23', () => {
  assert.is(reader(0xb9, 0x64).uleb(), 12857);
  assert.is(reader(0x80, 0x7f).sleb(), -128);
  assert.is(reader(0xff, 0x00).sleb(), 127);
  assert.is(reader(0xff, 0x7e).sleb(), -129);
});

test('values beyond 2^53 are malformed', () => {
  assert.match(
    codeOf(() => reader(0, 0, 0, 0, 0, 0, 0x20, 0).u64()),
    /IPBP1002.*at a\.o, offset 0x40$/,
  );
  assert.match(
    codeOf(() => reader(0, 0, 0, 0, 0, 0, 0, 0x80).i64()),
    /IPBP1002/,
  );
  assert.match(
    codeOf(() => reader(...Array<number>(9).fill(0xff), 1).uleb()),
    /IPBP1002/,
  );
  assert.match(
    codeOf(() => reader(...Array<number>(9).fill(0x80), 1).sleb()),
    /IPBP1002/,
  );
  assert.match(
    codeOf(() => reader(...Array<number>(11).fill(0x80), 0).uleb()),
    /IPBP1002/,
  );
  assert.is(reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0).u64(), Number.MAX_SAFE_INTEGER);
  assert.is(reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff).i64(), -1);
});

test('reading past the end names the file and the offset in it, also through a window', () => {
  const r = reader(1, 2, 3, 4, 5);
  r.skip(2);
  assert.match(
    codeOf(() => r.u32()),
    /^IPBP1001: .*expected 4 bytes; found 3; at a\.o, offset 0x42$/,
  );
  const part = r.window(3, 2);
  assert.is(part.u8(), 4);
  assert.match(
    codeOf(() => part.u16()),
    /offset 0x44$/,
  );
  assert.match(
    codeOf(() => r.window(3, 3)),
    /IPBP1001/,
  );
  assert.match(
    codeOf(() => r.window(-1, 2)),
    /IPBP1001/,
  );
  assert.match(
    codeOf(() => r.seek(6)),
    /IPBP1001/,
  );
  assert.match(
    codeOf(() => r.take(-1)),
    /IPBP1001/,
  );
  assert.match(
    codeOf(() => r.take(NaN)),
    /IPBP1001/,
  );
});

test('text decodes as the platform does, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
      const bytes = encodeText(text);
      assert.equal([...bytes], [...new TextEncoder().encode(text)]);
      assert.is(decodeText(bytes), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    }),
  );
  assert.is(decodeText(Uint8Array.of(0x61, 0xff, 0xc0, 0x80, 0x62)), 'a\ufffd\ufffd\ufffdb');
  assert.is(decodeText(new Uint8Array(10_000).fill(0x61)).length, 10_000);
});

test('isAscii finds one high byte at any place and alignment', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(7), fc.nat(60), (length, start, high) => {
      const bytes = new Uint8Array(new ArrayBuffer(64), start, length).fill(0x7f);
      if (high < length) bytes[high] = 0x80;
      assert.is(isAscii(bytes), high >= length);
    }),
  );
});

test('cstring stops at NUL and refuses a string without end', () => {
  const r = reader(0x68, 0x69, 0, 0x68);
  assert.is(r.cstring(), 'hi');
  assert.match(
    codeOf(() => r.cstring()),
    /IPBP1002.*offset 0x43$/,
  );
});

test('a writer patches back, aligns, and refuses what does not fit', () => {
  const writer = new ByteWriter(2).u32(0).cstring('é').align(8, 0x90);
  writer.setU32(0, writer.length);
  assert.equal([...writer.finish()], [8, 0, 0, 0, 0xc3, 0xa9, 0, 0x90]);
  writer.setI64(0, -2);
  assert.equal([...writer.finish()], [0xfe, 255, 255, 255, 255, 255, 255, 255]);
  assert.throws(() => writer.u8(256), RangeError);
  assert.throws(() => writer.setU8(8, 0), RangeError);
});

test.run();
