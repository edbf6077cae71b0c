// Shared objects that we link, for the tests of the linker: compilers called with our ld, a program that opens a library
// and calls it, libraries' tables as readelf prints them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readelfDynamicSymbols } from '../readelf.js';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The folder that has our ld, for -B. */
export const LINKER = join(ROOT, 'linker');

const CLI = join(ROOT, 'dist/cli/main.js');

/** A temporary directory that goes away with the process. */
export function scratch(): string {
  const made = mkdtempSync(join(tmpdir(), 'ipbp-linking-'));
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  return made;
}

const ENV = { ...process.env, LC_ALL: 'C', RUST_BACKTRACE: '0' };

/** Standard output; fails with what it said when the program does. */
export function run(program: string, args: readonly string[], cwd?: string): string {
  return execFileSync(program, args, { encoding: 'utf8', env: ENV, stdio: ['ignore', 'pipe', 'pipe'], cwd });
}

/** How `ipbp link` ended, and what it wrote. */
export function ipbpLink(
  args: readonly string[],
  cwd: string,
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'link', ...args], {
    encoding: 'utf8',
    env: ENV,
    cwd,
  });
  return { status, stdout, stderr };
}

/** Writes a source and compiles it to an object. */
export function compiled(
  folder: string,
  name: string,
  source: string,
  flags: readonly string[] = [],
  compiler = 'gcc',
): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  const object = `${file.slice(0, file.lastIndexOf('.'))}.o`;
  run(compiler, ['-c', '-fPIC', '-O1', ...flags, '-o', object, file]);
  return object;
}

const HOST = `
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library) { printf("dlopen: %s\\n", dlerror()); return 1; }
  for (int i = 2; i + 1 < argc; i += 2) {
    int (*function)(int) = dlsym(library, argv[i]);
    if (!function) { printf("dlsym: %s\\n", dlerror()); return 1; }
    printf("%s(%s) = %d\\n", argv[i], argv[i + 1], function(atoi(argv[i + 1])));
    fflush(stdout);
  }
  return dlclose(library);
}
`;

/** A program that is told a library and pairs of a function and its argument, calls them and prints what they give. */
export function host(folder: string, compiler = 'gcc'): string {
  const program = join(folder, `host-${compiler}`);
  writeFileSync(`${program}.c`, HOST);
  run(compiler, ['-o', program, `${program}.c`]);
  return program;
}

/** Names of the dynamic symbols that a library defines, sorted. */
export function exported(library: string): string[] {
  return readelfDynamicSymbols(library)
    .filter(({ section }) => section !== 'UND')
    .map(({ name }) => name)
    .sort();
}
