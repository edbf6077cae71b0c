// The matrix as uvu tests: one process, every row a test of its own. A row depends on those before it, so they run in
// order.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rowsOf } from './all-rows.js';
import { DEBUG } from './configurations.js';
import { type Run, openRun } from './drive.js';
import { type Program } from './program.js';

/** Declares and runs the tests of one program in the debug build. */
export function testMatrix(program: Program): void {
  const test = suite(program.name);
  let run: Run | undefined;
  test.before(async () => {
    run = await openRun(program, DEBUG, 'test', 1);
  });
  for (const row of rowsOf(program)) {
    test(row.name, async () => {
      assert.ok(run, 'the program runs');
      const { failures } = await run.row(row);
      assert.equal(failures, []);
    });
  }
  test('no request failed', async () => {
    assert.ok(run, 'the program runs');
    const { traffic } = await run.close();
    assert.equal(traffic.failures, []);
    assert.ok(traffic.made > 50, `only ${traffic.made} requests were made`);
  });
  test.after(async () => {
    await run?.close();
  });
  test.run();
}
