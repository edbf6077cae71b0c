import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch } from '../../../tests/format-inputs.js';
import { readObjectFile } from '../read-object.js';
import { functionRanges } from './eh-frame.js';
import { movedEhFrame } from './move-eh-frame.js';

function library(): { bytes: Uint8Array; address: number } {
  const path = join(scratch(), 'frames.cc');
  writeFileSync(
    path,
    `void may(int); struct D { ~D(); }; int plain(int x) { may(x); return 1; }
     int cleans(int x) { D d; may(x); return x; }
     int catches(int x) { try { may(x); } catch (int e) { return e; } return 0; }`,
  );
  execFileSync('g++', ['-shared', '-fPIC', '-nostdlib', '-o', `${path}.so`, path]);
  const file = readObjectFile(readFileSync(`${path}.so`), 'frames.so');
  const section = file.sections.find(({ name }) => name === '.eh_frame')!;
  return { bytes: file.sectionBytes(section.index), address: section.address };
}

test('records that were moved mean the same code, tables and personality', () => {
  const { bytes, address } = library();
  const ranges = functionRanges(bytes, address, 'x');
  assert.is(ranges.filter(({ lsda }) => lsda !== 0).length, 2);
  for (const to of [address + 0x1000, address - 0x20, 0]) {
    const moved = movedEhFrame(bytes, address, to, 'x');
    assert.equal(functionRanges(moved, to, 'x'), ranges);
    assert.equal(movedEhFrame(moved, to, address, 'x'), new Uint8Array(bytes));
  }
  const changed = movedEhFrame(bytes, address, 0, 'x').filter((byte, i) => byte !== bytes[i]).length;
  assert.ok(changed > ranges.length, 'also what is no range: the personality');
});

test('a distance that does not fit is an error', () => {
  const { bytes, address } = library();
  assert.throws(() => movedEhFrame(bytes, address, 2 ** 33, 'x'), /IPBP2002.*x, offset 0x/);
});

test.run();
