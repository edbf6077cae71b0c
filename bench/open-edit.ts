// One real edit with the engine open for it: a program of the examples is built, edited and compiled again, and its objects
// of before and after are kept. Owns that; what is measured on it is in the benchmarks.
import { linkSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readObjectFile } from '../src/formats/read-object.js';
import { findSharedLibraries } from '../src/host/files/shared-libraries.js';
import { diffFiles } from '../src/patch/diff/diff-files.js';
import type { InputFile } from '../src/patch/engine.js';
import type { PatchImage } from '../src/patch/image/image.js';
import { DEFAULT_ROOM, type PlanRequest, planPatch } from '../src/patch/plan.js';
import { type BaseProgram, type Library, openBaseProgram } from '../src/patch/program/base-program.js';
import { freshProgram, type Program } from '../src/patch/program/program.js';
import { captureRustc } from './plain-rustc.js';
import type { Platform } from './platform.js';
import { type Subject, copyProject } from './project.js';

/** Objects of the newest finished session of a crate's incremental directory. */
function sessionObjects(folder: string, crate: string, { outputs }: Platform): string[] {
  const incremental = join(folder, 'target', outputs('debug'), 'incremental');
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
async function oneEdit(subject: Subject, platform: Platform, folder: string): Promise<Edited> {
  const project = copyProject(subject, join(folder, 'project'), null);
  const rustc = captureRustc(project.folder, subject.crate, platform);
  const kept = join(folder, 'before');
  mkdirSync(kept);
  for (const path of sessionObjects(project.folder, subject.crate, platform))
    linkSync(path, join(kept, baseName(path)));
  project.edit(1);
  await rustc.run();
  const objects = sessionObjects(project.folder, subject.crate, platform);
  const old = new Set(readdirSync(kept));
  const changed = objects.filter(
    (path) => !old.has(baseName(path)) || inode(path) !== inode(join(kept, baseName(path))),
  );
  const before = changed.map((path) => join(kept, baseName(path))).filter((path) => old.has(baseName(path)));
  const exe = join(project.folder, 'target', platform.outputs('debug'), subject.crate.replaceAll('_', '-'));
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
  readonly program: Program;
  readonly functions: number;
  /** Opens the executable anew. */
  open(): BaseProgram;
  /** The objects that differ, read from the disk. */
  read(): Objects;
  /** What a plan of a patch is asked with, the diff included. */
  request(objects: Objects): PlanRequest;
}

/** Builds and edits a subject, and opens the engine on it. */
export async function openEdit(subject: Subject, platform: Platform, folder: string): Promise<OpenEdit> {
  const edited = await oneEdit(subject, platform, folder);
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
    program,
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
        delivery: platform.slotsOnly ? 'library' : 'map',
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
