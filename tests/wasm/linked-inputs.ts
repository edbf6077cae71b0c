// What a module of Rust was linked of: the crate's own objects, which rustc is told to leave there, and std's.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type WasmTarget, wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
import type { LinkedInput } from '../../src/formats/wasm/known-places.js';
import { objectsIn } from '../../src/host/web/base-facts.js';

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

/** Std's archives, and the C library's where the target has one: what a linker is given beside the crate's objects. */
export function standardArchives(target: WasmTarget): string[] {
  const tools = wasmToolchain(target);
  const sysroot = target === 'wasm32-threads' ? 'sysroot' : 'usr';
  const folder = join(dirname(tools.rustc), sysroot, 'lib', 'rustlib', tools.target, 'lib');
  const archives = readdirSync(folder).filter((name) => name.endsWith('.rlib'));
  const c = join(folder, 'self-contained', 'libc.a');
  return [...archives.map((name) => join(folder, name)), ...(existsSync(c) ? [c] : [])];
}

/** Objects in those. */
export function stdObjects(target: WasmTarget): LinkedInput[] {
  return standardArchives(target).flatMap((path) => objectsIn({ name: basename(path), bytes: bytesOf(path) }));
}
