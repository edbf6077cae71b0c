// The engine alone, in one process, on one real edit: how long reading the executable, the diff, the link and the
// encoding take once everything is warm. What a user waits for is in edit.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { diffFiles } from '../src/patch/diff/diff-files.js';
import { encodePatchFile } from '../src/patch/image/image-file.js';
import { planPatch } from '../src/patch/plan.js';
import { openEdit, patchOf } from './open-edit.js';
import { HERE } from './platform.js';
import { SUBJECTS, type Subject } from './project.js';
import { round } from './statistics.js';

/** Milliseconds of one task. */
interface TaskResult {
  readonly task: string;
  readonly median: number;
  readonly fastest: number;
  /** 99 of 100 were no slower. */
  readonly p99: number;
  readonly runs: number;
}

interface EngineResult {
  readonly subject: string;
  readonly executableBytes: number;
  readonly functions: number;
  readonly changedObjects: number;
  readonly tasks: readonly TaskResult[];
}

async function measure(subject: Subject, folder: string): Promise<EngineResult> {
  const { executable, functions, open, read, request } = await openEdit(subject, HERE, folder);
  const objects = read();
  const { before, after } = objects;
  const image = patchOf(request(objects));

  const bench = new Bench({ time: 1500, iterations: 10, warmupTime: 500, warmupIterations: 3 });
  bench.add('open the executable', () => {
    open();
  });
  bench.add('diff', () => {
    diffFiles(before, after);
  });
  // Objects are opened lazily and remember what they read: a diff before each link, as an edit has it.
  bench.add('diff and link', () => {
    planPatch(request(objects));
  });
  bench.add('encode the patch file', () => {
    encodePatchFile(image);
  });
  await bench.run();
  return {
    subject: subject.name,
    executableBytes: executable.length,
    functions,
    changedObjects: after.length,
    tasks: bench.tasks.map(({ name, result, runs }) => {
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
      const { p50, min, p99 } = result.latency;
      return { task: name, median: round(p50), fastest: round(min), p99: round(p99), runs };
    }),
  };
}

function print(result: EngineResult): void {
  const { subject, functions, executableBytes, changedObjects } = result;
  process.stdout.write(
    `${subject}: ${functions} functions in ${executableBytes} bytes, ${changedObjects} changed objects, ms\n`,
  );
  for (const { task, median, fastest, p99, runs } of result.tasks) {
    process.stdout.write(`  ${task.padEnd(24)} median ${median}, fastest ${fastest}, p99 ${p99}, ${runs} runs\n`);
  }
}

/** Measures all subjects, or those named. */
export async function benchEngine(names: readonly string[]): Promise<readonly EngineResult[]> {
  const results: EngineResult[] = [];
  for (const subject of SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const folder = mkdtempSync(join(tmpdir(), `ipbp-bench-engine-`));
    try {
      const result = await measure(subject, folder);
      print(result);
      results.push(result);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return results;
}
