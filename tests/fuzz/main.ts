// `npm run fuzz -- --runs N [--seed S] [--only TARGET,TARGET] [--children N]`: hostile input for every reader. The same
// seed gives the same cases. Ends with 1 where a case went wrong.
import { parseArgs } from 'node:util';
import { lineOf, runFuzz } from './run.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    children: { type: 'string', default: '1' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const result = await runFuzz({
  runs: Number(values.runs),
  seed: Number(values.seed),
  only: values.only?.split(',') ?? [],
  children: Number(values.children),
  coverage: null,
  say,
});
for (const [name, tally] of Object.entries(result.targets)) say(lineOf(name, tally));
const cases = Object.values(result.targets).reduce((sum, tally) => sum + tally.cases, 0);
say(`${cases} cases in ${result.seconds.toFixed(0)} s, seed ${values.seed}: ${result.failures.length} went wrong`);
process.exitCode = result.failures.length === 0 && cases > 0 ? 0 : 1;
