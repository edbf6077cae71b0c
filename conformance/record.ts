// The record of a suite: what was found, and what it was found with. One JSON file per suite, committed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

function git(...args: readonly string[]): string {
  return spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout.trim();
}

/** What a record is made from. */
export interface Origin {
  readonly commit: string;
  /** The tree of src/ in that commit, which later commits may share. */
  readonly sources: string;
  /** False where sources differ from the commit. */
  readonly clean: boolean;
  readonly node: string;
  readonly cores: number;
}

/** To be asked before the run: the sources may change while it lasts. */
export function readOrigin(): Origin {
  return {
    commit: git('rev-parse', 'HEAD'),
    sources: git('rev-parse', 'HEAD:src'),
    // The record of the suite before is none of them.
    clean: git('status', '--porcelain', '--', 'src', 'conformance', ':!conformance/results') === '',
    node: process.version,
    cores: cpus().length,
  };
}

/** Writes conformance/results/NAME.json; returns its path within the checkout. */
export function writeRecord(name: string, record: object): string {
  const path = join('conformance', 'results', `${name}.json`);
  mkdirSync(join(ROOT, dirname(path)), { recursive: true });
  writeFileSync(join(ROOT, path), `${JSON.stringify(record, undefined, 1).replaceAll(homedir(), '~')}\n`);
  return path;
}
