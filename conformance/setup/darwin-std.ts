// std for macOS, built from the compiler's own sources and put where the compiler looks for a target's libraries.
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DebianRust, addedOnce } from './debian-rust.js';
import { run } from './run.js';

/** A macOS target of rustc. */
export type DarwinTarget = 'aarch64-apple-darwin' | 'x86_64-apple-darwin';

const MANIFEST = `[package]
name = "empty"
version = "0.0.0"
edition = "2021"

[lib]
path = "lib.rs"

[workspace]
`;

function buildStd(target: DarwinTarget, rust: DebianRust, folder: string): void {
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
  const env = { RUSTC: rust.rustc, RUSTC_BOOTSTRAP: '1', __CARGO_TESTS_ONLY_SRC_ROOT: rust.library, RUSTFLAGS: '' };
  run('cargo', ['build', '-q', '--release', '--offline', ...config, crates, '--target', target], { cwd: folder, env });
  const libraries = join(rust.prefix, 'lib', 'rustlib', target, 'lib');
  rmSync(libraries, { recursive: true, force: true });
  mkdirSync(libraries, { recursive: true });
  const built = join(folder, 'target', target, 'release', 'deps');
  for (const name of readdirSync(built).filter((each) => each.endsWith('.rlib') && !each.startsWith('libempty'))) {
    copyFileSync(join(built, name), join(libraries, name));
  }
  rmSync(join(folder, 'target'), { recursive: true });
}

/** The compiler with std for a macOS target, built once (about two minutes of one processor). */
export function rustForDarwin(target: DarwinTarget): DebianRust {
  return addedOnce(target, (rust, folder) => buildStd(target, rust, folder));
}
