// A result on disk: the numbers and what they were taken on, so that two results can be compared or shown not to be
// comparable. bench/results/NAME.json always holds the newest; git has the older ones.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Taken at the start, so that the load is that before the benchmark made its own. */
export interface Conditions {
  readonly commit: string;
  /** Files that differ from the commit, so that a result cannot pass for the commit's. */
  readonly modified: number;
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryMiB: number;
    readonly kernel: string;
  };
  readonly node: string;
  readonly rustc: string;
  readonly cargo: string;
  /** Over the last minute. */
  readonly loadBefore: number;
}

function output(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

/** What the machine is and does now. */
export function conditions(): Conditions {
  const cores = cpus();
  return {
    commit: output('git', 'rev-parse', 'HEAD'),
    modified: output('git', 'status', '--porcelain', '--', 'src', 'agent', 'examples').split('\n').filter(Boolean)
      .length,
    date: new Date().toISOString(),
    machine: {
      cpu: cores[0]?.model ?? 'unknown',
      cores: cores.length,
      memoryMiB: Math.round(totalmem() / 2 ** 20),
      kernel: release(),
    },
    node: process.version,
    rustc: output('rustc', '--version'),
    cargo: output('cargo', '--version'),
    loadBefore: loadNow(),
  };
}

function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** Writes bench/results/NAME.json and says where. */
export function record(name: string, taken: Conditions, results: unknown): void {
  const folder = join(ROOT, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join('bench', 'results', `${name}.json`);
  const text = JSON.stringify({ bench: name, ...taken, loadAfter: loadNow(), results }, null, 2);
  writeFileSync(join(ROOT, file), `${text}\n`);
  process.stdout.write(`${file}\n`);
}
