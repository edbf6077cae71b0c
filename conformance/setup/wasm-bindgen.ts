// wasm-bindgen's own command line, as a user has it, built from its crate; and programs' dependencies that go with it.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeOnce } from './cache.js';
import { run } from './run.js';
import { wasmToolchain } from './wasm-toolchain.js';

/** Of the crate `wasm-bindgen`; the command line and the program's crate must have the same. */
const VERSION = '0.2.130';
/** What web-sys is asked for; it is compiled for all programs alike. */
const FEATURES = ['Document', 'Element', 'Event', 'EventTarget', 'HtmlElement', 'MouseEvent', 'Node', 'Window'];
const TARGET = 'wasm32-unknown-unknown';

/** For manifests. The versions of the other crates go with wasm-bindgen's. */
export const BINDGEN_DEPENDENCIES = `[dependencies]
wasm-bindgen = "=${VERSION}"
js-sys = "=0.3.107"
web-sys = { version = "=0.3.107", features = ${JSON.stringify(FEATURES)} }
`;

/** For a project's `.cargo/config.toml`: rustc leaves the objects that it has linked. */
export const KEEP_OBJECTS = `[target.${TARGET}]\nrustflags = ["-Csave-temps"]\n`;

/** The folder that the command line `wasm-bindgen` is in, built once (a hundred seconds of one processor). */
export function wasmBindgen(): string {
  const folder = madeOnce(['wasm-bindgen', VERSION], (to) => {
    const target = join(to, 'target');
    // Its own lock file names what mirrors may not have yet; without TLS, which only its test runner needs, it compiles in
    // half the time, and unoptimised it still takes less than a second.
    const options = ['--version', VERSION, '--no-default-features', '--bin', 'wasm-bindgen', '--debug'];
    const env = { CARGO_TARGET_DIR: target, CARGO_PROFILE_DEV_DEBUG: '0' };
    run('cargo', ['install', '-q', 'wasm-bindgen-cli', ...options, '--root', to], { env });
    rmSync(target, { recursive: true, force: true });
  });
  return join(folder, 'bin');
}

/** Puts the compiled dependencies into a project of theirs that keeps its objects: what cargo finds there it takes. */
export function withBindgenDependencies(project: string): void {
  const { env } = wasmToolchain(TARGET);
  const made = madeOnce(['wasm-bindgen', `${VERSION}-dependencies`], (to) => {
    const head = '[package]\nname = "dependencies"\nversion = "0.0.0"\nedition = "2021"\n\n';
    writeFileSync(join(to, 'Cargo.toml'), `${head}[lib]\npath = "lib.rs"\n\n${BINDGEN_DEPENDENCIES}\n[workspace]\n`);
    writeFileSync(join(to, 'lib.rs'), '');
    mkdirSync(join(to, '.cargo'));
    writeFileSync(join(to, '.cargo', 'config.toml'), KEEP_OBJECTS);
    run('cargo', ['build', '-q', '--target', TARGET], { cwd: to, env });
  });
  copyFileSync(join(made, 'Cargo.lock'), join(project, 'Cargo.lock'));
  run('cp', ['-al', join(made, 'target'), join(project, 'target')]);
}
