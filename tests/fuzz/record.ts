// The record of a long run: what it was made from, how many cases of each target there were, what they came to, and how
// much of the readers they went through.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, tmpdir, type as system } from 'node:os';
import { join } from 'node:path';
import { Report } from 'c8';
import { ROOT } from '../matrix/program.js';
import type { Origin } from '../matrix/report.js';
import type { AgentResult } from './agent-run.js';
import type { RunResult } from './run.js';
import { BOUNDS, type Tally } from './trial.js';

/** What is read of inputs that are not ours. */
const READERS = [
  'src/bytes',
  'src/formats',
  'src/patch/image',
  'src/patch/wire',
  'src/reloc',
  'src/link/shared',
] as const;

/** Percent of what there is. */
interface Covered {
  readonly lines: number;
  readonly branches: number;
  readonly functions: number;
}

/** V8's coverage of the readers: all together, and by file. */
export interface Coverage {
  readonly all: Covered;
  readonly files: Readonly<Record<string, Covered>>;
}

type Summary = Readonly<Record<string, Readonly<Record<keyof Covered, { readonly pct: number }>>>>;

/** Reads what children left in a folder. */
export async function readCoverage(folder: string): Promise<Coverage> {
  const reports = mkdtempSync(join(tmpdir(), 'ipbp-fuzz-coverage-'));
  try {
    await new Report({
      tempDirectory: folder,
      reportsDirectory: reports,
      reporter: ['json-summary'],
      include: READERS.map((path) => `${path}/**`),
      exclude: ['**/*.test.ts', '**/*.test-support.ts'],
      extension: ['.ts'],
      src: [ROOT],
      resolve: '',
      excludeNodeModules: true,
    }).run();
    const summary = JSON.parse(readFileSync(join(reports, 'coverage-summary.json'), 'utf8')) as Summary;
    const covered = (name: string): Covered => {
      const { lines, branches, functions } = summary[name]!;
      return { lines: lines.pct, branches: branches.pct, functions: functions.pct };
    };
    const files = Object.keys(summary).filter((name) => name !== 'total');
    const byFile = files.sort().map((name) => [name.replace(`${ROOT}/`, ''), covered(name)] as const);
    return { all: covered('total'), files: Object.fromEntries(byFile) };
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

/** What a record says besides where it comes from. */
export interface Recorded {
  readonly seed: number;
  readonly result: RunResult;
  readonly coverage: Coverage;
  /** Of how many of the first cases the coverage is. */
  readonly coverageCases: number;
  readonly agent: AgentResult | null;
}

/** Cases of all targets. */
export function casesOf(targets: Readonly<Record<string, Tally>>): number {
  return Object.values(targets).reduce((sum, { cases }) => sum + cases, 0);
}

/** Writes the record; returns its path in the checkout. */
export function writeRecord(origin: Origin, { seed, result, coverage, coverageCases, agent }: Recorded): string {
  const { targets, failures, seconds } = result;
  const record = {
    ...origin,
    seed,
    cases: casesOf(targets),
    seconds: Math.round(seconds),
    failures,
    bounds: BOUNDS,
    node: process.version,
    machine: { system: system(), release: release(), arch: arch(), cores: cpus().length },
    targets,
    agent,
    coverage: { cases: coverageCases, ...coverage },
  };
  const path = join('tests', 'fuzz', 'results', 'full.json');
  mkdirSync(join(ROOT, 'tests', 'fuzz', 'results'), { recursive: true });
  writeFileSync(join(ROOT, path), `${JSON.stringify(record, undefined, 1)}\n`);
  return path;
}
