// `npm run conformance -- elf|macho|wasm [--full] [--only NAME] [--suite NAME,NAME] [--machine NAME] [--seed N]`: ours against other
// linkers. Prints a table, then one line of JSON; `--full` runs all cases and writes conformance/results/SUITE.json.
// `--unshrunk` tells the first random link that fails as it is.
import fc from 'fast-check';
import { parseArgs } from 'node:util';
import { readOrigin, writeRecord } from './record.js';
import { checkersSuite } from './checkers/suite.js';
import { dylibSuite } from './dylibs/suite.js';
import { jitlinkSuite } from './jitlink/suite.js';
import { meaningSuite } from './meaning/suite.js';
import { propertiesSuite } from './properties/suite.js';
import { relocatedSuite } from './relocated/suite.js';
import { toolsSuite } from './setup/suite.js';
import { writtenSuite } from './written/suite.js';
import { MACHINES, type Suite, type SuiteRow } from './suite.js';

const SUITES: Readonly<Record<string, readonly Suite[]>> = {
  elf: [toolsSuite, meaningSuite, propertiesSuite, jitlinkSuite('elf')],
  macho: [dylibSuite, checkersSuite, jitlinkSuite('macho')],
  wasm: [relocatedSuite, writtenSuite],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    suite: { type: 'string' },
    machine: { type: 'string' },
    seed: { type: 'string', default: '1' },
    unshrunk: { type: 'boolean', default: false },
  },
});

function lineOf(suite: string, { machine, name, found, failures }: SuiteRow): string {
  const head = `${failures.length === 0 ? 'ok  ' : 'FAIL'} ${suite.padEnd(10)} ${machine.padEnd(8)} ${name.padEnd(28)} ${found}`;
  return [head, ...failures.map((failure) => `       ${failure.replace(/\n/g, '\n       ')}`)].join('\n');
}

const format = positionals[0] ?? 'elf';

/** The suites asked for. Throws on a name that is none. */
function chosen(): Suite[] {
  const suites = SUITES[format];
  if (suites === undefined) throw new Error(`no format ${format}; there is ${Object.keys(SUITES).join(', ')}`);
  const names = values.suite?.split(',') ?? suites.map(({ name }) => name);
  return names.map((name) => {
    const suite = suites.find((one) => one.name === name);
    if (suite === undefined) throw new Error(`no suite ${name}; there are ${suites.map((one) => one.name).join(', ')}`);
    return suite;
  });
}

const machines = MACHINES.filter((name) => values.machine === undefined || name === values.machine);
if (machines.length === 0) throw new Error(`no machine ${values.machine}; there are ${MACHINES.join(', ')}`);
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed} is not a number`);

if (values.unshrunk) fc.configureGlobal({ endOnFailure: true });

const whole = values.only === '' && values.machine === undefined;
const summary: Record<string, object> = {};
let rows = 0;
let wrong = 0;
for (const suite of chosen()) {
  const origin = readOrigin();
  const start = performance.now();
  const failed: SuiteRow[] = [];
  const result = await suite.run({ full: values.full, only: values.only, machines, seed }, (row) => {
    rows++;
    if (row.failures.length > 0) failed.push(row);
    process.stdout.write(`${lineOf(suite.name, row)}\n`);
  });
  wrong += failed.length;
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const record = { ...origin, seed, seconds, failed, ...result };
  summary[suite.name] = { seconds, failed: failed.length };
  // A part of the cases must not take the place of the whole.
  if (values.full && whole)
    process.stdout.write(
      `written: ${writeRecord(format === 'elf' ? suite.name : `${format}-${suite.name}`, record)}\n`,
    );
}
process.stdout.write(`${JSON.stringify({ rows, wrong, suites: summary })}\n`);
process.exitCode = wrong === 0 && rows > 0 ? 0 : 1;
