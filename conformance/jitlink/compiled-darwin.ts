// Our own C, C++ and assembly for Apple's systems, by clang, in several ways.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MachineName } from '../suite.js';
import type { CorpusObject } from './corpus-object.js';

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), 'sources');
const WAYS: readonly (readonly string[])[] = [
  ['-O0'],
  ['-O1', '-fcommon'],
  ['-O2'],
  ['-Os', '-fno-jump-tables'],
  ['-O2', '-g'],
];

function make(machine: MachineName, file: string, options: readonly string[], folder: string): CorpusObject {
  const output = join(folder, 'compiled.o');
  const target = `${machine === 'aarch64' ? 'arm64' : machine}-apple-macos11`;
  const all = ['-target', target, ...options, '-c', join(SOURCES, file), '-o', output];
  const { status, stderr } = spawnSync('clang-19', all, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`clang-19 ${all.join(' ')}: ${stderr}`);
  return { name: `${file} ${options.join(' ')}`, bytes: readFileSync(output) };
}

/** Objects of both languages, in every way. */
export function* compiledForDarwin(machine: MachineName, folder: string): Iterable<CorpusObject> {
  for (const way of WAYS) yield make(machine, 'darwin.c', way, folder);
  for (const way of WAYS) yield make(machine, 'darwin.cpp', ['-std=c++17', '-fno-rtti', ...way], folder);
}

/** What no compiler makes, and the ends of fields. */
export function* assembledForDarwin(machine: MachineName, folder: string): Iterable<CorpusObject> {
  yield make(machine, `darwin.${machine}.s`, [], folder);
}
