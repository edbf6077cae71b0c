// `npm run matrix`: every row through both programs in the debug build; `--full`: in every configuration, and the
// record is written. `--program NAME`, `--configuration NAME`, `--rows ID,ID…`, `--seed N` narrow it down.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ALL, DEBUG } from './configurations.js';
import { rowsOf } from './all-rows.js';
import { type RunResult, driveRows } from './drive.js';
import { PLAIN, ROOT, SERVER } from './program.js';
import { rowLine, runFailures, runLine, readOrigin, writeRecord } from './report.js';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    program: { type: 'string' },
    configuration: { type: 'string' },
    rows: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const origin = readOrigin();
const built = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.js')], { stdio: ['ignore', 2, 2] });
if (built.status !== 0) throw new Error('the build failed');

const { program: onlyProgram, configuration: onlyConfiguration } = values;
const configurations = onlyConfiguration === undefined && !values.full ? [DEBUG] : ALL;
const ids = values.rows?.split(',');
const seed = Number(values.seed);
const runs: RunResult[] = [];
const failures: string[] = [];
for (const configuration of configurations) {
  if (onlyConfiguration !== undefined && configuration.name !== onlyConfiguration) continue;
  for (const program of [PLAIN, SERVER]) {
    if (onlyProgram !== undefined && program.name !== onlyProgram) continue;
    say(`\n${program.name}, ${configuration.name}`);
    const rows = rowsOf(program).filter((row) => ids === undefined || ids.includes(row.id));
    try {
      const run = await driveRows(program, configuration, rows, seed, (row) => say(rowLine(row)));
      say(runLine(run));
      runs.push(run);
      failures.push(...runFailures(run));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      say(`FAIL ${message}`);
      failures.push(message);
    }
  }
}
if (values.full || values.record)
  say(`written: ${await writeRecord(origin, runs, seed, values.full ? 'full' : 'quick')}`);
if (runs.length === 0) failures.push('nothing was run');
process.exitCode = failures.length === 0 ? 0 : 1;
