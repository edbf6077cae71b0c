// A few objects of each origin through the comparison with JITLink: what CI runs of it. All of them:
// `npm run conformance -- elf --full --suite jitlink`, and with macho in the place of elf.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jitlinkSuite } from '../../conformance/jitlink/suite.js';
import { MACHINES, type SuiteRow } from '../../conformance/suite.js';

test('objects at given addresses have the bytes that JITLink gives them', async () => {
  const rows: SuiteRow[] = [];
  await jitlinkSuite('elf').run({ full: false, only: '', machines: MACHINES, seed: 1 }, (row) => rows.push(row));
  assert.equal(
    rows.flatMap(({ name, failures }) => failures.map((failure) => `${name}: ${failure}`)),
    [],
  );
  const compared = rows.flatMap(({ found }) =>
    [...found.matchAll(/(\d+) relocations equal/g)].map(([, n]) => Number(n)),
  );
  // Seven groups on x86_64, six on arm64, by two linkers each.
  assert.is(compared.length, 26);
  assert.ok(Math.min(...compared) > 15, String(compared));
  assert.ok(compared.reduce((sum, one) => sum + one) > 15_000, String(compared));
});

test('so do objects for macOS', async () => {
  const rows: SuiteRow[] = [];
  await jitlinkSuite('macho').run({ full: false, only: '', machines: MACHINES, seed: 1 }, (row) => rows.push(row));
  assert.equal(
    rows.flatMap(({ name, failures }) => failures.map((failure) => `${name}: ${failure}`)),
    [],
  );
  const compared = rows.map(({ found }) => Number(/(\d+) relocations equal, 0 differ/.exec(found)?.[1]));
  // Compiled and assembled ones of each machine.
  assert.is(compared.length, 4);
  assert.ok(
    compared.every((count) => count > 20),
    String(compared),
  );
  assert.ok(compared.reduce((sum, one) => sum + one) > 800, String(compared));
});

test.run();
