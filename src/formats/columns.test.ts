import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../tests/format-inputs.js';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IpbpError } from '../codes/error.js';
import * as columns from './columns.js';
import type { ObjectFile, ObjectSymbol } from './object-file.js';
import { readObjectFile } from './read-object.js';

function placeOf(section: number): ObjectSymbol['section'] {
  if (section === columns.SECTION_UNDEFINED) return 'undefined';
  if (section === columns.SECTION_ABSOLUTE) return 'absolute';
  return section === columns.SECTION_COMMON ? 'common' : section;
}

/** Everything the columns say must be what the model says. */
function compare(file: ObjectFile): { symbols: number; relocations: number } {
  const table = file.symbolColumns();
  assert.is(table.count, file.symbols.length);
  file.symbols.forEach((symbol, row) => {
    const { index, name, kind, binding, visibility, section, value, size } = symbol;
    assert.equal(
      {
        index: row,
        name: table.nameOf(row),
        kind: columns.SYMBOL_KINDS[table.kind[row] ?? -1],
        binding: columns.SYMBOL_BINDINGS[table.binding[row] ?? -1],
        visibility: columns.SYMBOL_VISIBILITIES[table.visibility[row] ?? -1],
        section: placeOf(table.section[row] ?? NaN),
        value: table.value[row],
        size: table.size[row],
      },
      { index, name, kind, binding, visibility, section, value, size },
    );
    assert.is(table.binding[row] === columns.BINDING_LOCAL, row < table.firstGlobal, symbol.name);
  });
  let relocations = 0;
  for (const { index } of file.sections) {
    const rows = file.relocationColumns(index);
    const want = file.relocations(index);
    relocations += want.length;
    assert.is(rows.count, want.length);
    want.forEach(({ offset, type, symbol, addend }, row) => {
      assert.equal(
        [rows.offset[row], rows.type[row], rows.symbol[row], rows.implicit ? null : rows.addend[row]],
        [offset, type, symbol, addend],
      );
    });
  }
  return { symbols: table.count, relocations };
}

/** An object of what the assembler is given. */
function assembled(source: string, name: string): ObjectFile {
  const path = join(inputs.scratch(), `${name}.o`);
  execFileSync('as', ['-o', path, '-'], { input: `${source}\n` });
  return readObjectFile(readFileSync(path), path);
}

const open = (path: string): ObjectFile => readObjectFile(inputs.bytesOf(path), path);

test('columns say what the model says, of objects of rustc, gcc and the assembler, and of a program', () => {
  let relocations = 0;
  for (const path of [inputs.releaseObject(), inputs.cObject(), inputs.assemblyObject(), inputs.arm64Object()]) {
    relocations += compare(open(path)).relocations;
  }
  assert.ok(relocations > 200);
  assert.ok(compare(open(inputs.rustProgram())).symbols > 1000);
  const many = open(inputs.manySectionsObject());
  compare(many);
  assert.ok(many.symbolColumns().section.some((section) => section > 0xff00));
});

test('a file without a symbol table has columns without rows', () => {
  const path = join(inputs.scratch(), 'stripped');
  execFileSync('strip', ['-o', path, inputs.rustProgram()]);
  const file = open(path);
  assert.is(file.symbolColumns().count, 0);
  assert.is(file.relocationColumns(1).count, 0);
});

test('an object at an odd place of an archive reads the same', () => {
  const bytes = inputs.bytesOf(inputs.releaseObject());
  const moved = new Uint8Array(bytes.length + 2);
  moved.set(bytes, 2);
  compare(readObjectFile(moved.subarray(2), 'moved.o'));
});

test('absolute symbols are signed; one beyond all integers is NaN and no error', () => {
  const table = assembled('.globl a, b, c\na = 0xffffffffffffffff\nb = 0x4000000000000001\nc = 7', 'absolute');
  const rows = table.symbolColumns();
  const named = new Map(Array.from(rows.value, (value, row) => [rows.nameOf(row), value]));
  assert.equal([named.get('a'), named.get('b'), named.get('c')], [-1, NaN, 7]);
  const model = new Map(table.symbols.map(({ name, value }) => [name, value]));
  assert.equal([model.get('a'), model.get('b'), model.get('c')], [-1, NaN, 7]);
});

test('relocations that the file has out of order come by offset, those of one place as they were', () => {
  const source = '.data\n.quad 0,0,0\n.reloc 16,R_X86_64_64,a\n.reloc 0,R_X86_64_64,b\n.reloc 0,R_X86_64_NONE,a\n';
  const file = assembled(source, 'unordered');
  const data = file.sections.find(({ name }) => name === '.data')?.index ?? -1;
  const reader = (file as unknown as { range(offset: number, size: number): Uint8Array }).range;
  // The assembler may have sorted them: turn the first and the last entry round.
  const section = file.sections.find(({ name }) => name === '.rela.data');
  assert.ok(section);
  const bytes = Uint8Array.from(reader(0, file.bytes.length));
  const [first, last] = [section.offset, section.offset + section.size - 24];
  const entry = bytes.slice(first, first + 24);
  bytes.copyWithin(first, last, last + 24);
  bytes.set(entry, last);
  const turned = readObjectFile(bytes, 'turned.o');
  compare(turned);
  const { offset } = turned.relocationColumns(data);
  assert.equal([...offset], [0, 0, 16]);
});

test('a name outside its table, an unknown binding and an unknown section are errors of columns too', () => {
  const original = inputs.bytesOf(inputs.cObject());
  const file = readObjectFile(original, 'a.o');
  const table = file.sections.find(({ name }) => name === '.symtab');
  assert.ok(table);
  for (const [at, value] of [
    [3, 0x7f],
    [4, 0x91],
    [7, 0xf0],
    [23, 0x7f],
  ] as const) {
    const bytes = Uint8Array.from(original);
    bytes[table.offset + 24 + at] = value;
    assert.throws(
      () => readObjectFile(bytes, 'a.o').symbolColumns(),
      (error: unknown) => error instanceof IpbpError && /^IPBP100[12]$/.test(error.code),
    );
  }
});

test.run();
