// The programs that the comparison needs besides cargo and Node, and the Debian packages that bring them. Missing ones
// are installed where that is allowed, else named.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Each program and the package that brings it. */
const TOOLS: Readonly<Record<string, string>> = {
  gcc: 'gcc',
  'g++': 'g++',
  'ld.bfd': 'binutils',
  readelf: 'binutils',
  time: 'time',
  mold: 'mold',
  'ld.lld-19': 'lld-19',
  'clang-19': 'clang-19',
  'clang++-19': 'clang-19',
  'llvm-mc-19': 'llvm-19',
  'llvm-objdump-19': 'llvm-19',
  'llvm-readobj-19': 'llvm-19',
  'llvm-jitlink-19': 'llvm-19',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu',
  'aarch64-linux-gnu-ld.bfd': 'binutils-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
  pip3: 'python3-pip',
};

function onPath(tool: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, tool)));
}

function apt(...args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env });
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')} ended with ${status}`);
}

/** Installs packages of which a file is missing; throws with their names where that is not allowed. */
export function ensureDebianPackages(files: Readonly<Record<string, string>>): void {
  install(Object.keys(files).filter((name) => !existsSync(files[name]!)));
}

function install(packages: readonly string[]): void {
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) throw new Error(`install the packages ${packages.join(' ')}`);
  apt('update', '-q');
  apt('install', '-y', '-q', '--no-install-recommends', ...packages);
}

/** What the comparison of Mach-O libraries needs. */
export const MACHO_TOOLS: Readonly<Record<string, string>> = {
  'clang-19': 'clang-19',
  'ld64.lld-22': 'lld-22',
  'llvm-objdump-22': 'llvm-22',
  'llvm-dwarfdump-22': 'llvm-22',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
  pip3: 'python3-pip',
};

/** Installs the packages of missing programs; throws with their names where that is not allowed. */
export function ensureDebianTools(tools: Readonly<Record<string, string>> = TOOLS): void {
  const missing = [
    ...new Set(
      Object.keys(tools)
        .filter((tool) => !onPath(tool))
        .map((tool) => tools[tool]!),
    ),
  ];
  install(missing);
}

/** The first line of what a program says of its version. */
export function versionOf(tool: string): string {
  const { stdout, error } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${tool} could not be started: ${error.message}`);
  return stdout.split('\n').find((line) => /\d/.test(line)) ?? '';
}
