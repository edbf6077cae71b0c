// Archives that are written are read back, by our reader, by ar and by linkers.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../tests/format-inputs.js';
import { openArchive } from './archive.js';
import { readObjectFile } from './read-object.js';
import { writeArchive, type NewMember } from './archive-write.js';

const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,40}$/);
const member = fc.record({ name, bytes: fc.uint8Array({ maxLength: 50 }), symbols: fc.array(name, { maxLength: 4 }) });

test('members, names and index are read back', () => {
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 6 }), (members) => {
      const archive = openArchive(writeArchive(members, 'test'), 'test');
      assert.equal(
        archive.members.map((one) => [one.name, [...archive.memberBytes(one.index)]]),
        members.map((one) => [one.name, [...one.bytes]]),
      );
      members.forEach(({ symbols }, index) => {
        for (const symbol of symbols) assert.ok(archive.definersOf(symbol).includes(index));
      });
    }),
  );
});

test('an rlib that is written again is the same to ar and nm', () => {
  const path = inputs.debugRlib();
  const before = openArchive(inputs.bytesOf(path), path);
  const symbols = before.members.map((): string[] => []);
  for (const [symbol, owners] of before.symbolIndex()) for (const owner of owners) symbols[owner]?.push(symbol);
  const members = before.members.map((one): NewMember => ({
    name: one.name,
    bytes: before.memberBytes(one.index),
    symbols: symbols[one.index] ?? [],
  }));
  const copy = join(inputs.scratch(), 'again.rlib');
  writeFileSync(copy, writeArchive(members, copy));
  const index = (archive: string): string[] =>
    inputs.output('nm', ['-s', archive]).split('\n\n')[0]?.split('\n').sort() ?? [];
  assert.ok(index(path).length > 10);
  assert.equal(index(copy), index(path));
  assert.is(inputs.output('ar', ['t', copy]), inputs.output('ar', ['t', path]));
});

test('an archive of Mach-O objects keeps BSD names, and Apple’s alignment of what is in it', () => {
  const compile = (text: string, to: string): Uint8Array => {
    const source = join(inputs.scratch(), `${to}.c`);
    writeFileSync(source, text);
    const object = join(inputs.scratch(), to);
    inputs.output('clang-19', ['-target', 'arm64-apple-macos11', '-c', source, '-o', object]);
    return inputs.bytesOf(object);
  };
  const members: NewMember[] = [
    { name: 'first.o', bytes: compile('int first(void) { return 1; }', 'first.o'), symbols: ['first'] },
    { name: 'a_name_of_more_bytes.o', bytes: compile('int more = 2;', 'more.o'), symbols: ['more'] },
  ];
  const path = join(inputs.scratch(), 'apple.a');
  writeFileSync(path, writeArchive(members, path, 'apple'));
  const archive = openArchive(inputs.bytesOf(path), path);
  assert.is(archive.form, 'apple');
  assert.equal(
    archive.members.map(({ name }) => name),
    members.map(({ name }) => name),
  );
  assert.equal(archive.definersOf('more'), [1]);
  assert.ok(archive.members.every(({ offset }) => offset % 8 === 0));
  archive.members.forEach(({ index }) => {
    const symbols = (object: ReturnType<typeof readObjectFile> | null): readonly string[] =>
      (object?.symbols ?? []).map(({ name }) => name);
    const { bytes, name } = members[index] as NewMember;
    assert.equal(symbols(archive.member(index)), symbols(readObjectFile(bytes, name)));
  });
  const map = inputs.output('llvm-nm-19', ['--print-armap', path]);
  assert.match(map, /_first in first\.o/);
  assert.match(map, /_more in a_name_of_more_bytes\.o/);
});

test.run();
