// Gaps between functions, and what is taken of them.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gapsBetween, isFree, paddingOf, withTaken } from './padding.js';

const zeros = (_: number, size: number): Uint8Array => new Uint8Array(size);

test('finds the gaps around an address, nearest first', () => {
  const gaps = gapsBetween(
    [
      { address: 0x40, size: 0x10 },
      { address: 0x10, size: 0xb },
      { address: 0x20, size: 0x20 },
      { address: 0x58, size: 1 },
    ],
    zeros,
  );
  assert.is(gaps.gapAfter(0x1b)?.start, 0x1b);
  assert.is(gaps.gapAfter(0x1b)?.bytes.length, 5);
  assert.is(gaps.gapAfter(0x1c)?.start, 0x50);
  assert.is(gaps.gapAfter(0x51), null, 'nothing behind the last function');
  assert.is(gaps.gapBefore(0x40)?.start, 0x1b);
  assert.is(gaps.gapBefore(0x1f), null, 'a gap that reaches over the address is not before it');
  assert.is(gaps.gapBefore(0x10), null, 'nothing before the first');
  assert.is(gapsBetween([], zeros).gapAfter(0), null);
});

test('a function of unknown size reaches up to the next', () => {
  const gaps = gapsBetween(
    [
      { address: 0x10, size: 0 },
      { address: 0x20, size: 4 },
      { address: 0x30, size: 4 },
      { address: 0x30, size: 0 },
      { address: 0x40, size: 0 },
      { address: 0x40, size: 8 },
      { address: 0x50, size: 1 },
    ],
    zeros,
  );
  const starts: number[] = [];
  for (let gap = gaps.gapAfter(0); gap !== null; gap = gaps.gapAfter(gap.start + 1)) starts.push(gap.start);
  assert.equal(starts, [0x24, 0x34, 0x48]);
});

test('a gap that cannot be read, or that is too large to be padding, is none', () => {
  const functions = [0, 0x10, 0x2000, 0x2010].map((address) => ({ address, size: 8 }));
  const gaps = gapsBetween(functions, (at, size) => (at < 0x10 ? null : new Uint8Array(size)));
  assert.is(gaps.gapAfter(0)?.start, 0x2008);
});

test('taken bytes are not free, and are again where the cells are not there', () => {
  const empty = paddingOf(gapsBetween([], zeros), []);
  const used = withTaken(empty, [{ at: 10, newBytes: new Uint8Array(5) }]);
  for (const [from, to, free] of [
    [5, 10, true],
    [5, 11, false],
    [14, 19, false],
    [15, 20, true],
  ] as const) {
    assert.is(isFree(used, from, to), free);
    assert.ok(isFree(empty, from, to));
  }
});

test('any functions: gaps touch none of them and every gap is found from both sides', () => {
  const anyFunction = fc.record({ address: fc.nat(500), size: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(fc.array(anyFunction, { minLength: 1, maxLength: 20 }), (functions) => {
      const gaps = gapsBetween(functions, zeros);
      const last = Math.max(...functions.map(({ address }) => address));
      const covered = (at: number): boolean =>
        functions.some(({ address, size }) => at >= address && at < address + size);
      const first = Math.min(...functions.map(({ address }) => address));
      const expected: number[] = [];
      for (let at = first; at < last; at += 1) if (!covered(at)) expected.push(at);
      const up: number[] = [];
      for (let gap = gaps.gapAfter(0); gap !== null; gap = gaps.gapAfter(gap.start + 1)) {
        gap.bytes.forEach((_, index) => up.push((gap?.start ?? 0) + index));
      }
      const down: number[] = [];
      for (let gap = gaps.gapBefore(1000); gap !== null; gap = gaps.gapBefore(gap.start)) {
        gap.bytes.forEach((_, index) => down.push((gap?.start ?? 0) + index));
      }
      assert.equal(up, expected);
      assert.equal(
        down.sort((a, b) => a - b),
        expected,
      );
    }),
  );
});

test.run();
