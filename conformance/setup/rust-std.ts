// std for targets that the compiler's package has none for, built from the compiler's own sources and put where the
// compiler looks for a target's libraries. Owns the build and what differs from target to target.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from './cache.js';
import { type DebianRust, addedOnce } from './debian-rust.js';
import { ensureDebianPackages } from './debian-tools.js';
import { run } from './run.js';

interface Recipe {
  readonly target: string;
  /** Of rustc, for all of std. With some, the target's libraries lie in a folder of their own (`--sysroot`). */
  readonly flags?: string;
  /** What stands beside the libraries: start files, a C library. */
  readonly beside?: (libraries: string) => void;
}

/** glibc's headers made LLVM's unwinder call what musl has not. */
const MISSING_IN_MUSL = `#include <stdarg.h>
#include <stdio.h>
int __fprintf_chk(FILE *to, int level, const char *format, ...) {
  va_list list;
  (void)level;
  va_start(list, format);
  int count = vfprintf(to, format, list);
  va_end(list);
  return count;
}
`;

function selfContained(libraries: string): string {
  const folder = join(libraries, 'self-contained');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function addMusl(libraries: string): void {
  ensureDebianPackages({ 'musl-dev': '/usr/lib/x86_64-linux-musl/libc.a', gcc: '/usr/bin/gcc' });
  const folder = selfContained(libraries);
  const musl = '/usr/lib/x86_64-linux-musl';
  for (const name of ['rcrt1.o', 'crt1.o', 'Scrt1.o', 'crti.o', 'crtn.o', 'libc.a']) {
    copyFileSync(join(musl, name), join(folder, name));
  }
  const gcc = dirname(run('gcc', ['-print-libgcc-file-name']).trim());
  for (const name of ['crtbegin.o', 'crtbeginS.o', 'crtend.o', 'crtendS.o']) {
    copyFileSync(join(gcc, name), join(folder, name));
  }
  const work = join(folder, 'work');
  mkdirSync(work);
  // Only unpacked: installed, it would take the place of the system's own unwinder for developers.
  run('apt-get', ['download', '-q', 'libunwind-19-dev'], { cwd: work });
  for (const deb of readdirSync(work)) run('dpkg-deb', ['-x', join(work, deb), work]);
  const unwinder = join(folder, 'libunwind.a');
  copyFileSync(join(work, 'usr', 'lib', 'llvm-19', 'lib', 'libunwind.a'), unwinder);
  writeFileSync(join(work, 'missing.c'), MISSING_IN_MUSL);
  const options = ['-O1', '-fPIC', '-fno-stack-protector', '-c', 'missing.c', '-o', 'missing.o'];
  run('gcc', options, { cwd: work });
  run('ar', ['q', unwinder, 'missing.o'], { cwd: work });
  rmSync(work, { recursive: true });
}

function addWasi(libraries: string): void {
  const from = '/usr/lib/wasm32-wasi';
  ensureDebianPackages({ 'wasi-libc': join(from, 'libc.a') });
  for (const name of ['crt1-command.o', 'crt1-reactor.o', 'libc.a']) {
    copyFileSync(join(from, name), join(selfContained(libraries), name));
  }
}

/** By the name of what is kept in the cache. */
const RECIPES = {
  'aarch64-apple-darwin': { target: 'aarch64-apple-darwin' },
  'x86_64-apple-darwin': { target: 'x86_64-apple-darwin' },
  'aarch64-apple-ios': { target: 'aarch64-apple-ios' },
  'x86_64-unknown-linux-musl': { target: 'x86_64-unknown-linux-musl', beside: addMusl },
  'wasm32-unknown-unknown': { target: 'wasm32-unknown-unknown' },
  'wasm32-wasip1': { target: 'wasm32-wasip1', beside: addWasi },
  'wasm32-threads': {
    target: 'wasm32-unknown-unknown',
    flags: '-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals',
  },
} as const satisfies Readonly<Record<string, Recipe>>;

/** A target of rustc whose std is built here, or a variant of one. */
export type BuiltStd = keyof typeof RECIPES;

const HOST = 'x86_64-unknown-linux-gnu';
const MANIFEST = `[package]
name = "empty"
version = "0.0.0"
edition = "2021"

[lib]
path = "lib.rs"

[workspace]
`;

function buildStd({ target, flags = '', beside }: Recipe, rust: DebianRust, folder: string, libraries: string): void {
  writeFileSync(join(folder, 'Cargo.toml'), MANIFEST);
  writeFileSync(join(folder, 'lib.rs'), '#![no_std]\n');
  const config = [
    'source.crates-io.replace-with="vendored"',
    `source.vendored.directory=${JSON.stringify(join(rust.library, 'vendor'))}`,
    'profile.release.debug=0',
    // Rust's own std is built so; it compiles for as long with fewer, but the rlibs have fewer members.
    'profile.release.codegen-units=16',
  ].flatMap((setting) => ['--config', setting]);
  const crates = '-Zbuild-std=std,panic_unwind,panic_abort';
  // cargo's own tests have this setting too: where the sources of std lie, which else rustc's sysroot says.
  const env = { RUSTC: rust.rustc, RUSTC_BOOTSTRAP: '1', __CARGO_TESTS_ONLY_SRC_ROOT: rust.library, RUSTFLAGS: flags };
  run('cargo', ['build', '-q', '--release', '--offline', ...config, crates, '--target', target], { cwd: folder, env });
  rmSync(libraries, { recursive: true, force: true });
  mkdirSync(libraries, { recursive: true });
  const built = join(folder, 'target', target, 'release', 'deps');
  for (const name of readdirSync(built).filter((each) => each.endsWith('.rlib') && !each.startsWith('libempty'))) {
    copyFileSync(join(built, name), join(libraries, name));
  }
  rmSync(join(folder, 'target'), { recursive: true });
  beside?.(libraries);
}

/** A sysroot of a variant's own: beside its libraries, those of the machine that compiles. */
function ownSysroot({ prefix, rustc }: DebianRust, folder: string): string {
  const own = join(folder, 'sysroot', 'lib', 'rustlib');
  mkdirSync(own, { recursive: true });
  symlinkSync(join(prefix, 'lib', 'rustlib', HOST), join(own, HOST));
  const script = join(folder, 'rustc');
  writeFileSync(script, `#!/bin/sh\nexec '${rustc}' --sysroot '${join(folder, 'sysroot')}' "$@"\n`);
  chmodSync(script, 0o755);
  return own;
}

/** The compiler with a std, built once (about two minutes of one processor). */
export function rustWithStd(name: BuiltStd): DebianRust {
  const recipe: Recipe = RECIPES[name];
  const variant = recipe.flags !== undefined;
  const rust = addedOnce(name, (compiler, folder) => {
    const rustlib = variant ? ownSysroot(compiler, folder) : join(compiler.prefix, 'lib', 'rustlib');
    buildStd(recipe, compiler, folder, join(rustlib, recipe.target, 'lib'));
  });
  return variant ? { ...rust, rustc: join(cacheFolder('debian-rust', name), 'rustc') } : rust;
}
