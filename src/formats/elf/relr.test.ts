import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../../bytes/writer.js';
import { decodeRelr, encodeRelr } from './relr.js';

test('what is packed comes out again', () => {
  const gap = fc.oneof(
    fc.constant(8),
    fc.constantFrom(2, 16, 63 * 8, 64 * 8, 65 * 8),
    fc.integer({ min: 1, max: 1e9 }),
  );
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.array(gap, { maxLength: 400 }), (start, gaps) => {
      const addresses = [start * 2];
      for (const distance of gaps) addresses.push((addresses.at(-1) ?? 0) + distance + (distance % 2));
      assert.equal(decodeRelr(encodeRelr(addresses), 'relr'), addresses);
    }),
  );
});

test('a thousand words in a row take a hundredth', () => {
  const addresses = Array.from({ length: 1000 }, (_, index) => 0x1000 + index * 8);
  assert.is(encodeRelr(addresses).length, 8 + Math.ceil(999 / 63) * 8);
  assert.is(encodeRelr([]).length, 0);
});

test('the words are those that the proposal shows', () => {
  // 0x10000, then bitmaps of the words that follow: its second and third.
  const want = new ByteWriter().u64(0x10000).u64(0b1101).finish();
  assert.equal(encodeRelr([0x10000, 0x10010, 0x10018].map((at) => at)), want);
});

test('odd and unordered addresses are mistakes, a bitmap at the start is an error', () => {
  assert.throws(() => encodeRelr([1]), RangeError);
  assert.throws(() => encodeRelr([16, 8]), RangeError);
  assert.throws(() => decodeRelr(new ByteWriter().u64(3).finish(), 'relr'), /IPBP1002/);
});

test.run();
