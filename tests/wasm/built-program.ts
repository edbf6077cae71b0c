// A program of Rust for pages, built by cargo with the toolchain that is made for it, and all that its module was linked of.
// Crates that are not of the workspace stay as they were built first.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
import type { LinkedInput } from '../../src/formats/wasm/known-places.js';
import type { InputFile } from '../../src/patch/engine.js';
import { cargoFixture, manifest } from '../cargo-fixture.js';
import { ownObjects, stdObjects } from './linked-inputs.js';

export const TARGET = 'wasm32-unknown-unknown';

/** What is built. */
export interface ProgramSource {
  /** Copied before anything is done with it. */
  readonly folder: string;
  /** Crates of the workspace, as the compiler calls them; the first is the module's. */
  readonly crates: readonly [string, ...string[]];
  readonly release?: boolean;
}

/** A program that was built, and whose sources can be built again. */
export interface BuiltProgram {
  /** As the linker made it. */
  readonly module: LinkedInput;
  /** Objects of the workspace's crates. */
  readonly own: readonly LinkedInput[];
  /** Of all other crates, std among them. */
  readonly others: readonly LinkedInput[];
  /** Files with what a patch may bring of those. */
  readonly archives: readonly InputFile[];
  /** Where it was built; in it, what cargo put out. */
  readonly folder: string;
  readonly output: string;
  /** Builds with other files, by their path, and gives the objects of the workspace's crates. */
  compile(files: Readonly<Record<string, string>>): readonly LinkedInput[];
  remove(): void;
}

/**
 * Objects in cargo's folder, by the names that they have in rustc's own: those that are linked are called by the run of
 * rustc, too, and what it left as it was would seem to be another.
 */
function objectsIn(folder: string): LinkedInput[] {
  return ownObjects(folder).map(({ name, bytes }) => ({
    name: name.replace(/\.[a-z0-9]{7}(?=\.rcgu\.o$)/, ''),
    bytes,
  }));
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** Copies and builds it. Throws where cargo fails, which then says why on stderr. */
export function buildProgram({ folder: from, crates, release = false }: ProgramSource): BuiltProgram {
  const tools = wasmToolchain(TARGET);
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-test-'));
  cpSync(from, folder, { recursive: true, filter: (path) => !path.endsWith('/target') });
  const output = join(folder, 'target', TARGET, release ? 'release' : 'debug');
  const deps = join(output, 'deps');
  // rustc leaves the objects that it has linked.
  const env = { ...process.env, ...tools.env, RUSTFLAGS: '-Csave-temps' };
  const args = ['build', '-q', '--target', TARGET, ...(release ? ['--release'] : [])];
  const cargo = (): void => void execFileSync('cargo', args, { cwd: folder, env, stdio: ['ignore', 'ignore', 2] });
  const isOwn = (file: string): boolean =>
    crates.some((crate) => /^[-.]/.test(file.slice(crate.length)) && file.startsWith(crate));
  cargo();
  const all = objectsIn(deps);
  const libraries = (where: string): InputFile[] =>
    readdirSync(where)
      .filter((file) => file.endsWith('.rlib') && !isOwn(file.slice('lib'.length)))
      .map((file) => ({ name: file, read: () => bytesOf(join(where, file)) }));
  const std = join(dirname(tools.rustc), 'usr', 'lib', 'rustlib', TARGET, 'lib');
  const name = `${crates[0]}.wasm`;
  return {
    ...{ folder, output },
    module: { name, bytes: bytesOf(join(output, name)) },
    own: all.filter((object) => isOwn(object.name)),
    others: [...all.filter((object) => !isOwn(object.name)), ...stdObjects(TARGET)],
    archives: [...libraries(deps), ...libraries(std)],
    compile(files) {
      for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
      for (const file of readdirSync(deps)) if (file.endsWith('.rcgu.o') && isOwn(file)) rmSync(join(deps, file));
      cargo();
      return objectsIn(deps).filter((object) => isOwn(object.name));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A module of one file of Rust, `src/lib.rs`, called `page`. */
export function builtFile(source: string): BuiltProgram {
  const fixture = cargoFixture({
    'Cargo.toml': manifest('page', '[lib]\ncrate-type = ["cdylib"]\n\n[workspace]\n'),
    'src/lib.rs': source,
  });
  const built = buildProgram({ folder: fixture.root, crates: ['page'] });
  fixture.remove();
  return built;
}
