// Sixty patches in a page, through five cut connections; `npm run bench -- pages` brings a thousand through twenty.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manyPatches } from './many-patches.js';

/** Far above what a patch takes: what is to be seen is a patch that keeps more than it needs by orders of magnitude. */
const MOST_HEAP = 100_000;

test('sixty patches, five cuts: every answer is right, none is lost, none comes twice', async () => {
  const { patches, undone, lost, twice, looks } = await manyPatches({ patches: 60, cuts: 5, looks: 2 });
  assert.equal([patches, undone, lost, twice], [61, 1, 0, 0]);
  const [, first, last] = looks;
  assert.ok(first !== undefined && last !== undefined);
  for (const where of ['node', 'page'] as const) {
    const heap = (last[where].heap - first[where].heap) / (last.patches - first.patches);
    assert.ok(heap < MOST_HEAP, `${heap} bytes of ${where}'s heap for each patch`);
    assert.is(last[where].memory, first[where].memory, 'the arena is as large as before');
  }
});

test.run();
