import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { join, resolve } from 'node:path';
import * as inputs from '../../tests/format-inputs.js';
import { ByteWriter } from '../bytes/writer.js';
import { openArchive } from './archive.js';
import type { Archive } from './archive.js';
import { detectFormat } from './detect.js';

const open = (path: string): Archive => openArchive(inputs.bytesOf(path), path);

/** `nm -s`: symbol → member names. */
function indexByNm(path: string): Map<string, string[]> {
  const index = new Map<string, string[]>();
  const text = inputs.output('nm', ['-s', path]);
  const part = text.slice(text.indexOf('Archive index:'), text.indexOf('\n\n', text.indexOf('Archive index:')));
  for (const [, symbol = '', member = ''] of part.matchAll(/^(\S+) in (.*)$/gm)) {
    index.set(symbol, [...(index.get(symbol) ?? []), member]);
  }
  return index;
}

function compareIndex(path: string): number {
  const archive = open(path);
  const want = indexByNm(path);
  assert.equal([...archive.symbolIndex().keys()].sort(), [...want.keys()].sort());
  for (const [symbol, members] of want) {
    const found = archive.definersOf(symbol);
    assert.equal(
      found.map((index) => archive.members[index]?.name),
      members,
    );
    assert.equal(archive.symbolIndex().get(symbol), found);
  }
  assert.equal(archive.definersOf('no such symbol'), []);
  return want.size;
}

test('rlibs list their members and symbols as ar and nm do', () => {
  for (const path of [inputs.debugRlib(), inputs.standardRlib('std'), inputs.standardRlib('compiler_builtins')]) {
    const archive = open(path);
    const want = inputs.output('ar', ['tO', path]).trim().split('\n');
    assert.equal(
      archive.members.map(({ name, offset }) => `${name} 0x${offset.toString(16)}`),
      want,
    );
    assert.ok(compareIndex(path) > 10);
  }
});

test('members open as objects, rustc metadata does not', () => {
  const archive = open(inputs.debugRlib());
  for (const { index, name } of archive.members) {
    const object = archive.member(index);
    if (name === 'lib.rmeta') assert.is(object, null);
    else {
      assert.is(object?.kind, 'relocatable');
      assert.is(object?.name, `${archive.name}(${name})`);
      assert.is(archive.member(index), object);
    }
  }
});

test('archives of GNU ar with long and short names, and one without an index', () => {
  const folder = inputs.scratch();
  const indexed = join(folder, 'indexed.a');
  const bare = join(folder, 'bare.a');
  const long = join(folder, 'a-name-of-more-than-fifteen-letters.o');
  inputs.output('cp', [inputs.cObject(), long]);
  inputs.output('ar', ['rcs', indexed, inputs.assemblyObject(), long]);
  inputs.output('ar', ['rcS', bare, inputs.assemblyObject(), long]);
  assert.equal(
    open(indexed).members.map(({ name }) => name),
    ['groups.o', 'a-name-of-more-than-fifteen-letters.o'],
  );
  assert.ok(compareIndex(indexed) > 3);
  const sorted = (archive: Archive): unknown[] =>
    [...archive.symbolIndex()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, members]) => [name, [...members]]);
  assert.equal(sorted(open(bare)), sorted(open(indexed)));
  assert.equal(open(bare).definersOf('work'), [1]);
});

test('a thin archive names its members but does not hold them: they are read by who opens it', () => {
  const path = join(inputs.scratch(), 'thin.a');
  inputs.output('ar', ['rcsT', path, inputs.cObject()]);
  const archive = open(path);
  assert.is(archive.thin, true);
  assert.equal(archive.definersOf('work'), [0]);
  assert.throws(
    () => archive.member(0),
    (error: Error) => error.message.startsWith('IPBP1003'),
  );
  const asked: string[] = [];
  const whole = openArchive(inputs.bytesOf(path), path, (name) => {
    asked.push(name);
    return inputs.bytesOf(resolve(inputs.scratch(), name));
  });
  assert.ok(whole.member(0)?.symbols.some(({ name }) => name === 'work'));
  assert.equal(
    asked.map((name) => resolve(inputs.scratch(), name)),
    [inputs.cObject()],
  );
});

test('BSD archives: names behind the header, ranlib index', () => {
  const object = inputs.bytesOf(inputs.cObject());
  const writer = new ByteWriter();
  const header = (name: string, size: number): void => {
    writer.text(name.padEnd(16)).text('0'.padEnd(12)).text('0'.padEnd(6)).text('0'.padEnd(6)).text('644'.padEnd(8));
    writer.text(String(size).padEnd(10)).text('`\n');
  };
  writer.text('!<arch>\n');
  header('#1/20', 20 + 4 + 16 + 4 + 16);
  writer.text('__.SYMDEF SORTED').fill(4);
  const memberAt = 8 + 60 + 60;
  writer.u32(16).u32(0).u32(memberAt).u32(5).u32(memberAt);
  writer.u32(16).text('work\0text\0').fill(6);
  header('#1/12', 12 + object.length);
  writer.text('long name.o\0').raw(object).align(2);
  const archive = openArchive(writer.finish(), 'bsd.a');
  assert.equal(
    archive.members.map(({ name, size }) => [name, size]),
    [['long name.o', object.length]],
  );
  assert.equal(archive.definersOf('text'), [0]);
  assert.is(archive.member(0)?.symbols.filter(({ name }) => name === 'work').length, 1);
});

test('formats are told by their first bytes', () => {
  assert.is(detectFormat(inputs.bytesOf(inputs.cObject())), 'elf');
  assert.is(detectFormat(inputs.bytesOf(inputs.debugRlib())), 'archive');
  assert.is(detectFormat(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)), 'wasm');
  assert.is(detectFormat(Uint8Array.of(0xcf, 0xfa, 0xed, 0xfe)), 'macho');
  assert.is(detectFormat(Uint8Array.of(0x64, 0x86, 2, 0)), 'coff');
  assert.is(detectFormat(new Uint8Array(0)), null);
  assert.is(detectFormat(new TextEncoder().encode('#!/bin/sh')), null);
});

test.run();
