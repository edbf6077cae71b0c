// The suite `relocated`: real objects, each linked alone by wasm-ld; ours applies the relocations for the places that it
// chose and must come to the same bytes. std of three targets, as it is released, C and C++, and, with --full, a program of
// ten thousand functions with its debug information, and the same released.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readWasm } from '../../src/formats/wasm/read.js';
import { objectsIn } from '../../src/host/web/base-facts.js';
import { ensureDebianTools } from '../setup/debian-tools.js';
import { run } from '../setup/run.js';
import { type WasmTarget, wasmToolchain } from '../setup/wasm-toolchain.js';
import type { Suite } from '../suite.js';
import { WASM_C, WASM_CPP } from '../../tests/wasm-inputs.js';
import { buildProgram } from '../../tests/wasm/built-program.js';
import { standardArchives } from '../../tests/wasm/linked-inputs.js';
import { compareObject, type Compared } from './compare.js';
import { linkAlone, type Placed } from './placed.js';

/** How many of an origin's objects are compared without --full. */
const FEW = 16;
/** How many lines of one row are kept. */
const LINES = 5;
const THREADS = ['-matomics', '-mbulk-memory'] as const;

interface Input {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Members of std's own archives, without the C library's. */
function stdObjects(target: WasmTarget): Input[] {
  const archives = standardArchives(target).filter((path) => path.endsWith('.rlib'));
  return archives
    .sort()
    .flatMap((path) => objectsIn({ name: basename(path), bytes: new Uint8Array(readFileSync(path)) }));
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

/** All that cargo compiled for it, without std. */
function programObjects(release: boolean): Input[] {
  const folder = fileURLToPath(new URL('../../tests/wasm/large', import.meta.url));
  const built = buildProgram({ folder, crates: ['large', 'parts'], release });
  built.remove();
  return [...built.own, ...built.others].filter(({ name }) => name.endsWith('.rcgu.o'));
}

/** An object whose code uses a thread-local of another one's: wasm-ld does not link it without that. */
const NOT_ALONE = /R_WASM_MEMORY_ADDR_TLS_SLEB cannot be used against an undefined symbol/;

/** null where the object cannot be linked without others. */
function placedAlone(linker: readonly string[], bytes: Uint8Array, folder: string): Placed | null {
  try {
    return linkAlone(linker, bytes, folder);
  } catch (error) {
    if (error instanceof Error && NOT_ALONE.test(error.message)) return null;
    throw error;
  }
}

function total(all: readonly Compared[], of: (one: Compared) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

const PROGRAMS: readonly (readonly [string, () => Input[]])[] = [
  ['a large program, debug', () => programObjects(false)],
  ['a large program, release', () => programObjects(true)],
];

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
      ['std for threads', () => stdObjects('wasm32-threads')],
      // Compiling it takes minutes.
      ...(full ? PROGRAMS : []),
    ];
    const summary: object[] = [];
    try {
      for (const [name, inputs] of origins.filter(([one]) => one.includes(only))) {
        const all = inputs();
        const step = full ? 1 : Math.ceil(all.length / FEW);
        const failures: string[] = [];
        const asked = all.filter((_, index) => index % step === 0);
        const compared = asked.flatMap(({ name: object, bytes }) => {
          const placed = placedAlone(linker, bytes, folder);
          if (placed === null) return [];
          const one = compareObject(readWasm(bytes, object), placed);
          failures.push(...one.wrong.map((line) => `${object}: ${line}`));
          return [one];
        });
        const counts = {
          objects: compared.length,
          notAlone: asked.length - compared.length,
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
