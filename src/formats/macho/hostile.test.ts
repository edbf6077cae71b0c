import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/macho-inputs.js';
import { IpbpError } from '../../codes/error.js';
import { assertRefusal, refusalOf } from '../hostile.test-support.js';
import { readMacho, type MachoFile } from './read.js';

/** Everything that a reader of the file could ask. */
function readAll(bytes: Uint8Array): MachoFile {
  const file = readMacho(bytes, 'hostile.o');
  file.symbolColumns();
  file.allRelocationColumns(() => true);
  for (const { index } of file.sections) file.sectionBytes(index);
  file.linked?.dynamicColumns();
  file.macho.debugMap();
  file.macho.dataInCode();
  file.macho.indirectSymbols();
  return file;
}

const refused = (bytes: Uint8Array): IpbpError | null => refusalOf(readAll, bytes);

function assertRefused(bytes: Uint8Array, code: string, words: RegExp): void {
  assertRefusal(refused(bytes), code, words);
}

const object = bytesOf(inputs.machoObject('arm64', 's', inputs.MACHO_ASSEMBLY.arm64));
const intel = bytesOf(inputs.machoObject('x86_64', 's', inputs.MACHO_ASSEMBLY.x86_64));
const sections = (bytes: Uint8Array): MachoFile['macho']['headers']['sections'] =>
  readMacho(bytes, 'sound').macho.headers.sections;
const section = (bytes: Uint8Array, name: string): MachoFile['macho']['headers']['sections'][number] => {
  const found = sections(bytes).find((one) => one.name === name);
  assert.ok(found);
  return found;
};

/** With a number of four bytes changed. */
function changed(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(offset, value, true);
  return copy;
}

/** Where the header of a section is: the segment is the first command, as in all objects. */
const headerOf = (bytes: Uint8Array, name: string): number => 32 + 72 + 80 * section(bytes, name).index;

test('a file that ends early is refused or read, at every length', () => {
  const program = bytesOf(inputs.machoLinked('x86_64', [inputs.machoObject('x86_64', 'c', inputs.MACHO_C, '-O1')]));
  for (const [bytes, step] of [
    [object, 1],
    [intel, 1],
    [program, 97],
  ] as const) {
    assert.is(refused(bytes), null);
    let cut = 0;
    for (let length = 0; length < bytes.length; length += step) {
      const error = refused(bytes.slice(0, length));
      if (error === null) continue;
      assert.match(error.code, /^IPBP100[123]$/);
      assert.match(error.facts.where ?? '', /, offset 0x[0-9a-f]+$/);
      cut++;
    }
    assert.ok(cut > (bytes.length / step) * 0.8);
  }
});

test('kinds of files that are not read are named', () => {
  assertRefused(changed(object, 0, 0xfeedface), 'IPBP1003', /0xfeedface/);
  assertRefused(changed(object, 4, 12), 'IPBP1003', /cpu type 0xc/);
  assertRefused(changed(object, 12, 10), 'IPBP1003', /file type 10/);
});

test('load commands of impossible sizes', () => {
  assertRefused(changed(object, 36, 4), 'IPBP1002', /impossible size/);
  assertRefused(changed(object, 36, 0x7fff_fffc), 'IPBP1001', /truncated/);
  assertRefused(changed(object, 16, 0x0fff_ffff), 'IPBP1001', /truncated/);
});

test('sections outside the file, of impossible alignment, over one another', () => {
  const text = headerOf(object, '__text');
  assertRefused(changed(object, text + 40, 0x7000_0000), 'IPBP1001', /truncated/);
  assertRefused(changed(object, text + 52, 77), 'IPBP1002', /alignment/);
  let overlapping = object;
  for (const { index } of sections(object)) {
    const at = 32 + 72 + 80 * index;
    overlapping = changed(changed(overlapping, at + 48, 0), at + 40, object.length);
  }
  assertRefused(overlapping, 'IPBP1002', /overlap/);
});

test('symbols without a section, outside it, with names outside the string table', () => {
  const { symbolTable } = readMacho(object, 'sound').macho.headers;
  assert.ok(symbolTable);
  const row = readMacho(object, 'sound').macho.symbolTable();
  const first = row.section.findIndex((number) => number > 0);
  const at = symbolTable.offset + first * 16;
  const table = object.slice();
  table[at + 5] = 200;
  assertRefused(table, 'IPBP1002', /section that does not exist/);
  assertRefused(changed(object, at + 8, 0x00ff_ffff), 'IPBP1002', /outside its section/);
  assertRefused(changed(object, at, 0x00ff_ffff), 'IPBP1001', /truncated/);
});

