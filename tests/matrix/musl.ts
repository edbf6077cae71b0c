// A toolchain for static programs with musl, made of Debian's packages in the user's cache: its rustc, a std compiled
// for musl from its sources, and what rustup's musl target brings along beside (start files, libc, LLVM's unwinder).
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const TARGET = 'x86_64-unknown-linux-musl';
/** Installed: what rustc loads, and musl. */
const INSTALLED = ['libllvm22', 'musl-dev'];
/** Only unpacked, so that no other rustc comes before the user's own. */
const UNPACKED = ['rustc-web', 'libstd-rust-web-1.96', 'libstd-rust-web-dev', 'rust-web-src', 'libunwind-19-dev'];

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

/**
 * What cargo is given to build for musl. Makes the toolchain once, which takes 2 minutes of one core and, on Debian, the
 * right to install packages.
 */
export function muslEnvironment(): Readonly<Record<string, string>> {
  const root = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ipbp-matrix', 'musl-1.96');
  const rustc = join(root, 'rustc');
  if (!existsSync(rustc)) {
    rmSync(root, { recursive: true, force: true });
    mkdirSync(root, { recursive: true });
    unpack(root);
    // Under another name until all is there: its presence says so.
    const unfinished = writeCompiler(root, `${rustc}.unfinished`);
    buildStd(root, unfinished);
    addStartFiles(root);
    renameSync(unfinished, rustc);
  }
  return { RUSTC: rustc, CARGO_BUILD_TARGET: TARGET };
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
  const stdio: ['ignore', 'pipe', number] = ['ignore', 'pipe', 2];
  return execFileSync(program, args, { cwd, stdio, encoding: 'utf8', env: { ...process.env, ...env } });
}

function unpack(root: string): void {
  const packages = join(root, 'packages');
  mkdirSync(packages);
  run('apt-get', ['update', '-q'], root);
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...INSTALLED], root);
  run('apt-get', ['download', '-q', ...UNPACKED], packages);
  for (const file of readdirSync(packages)) run('dpkg-deb', ['-x', join(packages, file), root], root);
  rmSync(packages, { recursive: true });
}

function writeCompiler(root: string, path: string): string {
  const libraries = join(root, 'usr', 'lib', 'x86_64-linux-gnu');
  const compiler = join(root, 'usr', 'bin', 'rustc');
  writeFileSync(
    path,
    `#!/bin/sh\nLD_LIBRARY_PATH=${libraries}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec ${compiler} "$@"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

function targetLibraries(root: string): string {
  return join(root, 'usr', 'lib', 'rustlib', TARGET, 'lib');
}

/** The sources carry all that std depends on, so nothing is fetched. */
function buildStd(root: string, rustc: string): void {
  const sources = join(root, 'usr', 'src');
  const library = join(sources, readdirSync(sources).find((name) => name.startsWith('rustc-')) ?? '', 'library');
  const crate = join(root, 'std');
  mkdirSync(join(crate, 'src'), { recursive: true });
  writeFileSync(join(crate, 'Cargo.toml'), '[package]\nname = "empty"\nedition = "2021"\n[workspace]\n');
  writeFileSync(join(crate, 'src', 'lib.rs'), '#![no_std]\n');
  const replaced = [
    'source.crates-io.replace-with="v"',
    `source.v.directory=${JSON.stringify(join(library, 'vendor'))}`,
  ];
  run(
    'cargo',
    [
      ...['build', '--release', '--offline', '--target', TARGET, '-Zbuild-std=std,panic_unwind,panic_abort'],
      ...replaced.flatMap((setting) => ['--config', setting]),
    ],
    crate,
    {
      RUSTC: rustc,
      RUSTC_BOOTSTRAP: '1',
      __CARGO_TESTS_ONLY_SRC_ROOT: library,
      CARGO_TARGET_DIR: join(crate, 'target'),
    },
  );
  const made = join(crate, 'target', TARGET, 'release', 'deps');
  mkdirSync(targetLibraries(root), { recursive: true });
  for (const name of readdirSync(made))
    if (name.endsWith('.rlib') && !name.startsWith('libempty'))
      copyFileSync(join(made, name), join(targetLibraries(root), name));
  rmSync(crate, { recursive: true });
}

/** In the place and under the names where rustc looks for what rustup would have put there. */
function addStartFiles(root: string): void {
  const folder = join(targetLibraries(root), 'self-contained');
  mkdirSync(folder, { recursive: true });
  const musl = '/usr/lib/x86_64-linux-musl';
  const gcc = dirname(run('gcc', ['-print-libgcc-file-name'], root).trim());
  for (const name of ['rcrt1.o', 'crt1.o', 'Scrt1.o', 'crti.o', 'crtn.o', 'libc.a'])
    copyFileSync(join(musl, name), join(folder, name));
  for (const name of ['crtbegin.o', 'crtbeginS.o', 'crtend.o', 'crtendS.o'])
    copyFileSync(join(gcc, name), join(folder, name));
  const unwinder = join(folder, 'libunwind.a');
  copyFileSync(join(root, 'usr', 'lib', 'llvm-19', 'lib', 'libunwind.a'), unwinder);
  writeFileSync(join(root, 'missing.c'), MISSING_IN_MUSL);
  run('gcc', ['-O1', '-fPIC', '-fno-stack-protector', '-c', 'missing.c', '-o', 'missing.o'], root);
  run('ar', ['q', unwinder, 'missing.o'], root);
}
