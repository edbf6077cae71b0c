// `npm run corpus`: the verdict of every edit of the corpus; `--full`: every patch is applied to a running program as
// well, refused ones by force, and the record is written. `--live` does without the record, `--only ID,ID…` narrows it
// down, `--seed N` chooses the order, `--target TRIPLE` takes programs for macOS.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../matrix/program.js';
import { readOrigin } from '../matrix/report.js';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { drivePairs, type EditResult } from './drive.js';
import { shuffled } from './pair.js';
import { PAIRS } from './pairs/all-pairs.js';
import { HERE, darwin } from './place.js';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    live: { type: 'boolean', default: false },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
  },
});
const place = values.target === undefined ? HERE : darwin(values.target as DarwinTarget);
const RECORD = join('tests', 'corpus', 'results', place === HERE ? 'full.json' : `full-${place.name}.json`);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function lineOf({ pair, expected, what, words, said, failures }: EditResult): string {
  const head = `${failures.length === 0 ? 'ok  ' : 'FAIL'} ${pair.padEnd(26)} ${expected.padEnd(8)} ${what}`;
  const more = [
    ...(expected === 'refused' ? words.split('\n') : []),
    ...(said === null ? [] : [`said: ${said}`]),
    ...failures,
  ];
  return [head, ...more.map((text) => `       ${text}`)].join('\n');
}

const origin = readOrigin();
const start = performance.now();
const only = values.only?.split(',');
const seed = Number(values.seed);
const pairs = shuffled(PAIRS, seed).filter(({ id }) => only === undefined || only.includes(id));
const live = values.full || values.live;
const results = await drivePairs(
  pairs,
  () => live,
  (result) => say(lineOf(result)),
  place,
);
const wrong = results.filter(({ failures }) => failures.length > 0);
say(`${results.length} edits, ${wrong.length} wrong`);
if (values.full) {
  const seconds = Math.round((performance.now() - start) / 1000);
  const [refused, taken] = (['refused', 'taken'] as const).map(
    (expected) => results.filter((result) => result.expected === expected).length,
  );
  const edits = [...results].sort((a, b) => (a.pair < b.pair ? -1 : a.pair > b.pair ? 1 : 0));
  const record = { ...origin, seed, seconds, refused, taken, wrong: wrong.length, edits };
  mkdirSync(join(ROOT, RECORD, '..'), { recursive: true });
  writeFileSync(join(ROOT, RECORD), `${JSON.stringify(record, undefined, 1)}\n`);
  say(`written: ${RECORD}`);
}
process.exitCode = wrong.length === 0 && results.length > 0 ? 0 : 1;
