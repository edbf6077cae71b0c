// What keeping files warm is worth: the same edit by rustc alone, with the crates, the compiler's caches and its
// libraries dropped from the page cache, with them dropped and read again as a session does when idle, and untouched.
// The three take turns. What another process has mapped stays: on a machine where others compile, rustc's own
// libraries do, and the result is a lower bound.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readThrough } from '../src/host/compile/warm-files.js';
import { captureRustc } from './plain-rustc.js';
import { SUBJECTS, type Subject, copyProject } from './project.js';
import { type Summary, summarise } from './statistics.js';

interface WarmResult {
  readonly subject: string;
  /** Bytes that were read to warm them. */
  readonly bytes: number;
  /** rustc alone, ms. */
  readonly untouched: Summary;
  readonly dropped: Summary;
  readonly droppedAndRead: Summary;
  /** Of the reading itself, ms. */
  readonly reading: Summary;
  readonly droppedToUntouched: Summary;
  readonly readToUntouched: Summary;
}

function below(folder: string, names: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && names.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function drop(files: readonly string[]): void {
  // `nocache` without a block to copy drops all of the file.
  const script = 'for file; do dd if="$file" iflag=nocache count=0 status=none; done';
  execFileSync('sh', ['-c', script, 'sh', ...files]);
}

async function measure(subject: Subject, edits: number, folder: string): Promise<WarmResult> {
  const project = copyProject(subject, folder, null);
  const rustc = captureRustc(folder, subject.crate);
  const sysroot = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  const target = join(folder, 'target', 'debug');
  const files = (): string[] => [
    ...below(join(sysroot, 'lib'), /\.so|\.rlib$/),
    ...below(join(target, 'deps'), /\.(rlib|rmeta)$/),
    ...below(join(target, 'incremental'), /\.bin$/),
  ];
  const untouched: number[] = [];
  const dropped: number[] = [];
  const droppedAndRead: number[] = [];
  const reading: number[] = [];
  let bytes = 0;
  let number = 0;
  const edit = async (): Promise<number> => {
    project.edit(number++);
    return rustc.run();
  };
  await edit();
  for (let turn = 0; turn < edits; turn++) {
    untouched.push(await edit());
    drop(files());
    dropped.push(await edit());
    drop(files());
    const start = performance.now();
    bytes = await readThrough(files(), () => true);
    reading.push(performance.now() - start);
    droppedAndRead.push(await edit());
  }
  const toUntouched = (times: readonly number[]): Summary =>
    summarise(times.map((ms, turn) => ms / (untouched[turn] ?? Number.NaN)));
  return {
    subject: subject.name,
    bytes,
    untouched: summarise(untouched),
    dropped: summarise(dropped),
    droppedAndRead: summarise(droppedAndRead),
    reading: summarise(reading),
    droppedToUntouched: toUntouched(dropped),
    readToUntouched: toUntouched(droppedAndRead),
  };
}

/** Measures all subjects, or those named. */
export async function benchWarm(edits: number, names: readonly string[]): Promise<readonly WarmResult[]> {
  const results: WarmResult[] = [];
  for (const subject of SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const folder = mkdtempSync(join(tmpdir(), `ipbp-bench-warm-`));
    try {
      const result = await measure(subject, edits, folder);
      const { untouched, dropped, droppedAndRead, bytes } = result;
      process.stdout.write(`${subject.name}: rustc alone ${untouched.median.toFixed(0)} ms; with its files dropped `);
      process.stdout.write(
        `${dropped.median.toFixed(0)} ms (${result.droppedToUntouched.median.toFixed(2)} ×); dropped `,
      );
      process.stdout.write(`and read (${(bytes / 1e6).toFixed(0)} MB) ${droppedAndRead.median.toFixed(0)} ms `);
      process.stdout.write(`(${result.readToUntouched.median.toFixed(2)} ×)\n`);
      results.push(result);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return results;
}
