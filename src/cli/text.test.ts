import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import { byteCount, chain, counted, duration, grouped, listed, printable, shortName } from './text.js';

const NAMES: readonly (readonly [full: string, short: string])[] = [
  ['tick', 'tick'],
  ['aquarium::tick', 'tick'],
  ['aquarium::tank::Fish::swim', 'Fish::swim'],
  ['app::main::{{closure}}', 'main::{{closure}}'],
  ['app::run::{closure#0}', 'run::{closure#0}'],
  ['<app::Fish as core::fmt::Display>::fmt', '<Fish as Display>::fmt'],
  ['alloc::vec::Vec<app::tank::Fish>::push', 'Vec<Fish>::push'],
  ['core::ptr::drop_in_place::<app::Fish>', 'drop_in_place::<Fish>'],
];

for (const [full, short] of NAMES) test(`${full} is short ${short}`, () => assert.is(shortName(full), short));

test('numbers are grouped in threes', () => {
  fc.assert(
    fc.property(fc.nat(), (value) => {
      const text = grouped(value);
      assert.is(Number(text.replaceAll(',', '')), value);
      assert.match(text, /^\d{1,3}(?:,\d{3})*$/);
    }),
  );
});

test('printable text has no control character left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.not.match(printable(text), /[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
});

test('lists, counts, times and sizes read well', () => {
  assert.is(listed(['a', 'b', 'c'], 3), 'a, b, c');
  assert.is(listed(['a', 'b', 'c'], 2), 'a, b and 1 more');
  assert.is(listed(['a', 'b', 'c'], 2, true), 'a, b, c');
  assert.is(counted(1, 'object'), '1 object');
  assert.is(counted(0, 'entry', 'entries'), '0 entries');
  assert.equal([0, 0.42, 9.4, 999, 1250].map(duration), ['0 ms', '0.4 ms', '9 ms', '999 ms', '1.25 s']);
  assert.equal([1, 812, 12_698, 3 * 1024 * 1024].map(byteCount), ['1 byte', '812 bytes', '12.4 KiB', '3.0 MiB']);
  assert.equal(chain(['x', 'y'], 2), ['  because x', '    because y']);
});

test.run();
