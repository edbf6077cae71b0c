// A fixed seed of hostile input to every reader, and the checks that notice what they are there to notice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mutate, type Change, type Seed } from './mutations.js';
import { runFuzz } from './run.js';
import { makeSeeds, readSeeds } from './seeds.js';
import { TARGETS, type Target } from './targets.js';
import { attempt, noTally } from './trial.js';

const NO_COVERAGE = { coverage: null, coverageCases: 0 };

test('the seeds themselves are read: broken files begin as sound ones', () => {
  const root = mkdtempSync(join(tmpdir(), 'ipbp-seeds-'));
  try {
    makeSeeds(root);
    for (const { name: reader, shelf, aims, read } of TARGETS) {
      // What else is sound may be refused: code that shared objects cannot hold, messages of another kind.
      if (!/^(?:object|linked|debug|split|unwind.*|macho(?:-(?:linked|debug|unwind))?|wasm|archive)$/.test(reader))
        continue;
      for (const seed of readSeeds(root, shelf)) {
        if (seed.name === 'thin.a') continue;
        assert.not.throws(() => read(seed.bytes, { ...seed, ...aims(seed.bytes) }), `${reader}: ${seed.name}`);
      }
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('six thousand cases of a fixed seed: read or refused, in bounded time and memory', async () => {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const result = await runFuzz({ runs: 6000, seed: 20260101, only: [], children: 1, ...NO_COVERAGE, say });
  assert.equal(lines, []);
  assert.is(result.failures.length, 0);
  assert.is(Object.keys(result.targets).length, TARGETS.length);
  for (const [name, { cases, accepted, refused }] of Object.entries(result.targets)) {
    assert.ok(cases >= 50, name);
    // Changes that are all refused at the door test nothing behind it.
    assert.ok(accepted > 0, `${name}: ${JSON.stringify(refused)}`);
  }
});

const SEED: Seed = {
  name: 'made',
  bytes: new Uint8Array(64),
  fields: [{ offset: 8, size: 4 }],
  hot: [],
  records: [{ offset: 0, size: 8, count: 8 }],
  partner: null,
};
const target = (read: Target['read']): Target => ({ ...(TARGETS[0] as Target), read });
const verdict = (read: Target['read']): (() => void) => {
  return () => attempt(target(read), SEED, [], noTally());
};

test('another exception, a long time and much memory are each a failure', () => {
  assert.not.throws(verdict(() => null));
  assert.throws(
    verdict(() => {
      throw new RangeError('Invalid typed array length');
    }),
    /Invalid typed array length/,
  );
  assert.throws(
    verdict(() => {
      for (const start = process.cpuUsage(); process.cpuUsage(start).user < 600_000;);
    }),
    /took \d+ ms for 64 bytes/,
  );
  assert.throws(
    verdict(() => new Uint8Array(2 ** 24)),
    /holds \d+ bytes for 64/,
  );
  assert.throws(
    verdict(() => Array.from({ length: 400_000 }, (_, index) => ({ index }))),
    /holds \d+ bytes for 64/,
  );
});

test('changes are applied to a copy, in order, wherever they point', () => {
  const list: Change[] = [
    ['field', 0, 0, 15],
    ['record', 0, 1, 7],
    ['insert', 3, 9, 0],
    ['cut', 0, 60, 0],
  ];
  const changed = mutate(SEED, list);
  assert.is(changed.length, 60);
  assert.ok(SEED.bytes.every((byte) => byte === 0));
  assert.ok(changed.some((byte) => byte !== 0));
  assert.equal(mutate(SEED, list), changed);
  assert.is(mutate({ ...SEED, bytes: new Uint8Array(0) }, list).length, 0);
});

test.run();
