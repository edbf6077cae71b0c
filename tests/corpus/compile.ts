// Compiles the corpus's crates as cargo does in its dev profile: incrementally, with full debug information. The base
// is linked, an edit starts from the base's incremental state. Owns the temporary directory.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { objectsAt } from '../../src/host/files/object-paths.js';
import type { InputFile } from '../../src/patch/engine.js';
import { crateOf, edited, type Edit, type Pair } from './pair.js';

const FLAGS = [
  '--edition=2021',
  '--crate-name=app',
  '-Cembed-bitcode=no',
  '-Cdebuginfo=2',
  '-Cincremental=incremental',
  '-Awarnings',
];
const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), 'ipbp-corpus-'));
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
});

/** A pair's program, compiled and linked. */
export interface Base {
  readonly pair: Pair;
  readonly directory: string;
  readonly executable: string;
  readonly objects: readonly InputFile[];
}

/** Compiles and links the program before the edits. */
export async function compileBase(pair: Pair): Promise<Base> {
  const directory = join(scratch, pair.id);
  mkdirSync(directory);
  await compile(directory, crateOf(pair.program), pair.flags ?? []);
  const objects = keep(objectsAt([join(directory, 'incremental')]));
  return { pair, directory, executable: join(directory, 'app'), objects };
}

/** The objects after an edit of it. */
export async function compileEdit(base: Base, edit: Edit): Promise<readonly InputFile[]> {
  const directory = mkdtempSync(`${base.directory}-`);
  cpSync(join(base.directory, 'incremental'), join(directory, 'incremental'), { recursive: true });
  const { program, flags = [] } = base.pair;
  await compile(directory, edited(program, edit), [...flags, '-Clinker=true']);
  const objects = keep(objectsAt([join(directory, 'incremental')]));
  rmSync(directory, { recursive: true });
  return objects;
}

async function compile(directory: string, text: string, flags: readonly string[]): Promise<void> {
  writeFileSync(join(directory, 'main.rs'), text);
  await run('rustc', [...FLAGS, ...flags, '-o', 'app', 'main.rs'], { cwd: directory });
}

/** The files may go: rustc keeps two sessions, and directories of edits are removed. */
function keep(objects: readonly InputFile[]): InputFile[] {
  return objects.map(({ name, read }) => {
    const bytes = Uint8Array.from(read());
    return { name, read: () => bytes };
  });
}
