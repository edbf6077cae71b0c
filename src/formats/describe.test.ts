import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../tests/format-inputs.js';
import { openArchive } from './archive.js';
import { describeArchive, describeObject } from './describe.js';
import { archiveLines, objectLines } from './describe-text.js';
import { readElf } from './elf/read.js';

const NAMES = new Map([[4, 'R_X86_64_PLT32']]);
const relocationName = (type: number): string | undefined => NAMES.get(type);

test('an object as text: headers, symbols, named relocations, unwind records', () => {
  const path = inputs.assemblyObject();
  const lines = objectLines(describeObject(readElf(inputs.bytesOf(path), 'groups.o'), { relocationName }));
  assert.match(lines[0] ?? '', /^groups\.o: elf x86_64 relocatable, \d+ bytes$/);
  const text = lines.join('\n');
  assert.match(text, /\.text\.once \[code\] 2 bytes, file 0x[0-9a-f]+, align 1 alloc exec group signature/);
  assert.match(text, /ifunc global protected \.text\+0x0 0 bytes guarded/);
  assert.match(text, /relocations of \.text: 1\n {2}0x1 R_X86_64_PLT32 undefined-0x4/);
  assert.match(text, /relocations of \.data\.rel\.ro\.local: 1\n {2}0x0 type 1 signature-0x8/);
  assert.match(text, /unwind \.eh_frame: 1 CIEs, 2 FDEs\n {2}0x0 CIE "zR"\n {2}0x18 FDE \.text\.once 2 bytes/);
});

test('a program as data that JSON keeps', () => {
  const path = inputs.rustProgram();
  const description = describeObject(readElf(inputs.bytesOf(path), path), { relocationName });
  assert.match(description.linked?.buildId ?? '', /^([0-9a-f]{2})+$/);
  assert.ok(description.linked?.dynamic.some(({ name }) => name === 'NEEDED'));
  assert.ok(description.symbols.some(({ readable }) => readable === 'program::main'));
  assert.ok((description.unwind[0]?.fdes.length ?? 0) > 500);
  assert.equal(JSON.parse(JSON.stringify(description)), description);
});

test('one section only', () => {
  const file = readElf(inputs.bytesOf(inputs.assemblyObject()), 'groups.o');
  const description = describeObject(file, { relocationName, section: '.text.once' });
  assert.equal(
    description.sections.map(({ name }) => name),
    ['.text.once'],
  );
  assert.ok(description.symbols.every(({ section }) => section === description.sections[0]?.index));
});

test('an archive lists its members and its index', () => {
  const path = inputs.debugRlib();
  const lines = archiveLines(describeArchive(openArchive(inputs.bytesOf(path), 'units.rlib')));
  assert.is(lines[0], 'units.rlib: archive, 5 members');
  assert.ok(lines.some((line) => /debug_units::run in .*\.rcgu\.o$/.test(line)));
});

test.run();
