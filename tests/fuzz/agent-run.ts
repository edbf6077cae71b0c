// The agent's half: its frame reader is Rust, and its cases are proptest's (agent/src/hostile.rs).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../matrix/program.js';

/** What came of it. */
export interface AgentResult {
  readonly properties: number;
  /** Of each property. */
  readonly cases: number;
  readonly seconds: number;
  /** What cargo said where a property does not hold; null where all do. */
  readonly failure: string | null;
}

/** Runs every property on so many cases. */
export function runAgent(cases: number, seed: number): AgentResult {
  const manifest = join(ROOT, 'tests', 'fuzz', 'agent', 'Cargo.toml');
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync('cargo', ['test', '--locked', '--manifest-path', manifest], {
    encoding: 'utf8',
    env: { ...process.env, IPBP_FUZZ_RUNS: String(cases), IPBP_FUZZ_SEED: String(seed) },
  });
  const seconds = Math.round((performance.now() - start) / 1000);
  const passed = /^test result: ok\. (\d+) passed; 0 failed/m.exec(stdout);
  const properties = Number(passed?.[1] ?? 0);
  const failure = status === 0 && properties > 0 ? null : `${stdout}\n${stderr}`;
  return { properties, cases, seconds, failure };
}
