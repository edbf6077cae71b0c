// The share of the corpus that guards main: every verdict, and every fourth pair in running programs. `npm run corpus --
// --full` runs all of it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { drivePairs } from './drive.js';
import { PAIRS } from './pairs/all-pairs.js';

const ONE_IN = 4;

test('the corpus has at least forty edits of each kind, each pair under its own name', () => {
  const refused = PAIRS.filter(({ refuse }) => !('forks' in refuse));
  assert.ok(refused.length >= 40, `${refused.length} pairs`);
  assert.is(new Set(PAIRS.map(({ id }) => id)).size, PAIRS.length);
});

test('no verdict is wrong, and what was refused would have done harm', async () => {
  const sample = new Set(PAIRS.filter((_, at) => at % ONE_IN === 0));
  const results = await drivePairs(PAIRS, (pair) => sample.has(pair));
  assert.is(results.length, 2 * PAIRS.length);
  assert.is(results.filter(({ said }) => said !== null).length, 2 * sample.size);
  const wrong = results.flatMap(({ pair, what, failures }) =>
    failures.map((failure) => `${pair}, ${what}: ${failure}`),
  );
  assert.equal(wrong, []);
});

test.run();
