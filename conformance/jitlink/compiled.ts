// Our own C and C++ sources, compiled by both compilers in all code models, and assembly: what distributions' libraries
// lack.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MACHINE_TOOLS } from '../cases/machine-tools.js';
import { run } from '../setup/run.js';
import type { MachineName } from '../suite.js';
import type { CorpusObject } from './corpus-object.js';

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), 'sources');

const C = ['-x', 'c', '-std=gnu17'];
const CPP = ['-x', 'c++', '-std=c++17'];
const SECTIONS = ['-ffunction-sections', '-fdata-sections'];

/** Ways to compile that every machine and compiler has. */
const WAYS: readonly (readonly string[])[] = [
  ['-O0'],
  ['-O2', '-fPIC', ...SECTIONS],
  ['-O1', '-fPIC', '-fno-plt', '-fcommon'],
  ['-O2', '-fPIE'],
  ['-Os', '-fno-pic', '-fno-jump-tables'],
  ['-O2', '-fPIC', '-DTHREAD_LOCALS'],
  ['-O2', '-fno-pic', '-DTHREAD_LOCALS', '-fno-asynchronous-unwind-tables'],
];

/** Code models; which of them go with -fPIC is up to machine and compiler. */
const MODELS: Readonly<Record<MachineName, readonly (readonly string[])[]>> = {
  x86_64: [
    ['-O2', '-fno-pic', '-mcmodel=medium', '-mlarge-data-threshold=64'],
    ['-O2', '-fPIC', '-mcmodel=medium', '-mlarge-data-threshold=64'],
    ['-O2', '-fno-pic', '-mcmodel=large'],
    ['-O2', '-fPIC', '-mcmodel=large'],
    ['-O1', '-mno-sse', '-fno-pic', '-mcmodel=kernel'],
  ],
  aarch64: [
    ['-O2', '-fno-pic', '-mcmodel=tiny'],
    ['-O2', '-fPIC', '-mcmodel=tiny'],
    ['-O2', '-fPIC', '-mcmodel=small'],
    ['-O2', '-fno-pic', '-mcmodel=large'],
  ],
};

/** Objects of both sources, in every way that the compiler has. `compiler` is its command line's start, of C++ as well. */
export function* compiled(machine: MachineName, compiler: readonly string[], folder: string): Iterable<CorpusObject> {
  const output = join(folder, 'compiled.o');
  const make = (file: string, options: readonly string[]): CorpusObject => {
    const [command, ...start] = compiler;
    const all = [...start, ...options, '-c', join(SOURCES, file), '-o', output];
    const { status, stderr } = spawnSync(command!, all, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${compiler.join(' ')} ${all.join(' ')}: ${stderr}`);
    return { name: `${file} ${options.join(' ')}`, bytes: readFileSync(output) };
  };
  for (const way of [...WAYS, ...MODELS[machine]]) yield make('models.c', [...C, ...way]);
  for (const way of WAYS.slice(0, 4)) yield make('containers.cpp', [...CPP, ...way]);
}

/** What no compiler makes, and the ends of fields. */
export function* assembled(machine: MachineName, folder: string): Iterable<CorpusObject> {
  const name = `references.${machine}.s`;
  const output = join(folder, 'assembled.o');
  const { triple } = MACHINE_TOOLS[machine];
  run('llvm-mc-19', ['-filetype=obj', `-triple=${triple}`, join(SOURCES, name), '-o', output]);
  yield { name, bytes: readFileSync(output) };
}
