// The Zig compiler, whose linker of Mach-O files is one of its own: another opinion beside lld's.
import { chmodSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, madeOnce } from './cache.js';
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

/** Called by crates' build scripts as Apple's `cc` is; the target is said in Zig's words. */
const CC = (program: string, target: string): string => `#!/bin/sh
left=$#
while [ "$left" -gt 0 ]; do
  left=$((left - 1))
  argument=$1
  shift
  case $argument in
    -arch | -isysroot | -target) shift; left=$((left - 1)) ;;
    -mmacosx-version-min=* | -mmacos-version-min=* | --target=* | -gfull) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "${program}" cc -target ${target} -fno-sanitize=all "$@"
`;

/** A C compiler for macOS, with its headers. */
export function zigCompiler(machine: 'x86_64' | 'aarch64'): string {
  const script = join(cacheFolder('darwin-linker'), `zig-cc-${machine}`);
  const temporary = `${script}.${process.pid}`;
  writeFileSync(temporary, CC(zig(), `${machine}-macos.13.0`));
  chmodSync(temporary, 0o755);
  renameSync(temporary, script);
  return script;
}
