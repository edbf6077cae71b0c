import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstNotBefore } from './search.js';

test('finds what a walk from the start finds', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: -1, max: 21 }), (numbers, limit) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      const walked = sorted.findIndex((number) => number >= limit);
      assert.is(
        firstNotBefore(sorted, (number) => number < limit),
        walked < 0 ? sorted.length : walked,
      );
    }),
  );
});

test('gives the length where all come before, and 0 where there is nothing', () => {
  assert.is(
    firstNotBefore([1, 2], () => true),
    2,
  );
  assert.is(
    firstNotBefore([], () => false),
    0,
  );
});

test.run();