test('relocations outside their section, of unknown symbols and sections, across symbols', () => {
  const { relocationOffset, relocationCount, size } = section(object, '__text');
  assertRefused(changed(object, relocationOffset, size), 'IPBP1002', /outside its section/);
  assertRefused(changed(object, relocationOffset, 0x8000_0000), 'IPBP1002', /outside its section/);
  const info = new DataView(object.buffer).getUint32(relocationOffset + 4, true);
  const unknown = Math.floor(info / 0x100_0000) * 0x100_0000 + 0xff_fffe;
  assertRefused(changed(object, relocationOffset + 4, unknown), 'IPBP1002', /unknown symbol/);
  // The extern bit: without it the number is a section's, which instructions of arm64 cannot refer to.
  assertRefused(changed(object, relocationOffset + 4, (info & ~0x0800_0000) >>> 0), 'IPBP1002', /must be a symbol/);
  const pointers = section(intel, '__data');
  const bySection = new DataView(intel.buffer).getUint32(pointers.relocationOffset + 4, true) & ~0x0800_0000;
  assertRefused(
    changed(intel, pointers.relocationOffset + 4, ((bySection & 0xff00_0000) | 0xffff) >>> 0),
    'IPBP1002',
    /unknown section/,
  );
  // The first function ends where the second begins, in the middle of what the field would be.
  const second = readMacho(object, 'sound').macho.pieces().start[1] ?? 0;
  const across = relocationOffset + 8 * (relocationCount - 1);
  assertRefused(changed(object, across, second - 2), 'IPBP1002', /across a symbol/);
});

test('halves of pairs', () => {
  const table = section(object, '__const');
  // In each difference the subtracted one comes first; what follows gets another place.
  assertRefused(changed(object, table.relocationOffset + 8, 0), 'IPBP1002', /no symbol behind it|outside/);
  const text = section(object, '__text');
  const types = Array.from({ length: text.relocationCount }, (_, index) =>
    new DataView(object.buffer).getUint32(text.relocationOffset + index * 8 + 4, true),
  );
  const addend = types.findIndex((info) => info >>> 28 === 10);
  assert.ok(addend >= 0);
  assertRefused(
    changed(object, text.relocationOffset + addend * 8 + 8, 0),
    'IPBP1002',
    /no relocation behind it|outside/,
  );
});

test('relocations of a section that has no bytes', () => {
  const text = headerOf(object, '__text');
  const flags = new DataView(object.buffer).getUint32(text + 64, true);
  assertRefused(changed(object, text + 64, flags + 1), 'IPBP1002', /without content/);
});

test('a difference of places that no symbol names', () => {
  const table = section(intel, '__const');
  const info = new DataView(intel.buffer).getUint32(table.relocationOffset + 4, true);
  const text = section(intel, '__text').index + 1;
  const bySection = ((info & 0xf700_0000) | text) >>> 0;
  assertRefused(changed(intel, table.relocationOffset + 4, bySection), 'IPBP1002', /no symbol names/);
});

test('tables of commands that lie outside the file', () => {
  const program = bytesOf(inputs.machoLinked('arm64', [inputs.machoObject('arm64', 'c', inputs.MACHO_C, '-O1')]));
  const { commands } = readMacho(program, 'sound').macho.headers;
  const read: Readonly<Record<string, (file: MachoFile) => unknown>> = {
    38: (file) => file.macho.linked?.functionStarts(),
    41: (file) => file.macho.dataInCode(),
    11: (file) => file.macho.indirectSymbols(),
  };
  let seen = 0;
  for (const { type, offset } of commands) {
    const ask = read[type];
    if (ask === undefined) continue;
    const field = type === 11 ? 56 : 8;
    const file = readMacho(changed(program, offset + field, 0x7fff_ffff), 'hostile.o');
    assert.throws(
      () => ask(file),
      (error: Error) => error instanceof IpbpError && error.code === 'IPBP1001',
    );
    seen++;
  }
  assert.is(seen, 3);
});

test.run();
