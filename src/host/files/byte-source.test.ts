import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../../tests/format-inputs.js';
import { wholeSource, type ByteSource } from '../../bytes/source.js';
import { sectionFacts } from '../../formats/describe.js';
import { readObjectFile } from '../../formats/read-object.js';
import { openLiveEngine } from '../../patch/live-engine.js';
import { fileSource } from './byte-source.js';

const folder = mkdtempSync(join(tmpdir(), 'ipbp-source-'));
const path = join(folder, 'file');
const content = Uint8Array.from({ length: 1_000_003 }, (_, index) => (index * 7 + (index >> 9)) & 0xff);
writeFileSync(path, content);

test.after(() => rmSync(folder, { recursive: true }));

/** Notes how many different bytes were asked for, at the most. */
function counted(source: ByteSource): ByteSource & { readonly asked: number } {
  let asked = 0;
  return {
    size: source.size,
    read(offset, size) {
      asked += size;
      return source.read(offset, size);
    },
    get asked() {
      return asked;
    },
  };
}

test('ranges are those of the file, in any order', () => {
  const range = fc.tuple(fc.nat(content.length), fc.nat(600_000));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), fc.constantFrom(0, 1000, 1 << 20), (ranges, eager) => {
      const source = fileSource(path, path, eager);
      for (const [offset, wanted] of ranges) {
        const size = Math.min(wanted, content.length - offset);
        assert.ok(Buffer.from(source.read(offset, size)).equals(content.subarray(offset, offset + size)));
      }
    }),
    { numRuns: 50 },
  );
});

test('a file that was written to since it was opened is not read on', () => {
  const other = join(folder, 'other');
  writeFileSync(other, content);
  const source = fileSource(other);
  source.read(0, 10);
  appendFileSync(other, 'more');
  assert.throws(() => source.read(900_000, 10), /IPBP5014.*written to/);
});

test('a small file is read when it is opened, once and for all', () => {
  const other = join(folder, 'small');
  writeFileSync(other, content);
  const source = fileSource(other, other, content.length);
  appendFileSync(other, 'more');
  assert.ok(Buffer.from(source.read(0, source.size)).equals(content));
});

test('an object read by ranges is the one that is read whole', () => {
  const whole = readObjectFile(readFileSync(process.execPath), 'node');
  const parts = readObjectFile(fileSource(process.execPath), 'node');
  assert.equal(parts.sections.map(sectionFacts), whole.sections.map(sectionFacts));
  assert.equal(parts.linked?.segments, whole.linked?.segments);
  assert.equal(parts.linked?.buildId, whole.linked?.buildId);
  assert.equal(parts.linked?.dynamicSymbols.slice(0, 1000), whole.linked?.dynamicSymbols.slice(0, 1000));
  assert.is(parts.countFunctions(), whole.countFunctions());
});

test('opening a program reads its tables, not its debug information nor all of its code', () => {
  const program = inputs.rustProgram();
  const bytes = inputs.bytesOf(program);
  const source = counted(wholeSource(bytes));
  const engine = openLiveEngine({ name: 'program', read: () => bytes, source: () => source });
  assert.ok(engine.functions > 100, `${engine.functions} functions`);
  assert.ok(source.asked < source.size / 2, `${source.asked} of ${source.size} bytes`);
});

test.run();
