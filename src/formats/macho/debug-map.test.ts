import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { output } from '../../../tests/format-inputs.js';
import { MACHO_MACHINES } from '../../../tests/macho-inputs.js';
import { LoadCommands, machoLibrary } from '../../../tests/macho-library.js';
import { debugMapRows, readDebugMap } from './debug-map.js';
import type { SymbolRow } from './encode-symbols.js';

const LC_SYMTAB = 2;

function rowsOf(file: LoadCommands): SymbolRow[] {
  const at = file.find(LC_SYMTAB);
  const [symbols, count, strings] = [file.u32(at + 8), file.u32(at + 12), file.u32(at + 16)];
  return Array.from({ length: count }, (_, i) => {
    const row = symbols + i * 16;
    const name = Buffer.from(file.bytes.subarray(strings + file.u32(row)))
      .toString('latin1')
      .replace(/\0.*/s, '');
    const [type, section] = [file.bytes[row + 4]!, file.bytes[row + 5]!];
    return { name, type, section, description: file.view.getUint16(row + 6, true), value: file.u64(row + 8) };
  });
}

for (const machine of MACHO_MACHINES) {
  test(`the map of ${machine} is read as dsymutil reads it, and its symbols written as the linker did`, () => {
    const path = machoLibrary(machine);
    const rows = rowsOf(LoadCommands.of(path));
    const units = readDebugMap(rows);
    assert.is(units.length, 1);
    const { source, object, functions, data } = units[0]!;
    const text = output('dsymutil-19', ['--dump-debug-map', path]);
    assert.is(object, /filename: *'(.*)'/.exec(text)?.[1]);
    assert.ok(source.endsWith('.c'));
    const sizes = [...text.matchAll(/sym: '?([\w$]+)'?,.*binAddr: (0x\w+), size: (0x\w+)/g)];
    const expected = sizes.filter(([, , , size]) => Number(size) > 0);
    assert.equal(
      functions.map((one) => [one.name, one.address, one.size]).sort(),
      expected.map(([, name, address, size]) => [name, Number(address), Number(size)]).sort(),
    );
    assert.ok(functions.length >= 5);
    assert.equal([...functions, ...data].map(({ name }) => name).sort(), sizes.map(([, name]) => name).sort());

    const shown = (all: readonly SymbolRow[]): string[] =>
      all.map((row) => JSON.stringify(row, ['name', 'type', 'section', 'value'])).sort();
    // lld gives the object's row the number of the processor's kind as its section.
    const stabs = rows
      .filter(({ type }) => type >= 0x20)
      .map((row) => (row.type === 0x66 ? { ...row, section: 0 } : row));
    assert.equal(shown(debugMapRows(units)), shown(stabs));
    assert.equal(readDebugMap(debugMapRows(units)), units);
  });
}

test('what belongs to no object is left out', () => {
  const row = (type: number, name: string, value = 0): SymbolRow => ({ type, name, section: 1, description: 0, value });
  const rows = [
    row(0x24, '_f', 8),
    row(0x24, '', 4),
    row(0x0f, '_f', 8),
    row(0x24, '', 4),
    row(0x64, '/src/'),
    row(0x64, 'a.c'),
  ];
  assert.equal(readDebugMap(rows), []);
  const units = readDebugMap([...rows, row(0x66, 'a.o', 5), row(0x24, '_g', 16), row(0x24, '', 2), row(0x64, '')]);
  const functions = [{ name: '_g', address: 16, size: 2, section: 1 }];
  assert.equal(units, [{ source: '/src/a.c', object: 'a.o', modified: 5, functions, data: [] }]);
});

test.run();
