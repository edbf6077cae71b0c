// The C++ (and C) library, compiled by both compilers in several ways, its link captured, and what it must answer.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { cacheFolder } from '../setup/cache.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { captureSettings, readCapture, type CapturedLink } from './capture.js';
import { type Call } from './crates.js';
import { MACHINE_TOOLS } from './machine-tools.js';

/** A way to compile and link the library. */
interface Way {
  readonly compiler: 'g++' | 'clang++';
  readonly compile: readonly string[];
  readonly link: readonly string[];
}

/** Descriptor TLS is arm64's default and has a name of its own on x86-64. */
const WAYS: Readonly<Record<string, Way>> = {
  'cpp-gcc-plain': { compiler: 'g++', compile: ['-O0', '-g'], link: [] },
  'cpp-gcc-sections': {
    compiler: 'g++',
    compile: ['-O2', '-g', '-ffunction-sections', '-fdata-sections'],
    link: ['-Wl,--gc-sections'],
  },
  'cpp-gcc-direct': { compiler: 'g++', compile: ['-O1', '-fno-plt'], link: ['-Wl,-z,now'] },
  'cpp-clang-plain': { compiler: 'clang++', compile: ['-O0', '-g1'], link: [] },
  'cpp-clang-sections': {
    compiler: 'clang++',
    compile: ['-O2', '-ffunction-sections', '-fdata-sections', '-fno-plt'],
    link: ['-Wl,--gc-sections'],
  },
};

/** What the library must answer, whoever linked it. */
export const CPP_CALLS: readonly Call[] = [
  { name: 'catch_by_type', input: '1', output: '~trouble41' },
  { name: 'catch_by_type', input: '1', output: '~trouble41' },
  { name: 'catch_by_type', input: '2', output: '~other:range' },
  { name: 'catch_by_type', input: '3', output: '~int7' },
  { name: 'catch_by_type', input: 'x', output: '~other:stoi' },
  { name: 'rethrow', input: 'again:', output: 'again:range' },
  { name: 'shapes', input: 'square', output: 'square36S+' },
  { name: 'shapes', input: 'circle', output: 'shape6?-' },
  { name: 'threads', input: '4', output: '38 5t5' },
  { name: 'initialised', input: 'two', output: '912.20' },
  { name: 'shared_statics', input: 'ab', output: '1abab42' },
  { name: 'jump_table', input: '2abc', output: 'four' },
  { name: 'jump_table', input: '4', output: 'fourfive' },
  { name: 'jump_table', input: '55', output: 'three' },
];

/** The names of all ways. */
export const CPP_NAMES: readonly string[] = Object.keys(WAYS);

/** The captured link of one way, made when the cache has it not. */
export function captureCpp(machine: MachineName, name: string): CapturedLink {
  const folder = cacheFolder('captured', 'cpp', machine);
  return readCapture(machine, folder, name) ?? build(machine, name, folder);
}

function build(machine: MachineName, name: string, folder: string): CapturedLink {
  const { compiler, compile, link } = WAYS[name]!;
  const { cxx, clang } = MACHINE_TOOLS[machine];
  const { folder: shim, env } = captureSettings(machine, folder);
  const work = cacheFolder('cpp', machine, name);
  const sources = join(ROOT, 'conformance', 'cpp');
  const objects = readdirSync(sources)
    .filter((file) => /\.c(pp)?$/.test(file))
    .map((file) => {
      const object = join(work, `${file}.o`);
      const language = file.endsWith('.c') ? ['-x', 'c', '-std=gnu17', '-fcommon'] : ['-x', 'c++', '-std=c++17'];
      const driver = compiler === 'g++' ? [cxx] : ['clang++-19', ...clang];
      run(driver[0]!, [...driver.slice(1), '-fPIC', ...compile, ...language, '-c', join(sources, file), '-o', object]);
      return object;
    });
  const output = join(work, `lib${name}.so`);
  run(cxx, ['-shared', `-B${shim}`, ...objects, '-o', output, `-Wl,-soname,lib${name}.so`, ...link], { env });
  const captured = readCapture(machine, folder, name);
  if (captured === null) throw new Error(`${cxx} called no linker of -B for ${name}`);
  return captured;
}
