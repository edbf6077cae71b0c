import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../../tests/format-inputs.js';
import { handmadeLibrary } from '../../../tests/handmade-library.js';
import * as columns from '../columns.js';
import type { ElfFile } from './read.js';
import { readElf } from './read.js';

/** `name@@version` of all dynamic symbols, as readelf writes them. */
function fullNames(file: ElfFile): string[] {
  const { linked } = file;
  assert.ok(linked);
  return linked.dynamicSymbols.map(({ name, index, section }) => {
    const version = linked.versionOf(index);
    // The C library has a symbol named after each version, which readelf prints without it.
    if (version === null || (section === 'absolute' && version.name === name)) return name;
    assert.is(version.library !== null, section === 'undefined');
    return `${name}${version.hidden || version.library !== null ? '@' : '@@'}${version.name}`;
  });
}

function readelfNames(path: string): string[] {
  const text = execFileSync('readelf', ['--dyn-syms', '-W', path], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const lines = text.split('\n').filter((line) => /^\s*\d+: /.test(line));
  return lines.map((line) => line.trim().split(/\s+/)[7] ?? '');
}

test('versions of the C library and of a program are those that readelf prints', () => {
  for (const path of [inputs.cLibrary(), inputs.rustProgram()]) {
    const names = fullNames(readElf(inputs.bytesOf(path), path));
    assert.equal(names, readelfNames(path));
    assert.ok(names.some((name) => name.includes('@GLIBC_')));
  }
});

test('the C library has a symbol in several versions, of which one is shown', () => {
  const { linked } = readElf(inputs.bytesOf(inputs.cLibrary()), 'libc.so.6');
  const versions = linked?.dynamicSymbols
    .filter(({ name }) => name === 'memcpy')
    .map(({ index }) => linked.versionOf(index));
  assert.equal(versions?.map((version) => version?.hidden).sort(), [false, true]);
});

test('what was encoded is read', () => {
  const file = readElf(handmadeLibrary(), 'libhand.so');
  assert.equal(file.linked?.versionOf(1), { name: 'GLIBC_2.2.5', hidden: false, library: 'libc.so.6' });
  assert.is(file.linked?.versionOf(2), null);
  assert.throws(() => file.linked?.versionOf(1_000_000), /IPBP1001/);
});

test('dynamic symbols as columns are the dynamic symbols', () => {
  const { linked } = readElf(inputs.bytesOf(inputs.cLibrary()), 'libc.so.6');
  const rows = linked?.dynamicColumns();
  assert.ok(rows && linked);
  assert.equal(
    Array.from({ length: rows.count }, (_, row) => [
      rows.nameOf(row),
      rows.value[row],
      columns.SYMBOL_KINDS[rows.kind[row] ?? -1],
    ]),
    linked.dynamicSymbols.map(({ name, value, kind }) => [name, value, kind]),
  );
});

test.run();
