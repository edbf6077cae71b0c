// `npm run matrix`: every row through our own programs in the debug build; `--full`: all programs, all configurations,
// and the record is written. `--program NAME,…`, `--configuration NAME,…`, `--rows ID,…`, `--short` (one row per
// mechanism), `--seed N` narrow it down; `--record` writes the record of that too.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Trial, shortRows, trialsOf } from './trials.js';
import { type RunResult, driveRows } from './drive.js';
import { ROOT } from './program.js';
import { rowLine, runFailures, runLine, readOrigin, writeRecord } from './report.js';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    program: { type: 'string' },
    configuration: { type: 'string' },
    rows: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const start = performance.now();
const origin = readOrigin();
const built = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.js')], { stdio: ['ignore', 2, 2] });
if (built.status !== 0) throw new Error('the build failed');

const programs = values.program?.split(',');
const configurations = values.configuration?.split(',');
const ids = values.short ? shortRows().map(({ id }) => id) : values.rows?.split(',');
const seed = Number(values.seed);
const runs: RunResult[] = [];
const failures: string[] = [];

function wanted({ program, configuration }: Trial): boolean {
  return (programs?.includes(program.name) ?? true) && (configurations?.includes(configuration.name) ?? true);
}

for (const trial of trialsOf(values.full || programs !== undefined || configurations !== undefined)) {
  if (!wanted(trial)) continue;
  const { program, configuration, onRefusal } = trial;
  const rows = trial.rows.filter((row) => ids === undefined || ids.includes(row.id));
  if (rows.length === 0) continue;
  say(`\n${program.name}, ${configuration.name}${onRefusal === 'restart' ? ', restarting' : ''}`);
  try {
    const run = await driveRows(program, configuration, rows, seed, (row) => say(rowLine(row)), onRefusal);
    say(runLine(run));
    runs.push(run);
    failures.push(...runFailures(run));
  } catch (error) {
    const message = `${program.name}, ${configuration.name}: ${error instanceof Error ? error.message : String(error)}`;
    say(`FAIL ${message}`);
    failures.push(message);
  }
}
const seconds = Math.round((performance.now() - start) / 1000);
// What was narrowed down is no record of the whole.
const narrowed = [programs, configurations, ids].some((list) => list !== undefined);
if (values.record || (values.full && !narrowed)) {
  const name = [values.full ? 'full' : 'quick', ...(configurations ?? []), ...(programs ?? [])].join('-');
  say(`written: ${await writeRecord({ origin, seconds, failures }, runs, seed, name)}`);
}
if (runs.length === 0) failures.push('nothing was run');
say(`${runs.length} runs in ${seconds} s, ${failures.length} failures`);
process.exitCode = failures.length === 0 ? 0 : 1;
