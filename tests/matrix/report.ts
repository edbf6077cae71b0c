// The matrix for people and for the record: a line per row, and a JSON summary that says what it was made from.
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release, type as system, arch } from 'node:os';
import { join } from 'node:path';
import { type RowResult, type RunResult } from './drive.js';
import { ROOT } from './program.js';

/** One line of the table. */
export function rowLine(row: RowResult): string {
  const right = row.failures.length === 0 ? 'ok  ' : 'FAIL';
  const time = row.ms === null ? '' : `${row.ms.total.toFixed(0)} ms`;
  const patch = row.verdict === 'patched' ? `${row.functions} fn, ${row.data} data` : '';
  const warned = row.warnings.length === 0 ? '' : ` (${row.warnings.join(', ')})`;
  const head = `${right} ${row.id.padEnd(22)} ${row.verdict.padEnd(13)} ${time.padStart(8)}  ${patch.padEnd(18)} ${row.name}${warned}`;
  return [head, ...row.failures.map((failure) => `       ${failure.replace(/\n/g, '\n       ')}`)].join('\n');
}

/** What is wrong with a whole run, in words; empty when all is right. */
export function runFailures(run: RunResult): string[] {
  const rows = run.rows.flatMap((row) => row.failures.map((failure) => `${row.id}: ${failure}`));
  const { failed, made, failures } = run.traffic;
  const requests = failed > 0 ? [`${failed} of ${made} requests failed: ${failures.join('; ')}`] : [];
  return [...rows, ...requests];
}

/** The last line of a run. */
export function runLine(run: RunResult): string {
  const right = run.rows.filter((row) => row.failures.length === 0).length;
  const { made, failed, reconnected, slowestMs } = run.traffic;
  return `${run.program}, ${run.configuration}: ${right} of ${run.rows.length} rows right, ${failed} of ${made} requests failed, ${reconnected} asked twice, slowest ${slowestMs} ms, ${run.seconds} s in all`;
}

function firstLine(command: string, ...args: readonly string[]): string {
  return spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' }).stdout.split('\n')[0] ?? '';
}

/** What a record was made from. */
export interface Origin {
  readonly commit: string;
  /** False where sources differed from the commit. */
  readonly clean: boolean;
}

/** To be asked before the build: others may commit while the matrix runs. */
export function readOrigin(): Origin {
  // Records of other runs are none of the sources.
  const sources = ['src', 'agent', 'tests', 'examples', ':!tests/*/results/*'];
  const changes = firstLine('git', 'status', '--porcelain', '--', ...sources);
  return { commit: firstLine('git', 'rev-parse', 'HEAD'), clean: changes === '' };
}

/** What a record says of the whole. */
export interface Whole {
  readonly origin: Origin;
  readonly seconds: number;
  readonly failures: readonly string[];
}

/** Writes the record; returns its path within the checkout. */
export async function writeRecord(
  { origin, seconds, failures }: Whole,
  runs: readonly RunResult[],
  seed: number,
  name: string,
): Promise<string> {
  const record = {
    ...origin,
    seed,
    seconds,
    failures,
    node: process.version,
    rustc: firstLine('rustc', '--version'),
    machine: { system: system(), release: release(), arch: arch(), cores: cpus().length },
    runs,
  };
  const path = join('tests', 'matrix', 'results', `${name}.json`);
  await mkdir(join(ROOT, 'tests', 'matrix', 'results'), { recursive: true });
  await writeFile(join(ROOT, path), `${JSON.stringify(record, undefined, 1)}\n`);
  return path;
}
