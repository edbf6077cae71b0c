// A few objects of each origin through the comparison with wasm-ld: what CI runs of it. All of them:
// `npm run conformance -- wasm --full`.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { relocatedSuite } from '../../conformance/relocated/suite.js';
import type { SuiteRow } from '../../conformance/suite.js';

test('objects have the bytes that wasm-ld gives them, at the same indexes and addresses', async () => {
  const rows: SuiteRow[] = [];
  await relocatedSuite.run({ full: false, only: '', machines: [], seed: 1 }, (row) => rows.push(row));
  assert.equal(
    rows.flatMap(({ name, failures }) => failures.map((failure) => `${name}: ${failure}`)),
    [],
  );
  const compared = rows.map(({ found }) => Number(/(\d+) relocations/.exec(found)?.[1]));
  assert.is(compared.length, 4);
  assert.ok(Math.min(...compared) > 500, String(compared));
});

test.run();
