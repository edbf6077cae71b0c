import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Relocation } from './object-file.js';
import { splitUnwindTable } from './unwind-table.js';

const ROW = 32;

function rows(...encodings: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(encodings.length * ROW);
  const view = new DataView(bytes.buffer);
  encodings.forEach((encoding, i) => {
    view.setUint32(i * ROW + 8, 16 * (i + 1), true);
    view.setUint32(i * ROW + 12, encoding, true);
  });
  return bytes;
}

function at(...offsets: readonly number[]): Relocation[] {
  return offsets.map((offset, i) => ({ offset, type: 1, symbol: i + 1, addend: 0 }));
}

test('each row has its code, its numbers and what it refers to', () => {
  const relocations = at(0, 16, 24, ROW);
  const [first, second, ...more] = splitUnwindTable(rows(0x0400_0000, 0x0200_1000), relocations, 'a.o: table');
  const [start, personality, lsda, next] = relocations;
  assert.equal(first, { offset: 0, start, length: 16, encoding: 0x0400_0000, personality, lsda });
  assert.equal(second, { offset: ROW, start: next, length: 32, encoding: 0x0200_1000, personality: null, lsda: null });
  assert.equal(more, []);
});

test('what is no table of rows is refused, with its place', () => {
  assert.throws(() => splitUnwindTable(rows(1).subarray(1), at(0), 'a.o: table'), /IPBP1002.*inside of a row/);
  assert.throws(() => splitUnwindTable(rows(1, 2), at(0), 'a.o: table'), /IPBP1002.*describes no code[\s\S]*0x20/);
  for (const offset of [8, 17, ROW]) {
    assert.throws(() => splitUnwindTable(rows(1), at(0, offset), 'a.o: table'), /IPBP1002.*is no field of a row/);
  }
  assert.throws(() => splitUnwindTable(rows(1), at(0, 0), 'a.o: table'), /IPBP1002.*is no field of a row/);
});

test.run();
