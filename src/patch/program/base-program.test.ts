// Whose definition a library means where other modules export the same name.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, output, scratch } from '../../../tests/format-inputs.js';
import { machoLibraryOf } from '../../../tests/macho-library.js';
import { readObjectFile } from '../../formats/read-object.js';
import { openBaseProgram, type BaseProgram } from './base-program.js';

const SOURCE = 'int plain(int x) { return x + 1; }\n__attribute__((weak)) int weak(int x) { return plain(x) + 2; }\n';

/** A library as it is opened by a process in which another of the same names is looked up first. */
function second(path: string): BaseProgram {
  const file = readObjectFile(bytesOf(path), path);
  return openBaseProgram(file, () => [{ name: 'first', open: () => file }], { searchedBefore: () => 1 });
}

test('with two-level names a library means its own definitions, but for weak ones', () => {
  const library = second(machoLibraryOf(SOURCE, 'x86_64', '-undefined', 'dynamic_lookup'));
  assert.equal(['plain', 'weak'].map(library.isPreempted), [false, true]);
});

test('with a flat namespace it means those of the module before it', () => {
  const [source, path] = ['preempted.c', 'preempted.so'].map((name) => join(scratch(), name)) as [string, string];
  writeFileSync(source, SOURCE);
  output('gcc', ['-shared', '-fPIC', '-nostdlib', source, '-o', path]);
  assert.equal(['plain', 'weak', 'absent'].map(second(path).isPreempted), [true, true, false]);
});

test.run();
