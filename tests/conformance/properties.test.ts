// Random links mean the same by every linker: a few with a fixed seed; `npm run conformance -- elf --suite properties
// --full` makes many.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { propertiesSuite } from '../../conformance/properties/suite.js';
import { MACHINES, type SuiteRow } from '../../conformance/suite.js';

for (const machine of MACHINES) {
  test(`${machine}: random links`, async () => {
    const rows: SuiteRow[] = [];
    await propertiesSuite.run({ full: false, only: '', machines: [machine], seed: 20 }, (row) => rows.push(row));
    assert.is(rows.length, 1);
    assert.equal(rows[0]!.failures, []);
  });
}

test.run();
