import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createNameTable } from './name-table.js';
import { encodeText } from './text.js';

test('names are numbered as they first come, wherever their bytes lie', () => {
  const table = createNameTable();
  const bytes = encodeText('\0foo\0bar\0foo\0');
  assert.is(table.intern(bytes, 1, 4), 0);
  assert.is(table.intern(bytes, 5, 8), 1);
  assert.is(table.intern(bytes, 9, 12), 0);
  assert.is(table.internText('bar'), 1);
  assert.is(table.internText(''), 2);
  assert.is(table.findText('fo'), -1);
  assert.is(table.find(bytes, 9, 12), 0);
  assert.is(table.count, 3, 'looking up adds nothing');
  assert.equal([0, 1, 2].map(table.text), ['foo', 'bar', '']);
  assert.throws(() => table.bytes(3), RangeError);
});

test('does what a Map does, also when it grows', () => {
  const names = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a', 'ab', 'abcd', 'abcde')));
  fc.assert(
    fc.property(names, (list) => {
      const table = createNameTable(1);
      const map = new Map<string, number>();
      for (const name of list) {
        if (!map.has(name)) map.set(name, map.size);
        assert.is(table.internText(name), map.get(name));
      }
      assert.is(table.count, map.size);
      for (const [name, number] of map) {
        assert.is(table.findText(name), number);
        assert.is(table.text(number), name);
      }
    }),
  );
});

test('names that differ in one byte at any place are different', () => {
  const table = createNameTable();
  const bytes = new Uint8Array(23).fill(0x61);
  const numbers = new Set([table.intern(bytes.slice(), 0, 23)]);
  for (let at = 0; at < 23; at++) {
    const other = bytes.slice();
    other[at] = 0x62;
    numbers.add(table.intern(other, 0, 23));
  }
  assert.is(numbers.size, 24);
});

test('names that end with a zero are found with it, and copied', () => {
  const lists = fc.array(fc.uint8Array({ maxLength: 130 }), { minLength: 1 });
  fc.assert(
    fc.property(lists, fc.boolean(), (list, ended) => {
      const names = list.map((name) => name.map((byte) => byte || 1));
      const bytes = Uint8Array.from(names.flatMap((name) => [...name, 0]));
      const all = ended ? bytes : bytes.subarray(0, -1);
      const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
      const table = createNameTable(1);
      let start = 0;
      names.forEach((name, index) => {
        const number = table.internTerminated(all, view, start);
        const last = index === names.length - 1;
        if (last && !ended) {
          assert.is(number, -1);
          return;
        }
        const end = start + name.length + 1;
        assert.is(table.find(all, start, end), number, 'the same as that of its bytes');
        assert.is(table.size(number), end - start);
        const copy = new Uint8Array(end - start + 2).fill(7);
        table.copy(number, copy, 1);
        assert.equal([...copy], [7, ...name, 0, 7]);
        start = end;
      });
    }),
  );
});

test.run();
