import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch } from '../../../tests/format-inputs.js';
import { BUILD_ID, handmadeLibrary } from '../../../tests/handmade-library.js';
import { BINDING_GLOBAL } from '../columns.js';
import { functionRanges } from '../dwarf/eh-frame.js';
import { encodeEhFrameHeader } from '../dwarf/eh-frame-header.js';
import * as elf from './constants.js';
import { encodeSymbols, symbolRows } from './encode-symbols.js';
import { readElf } from './read.js';
import { linkedHeaderSize, putLinkedHeaders, sectionHeadersSize } from './write-linked.js';

/** The library as a file. */
function written(): string {
  const path = join(scratch(), 'libhand.so');
  writeFileSync(path, handmadeLibrary());
  return path;
}

const run = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

test('our reader sees what was written', () => {
  const file = readElf(handmadeLibrary(), 'libhand.so');
  assert.is(file.kind, 'shared');
  assert.is(file.machine, 'x86_64');
  assert.is(file.linked?.soname, 'libhand.so.1');
  assert.equal(file.linked?.needed, ['libc.so.6']);
  assert.equal(file.linked?.buildId, BUILD_ID);
  const symbols = file.linked?.dynamicSymbols.map(({ name, kind, binding }) => [name, kind, binding]) ?? [];
  assert.equal(symbols.slice(0, 2), [
    ['', 'none', 'local'],
    ['exit', 'function', 'weak'],
  ]);
  assert.equal(symbols.slice(2).sort(), [
    ['answer', 'function', 'global'],
    ['words', 'data', 'global'],
  ]);
  const frame = file.sections.find(({ name }) => name === '.eh_frame');
  const code = file.sections.find(({ name }) => name === '.text');
  const ranges = functionRanges(file.sectionBytes(frame?.index ?? 0), frame?.address ?? 0, 'libhand.so');
  assert.equal(
    ranges.map(({ start }) => start),
    [code?.address],
  );
  assert.is(file.dynamicRelocations().length, 1);
});

test('readelf sees it without a complaint', () => {
  const path = written();
  const { stdout, stderr } = {
    stdout: run('readelf', ['-aW', '--use-dynamic', path]) + run('readelf', ['-aW', path]),
    stderr: execFileSync(
      'sh',
      ['-c', 'readelf -aW "$0" 2>&1 >/dev/null; readelf -lW "$0" | grep -i warn || true', path],
      {
        encoding: 'utf8',
      },
    ),
  };
  assert.is(stderr, '');
  for (const part of ['libhand.so.1', 'GLIBC_2.2.5', 'exit@GLIBC_2.2.5', 'GNU_RELRO', 'RELR', 'Build ID: 0102030405']) {
    assert.ok(stdout.includes(part), part);
  }
  assert.match(run('readelf', ['--debug-dump=frames', path]), /FDE cie=0+ pc=/);
});

test('the loader loads it, finds its symbols and rebases its words', () => {
  const path = written();
  const source = join(scratch(), 'hand.c');
  writeFileSync(
    source,
    `#include <dlfcn.h>
     #include <stdio.h>
     #include <stdlib.h>
     int main(int argc, char **argv) {
       void *library = dlopen(argv[1], RTLD_NOW);
       if (!library) { puts(dlerror()); return 1; }
       int (*answer)(void) = dlsym(library, "answer");
       void **words = dlsym(library, "words");
       printf("%d %d %d %d\\n", answer(), words[0] == (void *)answer, words[1] == (void *)words, words[2] == (void *)exit);
       return 0;
     }`,
  );
  const program = join(scratch(), 'hand');
  run('gcc', ['-o', program, source]);
  assert.is(run(program, [path]), '42 1 1 1\n');
});

test('counts beyond their fields stand in section header 0', () => {
  const sections = Array.from({ length: 0xff10 }, () => ({
    nameOffset: 0,
    type: elf.SHT_PROGBITS,
    flags: 0,
    address: 0,
    offset: 0,
    size: 0,
    link: 0,
    info: 0,
    align: 1,
    entrySize: 0,
  }));
  const sectionsAt = linkedHeaderSize(0);
  const file = new Uint8Array(sectionsAt + sectionHeadersSize(sections.length) + 1);
  sections.push({ ...(sections[0] as (typeof sections)[0]), type: elf.SHT_STRTAB, offset: file.length - 1, size: 1 });
  const larger = new Uint8Array(file.length + elf.SHDR_SIZE);
  putLinkedHeaders(larger, {
    osAbi: elf.ELFOSABI_GNU,
    machine: 'arm64',
    type: elf.ET_DYN,
    entry: 0x1234,
    programs: [],
    sections,
    sectionsAt,
    nameTable: sections.length,
  });
  const { headers, machine } = readElf(larger, 'many');
  assert.equal([headers.sections.length, headers.nameTable, headers.entry], [0xff12, 0xff11, 0x1234]);
  assert.is(machine, 'arm64');
});

test('section indexes beyond their field stand in a table of their own', () => {
  const rows = symbolRows(2);
  rows.count = 2;
  rows.section.set([3, 0x12345]);
  rows.binding.fill(BINDING_GLOBAL);
  rows.value[1] = 2 ** 40 + 5;
  const { entries, extended } = encodeSymbols(rows);
  const view = new DataView(entries.buffer);
  assert.equal([view.getUint16(24 + 6, true), view.getUint16(48 + 6, true)], [3, elf.SHN_XINDEX]);
  assert.equal([...new Uint32Array(extended?.buffer ?? new ArrayBuffer(0))], [0, 0, 0x12345]);
  assert.is(view.getBigUint64(48 + 8, true), 2n ** 40n + 5n);
});

test('the table of unwind information is sorted, and far code is an error', () => {
  const header = (code: readonly number[]): Uint8Array =>
    encodeEhFrameHeader(0x1000, 0x2000, {
      count: code.length,
      code: Float64Array.from(code),
      fde: Float64Array.from(code, (_, index) => 0x2000 + index * 16),
    });
  const view = new DataView(header([0x5000, 0x4000, 0x800]).buffer);
  const word = (at: number): number => view.getInt32(at, true);
  assert.equal([word(4), word(8)], [0x2000 - 0x1004, 3]);
  assert.equal([word(12), word(16), word(20), word(28)], [-0x800, 0x1020, 0x3000, 0x4000]);
  assert.throws(() => header([2 ** 33]), /IPBP2002/);
});

test.run();
