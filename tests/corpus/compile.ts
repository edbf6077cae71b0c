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
import type { Place } from './place.js';

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
  readonly place: Place;
  readonly directory: string;
  readonly executable: string;
  readonly objects: readonly InputFile[];
}

/** Compiles and links the program before the edits. */
export async function compileBase(pair: Pair, place: Place): Promise<Base> {
  const directory = join(scratch, place.name, pair.id);
  mkdirSync(directory, { recursive: true });
  const said = await compile(place, directory, crateOf(pair.program), [...(pair.flags ?? []), ...place.linkFlags]);
  const objects = keep(objectsAt([join(directory, 'incremental')]));
  place.relink?.(directory, said);
  return { pair, place, directory, executable: join(directory, 'app'), objects };
}

/** The objects after an edit of it. */
export async function compileEdit(base: Base, edit: Edit): Promise<readonly InputFile[]> {
  const directory = mkdtempSync(`${base.directory}-`);
  cpSync(join(base.directory, 'incremental'), join(directory, 'incremental'), { recursive: true });
  const { program, flags = [] } = base.pair;
  await compile(base.place, directory, edited(program, edit), [...flags, '-Clinker=true']);
  const objects = keep(objectsAt([join(directory, 'incremental')]));
  rmSync(directory, { recursive: true });
  return objects;
}

/** Gives what rustc printed. */
async function compile(place: Place, directory: string, text: string, flags: readonly string[]): Promise<string> {
  writeFileSync(join(directory, 'main.rs'), text);
  const env = { ...process.env, ...place.environment };
  const args = [...FLAGS, ...place.flags, ...flags, '-o', 'app', 'main.rs'];
  return (await run(place.rustc, args, { cwd: directory, env, maxBuffer: 1 << 26 })).stdout;
}

/** The files may go: rustc keeps two sessions, and directories of edits are removed. */
function keep(objects: readonly InputFile[]): InputFile[] {
  return objects.map(({ name, read }) => {
    const bytes = Uint8Array.from(read());
    return { name, read: () => bytes };
  });
}
