// What a module of Rust was linked of: the crate's own objects, which rustc is told to leave there, and std's.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type WasmTarget, wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
import { openArchive } from '../../src/formats/archive.js';
import type { LinkedInput } from '../../src/formats/wasm/known-places.js';

/** For a project's `.cargo/config.toml`: objects stay, and the module says where everything is. */
export const KEEP_ALL = `[target.wasm32-unknown-unknown]
rustflags = ["-Csave-temps", "-Clink-arg=--emit-relocs"]
`;

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** Objects in cargo's folder. */
export function ownObjects(folder: string): LinkedInput[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.rcgu.o'));
  return names.map((name) => ({ name, bytes: bytesOf(join(folder, name)) }));
}

/** Objects of std's archives. */
export function stdObjects(target: WasmTarget): LinkedInput[] {
  const tools = wasmToolchain(target);
  const folder = join(dirname(tools.rustc), 'usr', 'lib', 'rustlib', tools.target, 'lib');
  const archives = readdirSync(folder).filter((name) => name.endsWith('.rlib'));
  return archives.flatMap((archive) => {
    const open = openArchive(bytesOf(join(folder, archive)), archive);
    const objects = open.members.filter(({ name }) => name.endsWith('.o'));
    return objects.map(({ name, index }) => ({ name: `${archive}(${name})`, bytes: open.memberBytes(index) }));
  });
}
