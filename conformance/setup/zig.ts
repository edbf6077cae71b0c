// The Zig compiler, whose linker of Mach-O files is one of its own: another opinion beside lld's.
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { madeOnce } from './cache.js';
import { run } from './run.js';

/** Versions before this one link the personality of x86-64 code to the word behind. */
const WHEEL = 'ziglang==0.16.0';

function unpack(folder: string): void {
  const only = ['--no-deps', '--only-binary=:all:', '--platform', 'manylinux2014_x86_64', '--dest', folder];
  run('python3', ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', ...only, WHEEL]);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip brought no wheel of ${WHEEL}`);
  run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
  rmSync(join(folder, wheel));
  chmodSync(join(folder, 'ziglang', 'zig'), 0o755);
}

/** The program `zig`. */
export function zig(): string {
  return join(madeOnce(['zig'], unpack), 'ziglang', 'zig');
}
