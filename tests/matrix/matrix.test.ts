// The edit matrix in the debug build, one process per program, every row a test of its own. A row depends on those
// before it, so the rows run in order.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rowsOf } from './all-rows.js';
import { DEBUG } from './configurations.js';
import { type Run, openRun } from './drive.js';
import { PLAIN, SERVER } from './program.js';

for (const program of [PLAIN, SERVER]) {
  const test = suite(program.name);
  let run: Run | undefined;
  test.before(async () => {
    run = await openRun(program, DEBUG, 'test', 1);
  });
  for (const row of rowsOf(program)) {
    test(`${program.name}: ${row.name}`, async () => {
      assert.ok(run, 'the program runs');
      const { failures } = await run.row(row);
      assert.equal(failures, []);
    });
  }
  test(`${program.name}: no request failed`, async () => {
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
