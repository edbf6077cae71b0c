// uvu, counted: what a test file declared, what ran, what failed in a hook. uvu 0.5.6 ends with status 0 when a suite
// forgets `.run()`, when a test throws something that is no Error, and when a `before` hook throws; the runner sees
// all three in the tally that this writes when the process ends. Plain JavaScript: it is loaded beside tsx.
import { writeFileSync } from 'node:fs';
import { suite as uvuSuite, test as uvuTest } from 'uvu';

const tally = { declared: 0, executed: 0, passed: 0, skipped: 0, only: 0, problems: [] };

function describe(value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : `a ${typeof value}: ${String(value)}`;
}

/** A hook that throws is noted, then goes on to uvu. */
function countedHook(kind, inner) {
  return (handler) =>
    inner(async (state) => {
      try {
        await handler(state);
      } catch (error) {
        tally.problems.push(`a ${kind} hook threw ${describe(error)}`);
        throw error instanceof Error ? error : new Error(describe(error), { cause: error });
      }
    });
}

function countedTest(inner) {
  return (name, handler) => {
    tally.declared++;
    inner(name, async (state) => {
      tally.executed++;
      try {
        await handler(state);
      } catch (error) {
        // uvu prints an Error and passes over anything else.
        if (error instanceof Error) throw error;
        throw new Error(`"${name}" threw ${describe(error)}`, { cause: error });
      }
      tally.passed++;
    });
  };
}

function counted(inner) {
  const test = countedTest(inner);
  test.only = (name, handler) => {
    tally.only++;
    countedTest(inner.only)(name, handler);
  };
  test.skip = (...args) => {
    tally.skipped++;
    inner.skip(...args);
  };
  test.before = countedHook('before', inner.before);
  test.after = countedHook('after', inner.after);
  test.before.each = countedHook('before.each', inner.before.each);
  test.after.each = countedHook('after.each', inner.after.each);
  test.run = inner.run;
  return test;
}

export const suite = (name, state) => counted(uvuSuite(name, state));
export const test = counted(uvuTest);

const report = process.env.IPBP_TEST_TALLY;
if (report !== undefined) {
  // Programs that a test starts must not overwrite the tally.
  delete process.env.IPBP_TEST_TALLY;
  process.on('exit', () => writeFileSync(report, JSON.stringify(tally)));
}
