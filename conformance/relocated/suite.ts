// The suite `relocated`: real objects, each linked alone by wasm-ld; ours applies the relocations for the places that it
// chose and must come to the same bytes. std of two targets, and C and C++.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openArchive } from '../../src/formats/archive.js';
import { readWasm } from '../../src/formats/wasm/read.js';
import { ensureDebianTools } from '../setup/debian-tools.js';
import { run } from '../setup/run.js';
import { type WasmTarget, wasmToolchain } from '../setup/wasm-toolchain.js';
import type { Suite } from '../suite.js';
import { WASM_C, WASM_CPP } from '../../tests/wasm-inputs.js';
import { compareObject, type Compared } from './compare.js';
import { linkAlone } from './placed.js';

/** How many of an origin's objects are compared without --full. */
const FEW = 16;
/** How many lines of one row are kept. */
const LINES = 5;
const THREADS = ['-matomics', '-mbulk-memory'] as const;

interface Input {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Members of std's archives. */
function stdObjects(target: WasmTarget): Input[] {
  const tools = wasmToolchain(target);
  const folder = join(dirname(tools.rustc), 'usr', 'lib', 'rustlib', tools.target, 'lib');
  const archives = readdirSync(folder).filter((name) => name.endsWith('.rlib'));
  return archives.sort().flatMap((archive) => {
    const open = openArchive(new Uint8Array(readFileSync(join(folder, archive))), archive);
    return open.members
      .filter(({ name }) => name.endsWith('.o'))
      .map(({ name, index }) => ({ name: `${archive}(${name})`, bytes: open.memberBytes(index) }));
  });
}

/**
 * C and C++ at several levels, with and without threads and debug information. Memory is not shared: then segments would
 * have no addresses in the module, but only in code that the linker makes.
 */
function compiled(folder: string): Input[] {
  ensureDebianTools({ 'clang-19': 'clang-19' });
  const kinds = [['c', WASM_C] as const, ['cpp', WASM_CPP] as const];
  return kinds.flatMap(([language, text]) =>
    ['-O0', '-O1', '-O2', '-Os'].flatMap((level) =>
      [[], THREADS].map((threads): Input => {
        const source = join(folder, `input.${language}`);
        writeFileSync(source, text);
        // Types of objects refer to data of a library that nobody defines here.
        const sections = ['-ffunction-sections', '-fdata-sections', ...(language === 'cpp' ? ['-fno-rtti'] : [])];
        const target = ['--target=wasm32', '-g', level, ...sections, ...threads];
        run('clang-19', [...target, '-c', source, '-o', `${source}.o`]);
        const name = [language, level, ...threads].join(' ');
        const bytes = new Uint8Array(readFileSync(`${source}.o`));
        return { name, bytes };
      }),
    ),
  );
}

function total(all: readonly Compared[], of: (one: Compared) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

/** Compares every object of each origin. */
export const relocatedSuite: Suite = {
  name: 'relocated',
  run: ({ full, only }, say) => {
    const folder = mkdtempSync(join(tmpdir(), 'ipbp-relocated-'));
    const linker = [wasmToolchain('wasm32-unknown-unknown').linker, '-flavor', 'wasm'];
    const origins: readonly (readonly [string, () => Input[]])[] = [
      ['clang', () => compiled(folder)],
      ['std for wasm32-unknown-unknown', () => stdObjects('wasm32-unknown-unknown')],
      ['std for wasm32-wasip1', () => stdObjects('wasm32-wasip1')],
    ];
    const summary: object[] = [];
    try {
      for (const [name, inputs] of origins.filter(([one]) => one.includes(only))) {
        const all = inputs();
        const step = full ? 1 : Math.ceil(all.length / FEW);
        const failures: string[] = [];
        const compared = all
          .filter((_, index) => index % step === 0)
          .map(({ name: object, bytes }) => {
            const one = compareObject(readWasm(bytes, object), linkAlone(linker, bytes, folder));
            failures.push(...one.wrong.map((line) => `${object}: ${line}`));
            return one;
          });
        const counts = {
          objects: compared.length,
          functions: total(compared, (one) => one.functions),
          segments: total(compared, (one) => one.segments),
          debugSections: total(compared, (one) => one.debugSections),
          relocations: total(compared, (one) => one.relocations),
        };
        summary.push({ name, ...counts, wrong: failures.length });
        const { objects, functions, segments, relocations } = counts;
        const found = `${objects} objects, ${functions} functions, ${segments} segments, ${relocations} relocations`;
        say({ machine: '', name, found, failures: failures.slice(0, LINES) });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return Promise.resolve({ linker: run(linker[0] ?? '', ['-flavor', 'wasm', '--version']).trim(), origins: summary });
  },
};
