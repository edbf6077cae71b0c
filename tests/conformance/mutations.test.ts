// The mutations of `npm run mutations` are texts in sources: whoever changes those learns here that they stand no longer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MUTATIONS as OF_ELF } from '../../conformance/mutations/list.js';
import { MACHO_MUTATIONS } from '../../conformance/mutations/list-macho.js';
import { WASM_MUTATIONS } from '../../conformance/mutations/list-wasm.js';
import { ROOT } from '../../conformance/record.js';

const MUTATIONS = [...OF_ELF, ...MACHO_MUTATIONS, ...WASM_MUTATIONS];

test('the text of each mutation stands once in its file', () => {
  const counts = MUTATIONS.map(({ name, file, find }) => {
    const found = readFileSync(join(ROOT, file), 'utf8').split(find).length - 1;
    return `${name}: ${found}`;
  });
  assert.equal(
    counts.filter((line) => !line.endsWith(': 1')),
    [],
  );
});

test('there are enough of them, and each has a name of its own and changes something', () => {
  assert.ok(MUTATIONS.length >= 20);
  assert.is(new Set(MUTATIONS.map(({ name }) => name)).size, MUTATIONS.length);
  assert.ok(MUTATIONS.every(({ find, put }) => find !== put));
});

test.run();
