import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../tests/format-inputs.js';
import { wasmObject } from '../../tests/wasm-inputs.js';
import { readWasm } from '../formats/wasm/read.js';
import { openLinkObject } from './atoms.js';
import { openLines } from './function-lines.js';
import type { Atom } from './graph.js';

const bytes = bytesOf(wasmObject('c', 'int one(void) { return 1; }\nint two(void) { return 2; }', '-g'));

function linesOf(object: Uint8Array): number[] {
  const found = openLinkObject(readWasm(object, 'lines.o')).definition('two');
  const lines = openLines()(found?.atom as Atom);
  return lines.flatMap(({ source, line }) => (source === null ? [] : line));
}

test('a function has its own lines', () => {
  assert.equal([...new Set(linesOf(bytes))], [2]);
});

test('functions of an object whose lines are broken have none', () => {
  const section = readWasm(bytes, 'whole.o').sections.find(({ name }) => name === '.debug_line');
  const broken = new Uint8Array(bytes);
  // The version, behind the length.
  broken[(section?.offset ?? 0) + 4] = 99;
  assert.equal(linesOf(broken), []);
});

test.run();
