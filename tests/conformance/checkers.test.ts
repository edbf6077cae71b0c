// What others say of a few of our Mach-O libraries, and that they would tell of wrong ones: what CI runs of it. All of
// them, and rcodesign: `npm run conformance -- macho --full --suite checkers`.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkersSuite } from '../../conformance/checkers/suite.js';
import { MACHINES, type SuiteRow } from '../../conformance/suite.js';

test('LLVM, LIEF and the hash of every page accept what we write, and nothing that is wrong on purpose', async () => {
  const rows: SuiteRow[] = [];
  await checkersSuite.run({ full: false, only: '', machines: MACHINES, seed: 1 }, (row) => rows.push(row));
  assert.equal(
    rows.flatMap(({ name, failures }) => failures.map((failure) => `${name}: ${failure}`)),
    [],
  );
  // Of each machine a library in two forms, two patches in two forms, and those that are wrong.
  assert.is(rows.length, 14);
  assert.equal(
    rows.filter(({ name }) => name === 'wrong on purpose').map(({ found }) => found),
    ['11 files', '11 files'],
  );
});

test.run();
