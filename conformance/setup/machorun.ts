// Our loader of Mach-O programs, compiled into the cache for the processor whose programs it is to run: one build for
// each state of its sources.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { cacheFolder } from './cache.js';
import { run } from './run.js';

const SOURCES = join(ROOT, 'conformance', 'machorun');
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';
const FLAGS = ['-std=c17', '-D_GNU_SOURCE', '-O2', '-g', '-Wall', '-Wextra', '-Wno-unused-parameter'];

const COMPILERS = {
  'x86_64-apple-darwin': 'gcc',
  'aarch64-apple-darwin': 'aarch64-linux-gnu-gcc',
  'aarch64-apple-ios': 'aarch64-linux-gnu-gcc',
} as const;

function sourceFiles(): readonly string[] {
  return ['.', 'libsystem']
    .flatMap((folder) => readdirSync(join(SOURCES, folder)).map((name) => join(SOURCES, folder, name)))
    .filter((file) => /\.[ch]$/.test(file))
    .sort();
}

/** Moved into its place when it is whole: two processes may build at once. */
function put(path: string, make: (temporary: string) => void): void {
  if (existsSync(path)) return;
  const temporary = `${path}.${process.pid}`;
  make(temporary);
  chmodSync(temporary, 0o755);
  renameSync(temporary, path);
}

/** The program that runs a target's programs: `machorun [OPTION…] PROGRAM [ARGUMENT…]`. Throws with what gcc says. */
export function machorun(target: keyof typeof COMPILERS): string {
  const files = sourceFiles();
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const file of files) hash.update(readFileSync(file));
  const folder = cacheFolder('machorun', `${target}-${hash.digest('hex').slice(0, 16)}`);
  const loader = join(folder, 'machorun');
  const sources = files.filter((file) => file.endsWith('.c'));
  put(loader, (path) => run(COMPILERS[target], [...FLAGS, ...sources, '-o', path, '-lm']));
  if (target === 'x86_64-apple-darwin') return loader;
  const emulated = join(folder, 'machorun-emulated');
  const start = `#!/bin/sh\nexport MACHORUN="$0"\nexec qemu-aarch64-static -L ${ARM64_LIBRARIES} ${loader} "$@"\n`;
  put(emulated, (path) => {
    writeFileSync(path, start);
  });
  return emulated;
}
