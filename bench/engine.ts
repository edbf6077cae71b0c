// The engine alone, in one process, on one real edit: how long reading the executable, the diff, the link and the
// encoding take once everything is warm. What a user waits for is in edit.ts.
import { linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { readObjectFile } from '../src/formats/read-object.js';
import { findSharedLibraries } from '../src/host/files/shared-libraries.js';
import { type BaseProgram, type Library, openBaseProgram } from '../src/patch/program/base-program.js';
import { diffFiles } from '../src/patch/diff/diff-files.js';
import type { InputFile } from '../src/patch/engine.js';
import type { PatchImage } from '../src/patch/image/image.js';
import { encodePatchFile } from '../src/patch/image/image-file.js';
import { DEFAULT_ROOM, type PlanRequest, planPatch } from '../src/patch/plan.js';
import { freshProgram } from '../src/patch/program/program.js';
import { captureRustc } from './plain-rustc.js';
import { SUBJECTS, type Subject, copyProject } from './project.js';
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

/** Objects of the newest finished session of a crate's incremental directory. */
function sessionObjects(folder: string, crate: string): string[] {
  const incremental = join(folder, 'target', 'debug', 'incremental');
  const sessions = readdirSync(incremental)
    .filter((name) => name.startsWith(`${crate}-`))
    .flatMap((name) => readdirSync(join(incremental, name)).map((session) => join(incremental, name, session)))
    .filter((path) => statSync(path).isDirectory() && !path.endsWith('-working'))
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  const newest = sessions.at(-1);
  if (newest === undefined) throw new Error(`${incremental} has no finished session of ${crate}`);
  return readdirSync(newest)
    .filter((name) => name.endsWith('.o'))
    .map((name) => join(newest, name));
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const inode = (path: string): number => statSync(path).ino;

/** Reads now, so that the disk is not measured. */
function inputFile(path: string): InputFile {
  const bytes = new Uint8Array(readFileSync(path));
  return { name: baseName(path), read: () => bytes };
}

/** One real edit: the objects that differ as they were and as they are, and all of the crate's. */
interface Edited {
  readonly exe: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly objects: readonly string[];
}

/** Builds, edits once, and keeps the objects. */
async function oneEdit(subject: Subject, folder: string): Promise<Edited> {
  const project = copyProject(subject, join(folder, 'project'), null);
  const rustc = captureRustc(project.folder, subject.crate);
  const kept = join(folder, 'before');
  mkdirSync(kept);
  for (const path of sessionObjects(project.folder, subject.crate)) linkSync(path, join(kept, baseName(path)));
  project.edit(1);
  await rustc.run();
  const objects = sessionObjects(project.folder, subject.crate);
  const old = new Set(readdirSync(kept));
  const changed = objects.filter(
    (path) => !old.has(baseName(path)) || inode(path) !== inode(join(kept, baseName(path))),
  );
  const before = changed.map((path) => join(kept, baseName(path))).filter((path) => old.has(baseName(path)));
  const exe = join(project.folder, 'target', 'debug', subject.crate.replaceAll('_', '-'));
  return { exe, before, after: changed, objects };
}

/** Objects in memory, before the edit and after it. */
interface Objects {
  readonly before: readonly InputFile[];
  readonly after: readonly InputFile[];
}

/** An edit with the engine open for it. */
export interface OpenEdit extends Edited {
  readonly executable: Uint8Array;
  readonly functions: number;
  /** Opens the executable anew. */
  open(): BaseProgram;
  /** The objects that differ, read from the disk. */
  read(): Objects;
  /** What a plan of a patch is asked with, the diff included. */
  request(objects: Objects): PlanRequest;
}

/** Builds and edits a subject, and opens the engine on it. */
export async function openEdit(subject: Subject, folder: string): Promise<OpenEdit> {
  const edited = await oneEdit(subject, folder);
  const { exe } = edited;
  const executable = inputFile(exe).read();
  const file = readObjectFile(executable, subject.name);
  const found = findSharedLibraries(file, {}).libraries;
  const libraries = (): readonly Library[] => found.map((library) => ({ name: library.name, open: () => library }));
  const open = (): BaseProgram => openBaseProgram(readObjectFile(executable, subject.name), libraries);
  const program = freshProgram(open());
  return {
    ...edited,
    executable,
    functions: program.base.functions,
    open,
    read: () => ({ before: edited.before.map(inputFile), after: edited.after.map(inputFile) }),
    request({ before, after }) {
      const diff = diffFiles(before, after);
      return {
        program,
        diff,
        identity: diff,
        before: diff.replaced,
        after: diff.changed,
        others: () => [],
        archives: () => null,
        room: DEFAULT_ROOM,
      };
    },
  };
}

/** The patch of an edit. Throws when it is refused. */
export function patchOf(request: PlanRequest): PatchImage {
  const planned = planPatch(request);
  if (planned.kind !== 'patch') throw new Error(`the edit gave no patch: ${JSON.stringify(planned)}`);
  return planned.image;
}

async function measure(subject: Subject, folder: string): Promise<EngineResult> {
  const { executable, functions, open, read, request } = await openEdit(subject, folder);
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
