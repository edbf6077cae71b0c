// `npm run fuzz -- --runs N [--seed S] [--only TARGET,TARGET] [--children N] [--agent N] [--record]`: hostile input for
// every reader, and N cases of each property of the agent's. The same seed gives the same cases. `--record` writes
// tests/fuzz/results/full.json, with the coverage of the first cases, which are run more slowly for it. Ends with 1 where
// a case went wrong.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readOrigin } from '../matrix/report.js';
import { runAgent } from './agent-run.js';
import { casesOf, readCoverage, writeRecord } from './record.js';
import { lineOf, runFuzz } from './run.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    children: { type: 'string', default: '1' },
    agent: { type: 'string', default: '0' },
    record: { type: 'boolean', default: false },
  },
});
/** Cases whose coverage is recorded, of a long run. */
const COVERED = 40_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const origin = readOrigin();
const [runs, seed] = [Number(values.runs), Number(values.seed)];
const coverage = values.record ? mkdtempSync(join(tmpdir(), 'ipbp-fuzz-v8-')) : null;
try {
  const coverageCases = coverage === null ? 0 : Math.min(runs, COVERED);
  const result = await runFuzz({
    ...{ runs, seed, coverage, coverageCases, say },
    only: values.only?.split(',') ?? [],
    children: Number(values.children),
  });
  for (const [name, tally] of Object.entries(result.targets)) say(lineOf(name, tally));
  const cases = casesOf(result.targets);
  say(`${cases} cases in ${result.seconds.toFixed(0)} s, seed ${seed}: ${result.failures.length} went wrong`);
  const agent = Number(values.agent) === 0 ? null : runAgent(Number(values.agent), seed);
  if (agent !== null) {
    say(`agent: ${agent.properties} properties, ${agent.cases} cases of each in ${agent.seconds} s`);
    if (agent.failure !== null) say(agent.failure);
  }
  if (coverage !== null) {
    const covered = await readCoverage(coverage);
    const { lines, branches, functions } = covered.all;
    say(`of the first ${coverageCases}: ${lines} % of lines, ${branches} % of branches, ${functions} % of functions`);
    say(`written: ${writeRecord(origin, { seed, result, coverage: covered, coverageCases, agent })}`);
  }
  const wrong = result.failures.length > 0 || (agent !== null && agent.failure !== null);
  process.exitCode = wrong || cases === 0 ? 1 : 0;
} finally {
  if (coverage !== null) rmSync(coverage, { recursive: true, force: true });
}
