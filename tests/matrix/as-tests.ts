// The matrix as uvu tests: one process, every row a test of its own. A row depends on those before it, so they run in
// order.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Run, openRun } from './drive.js';
import { type Trial } from './trials.js';

/** Declares and runs the tests of one session. */
export function testMatrix({ program, configuration, rows, onRefusal }: Trial): void {
  const test = suite(`${program.name}, ${configuration.name}`);
  // The debug build's directory serves all tests of a program.
  const purpose = configuration.name === 'debug' ? 'test' : `test-${configuration.name}`;
  let run: Run | undefined;
  test.before(async () => {
    run = await openRun(program, configuration, purpose, 1, onRefusal);
  });
  for (const row of rows) {
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
    // A program that is restarted is left alone meanwhile.
    if (onRefusal === 'continue') assert.ok(traffic.made > 50, `only ${traffic.made} requests were made`);
  });
  test.after(async () => {
    await run?.close();
  });
  test.run();
}
