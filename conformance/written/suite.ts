// The suite `written`: what we write of WebAssembly. Modules that others made, and std's objects, are the same bytes when they
// were read and written again; bases and patches that we make are valid to wabt, binaryen and this Node's engine, which are
// asked of broken ones too.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModule } from '../../src/formats/wasm/encode-sections.js';
import { readWasm } from '../../src/formats/wasm/read.js';
import { writtenAgain } from '../../tests/wasm-written-again.js';
import { ROOT } from '../record.js';
import { npmPackages } from '../setup/npm-packages.js';
import { tryRun } from '../setup/run.js';
import type { Suite, SuiteRow } from '../suite.js';
import { editedModule } from '../../tests/wasm/edited-module.js';
import { stdObjects } from '../../tests/wasm/linked-inputs.js';
import { engine } from '../../tests/web-assembly.js';

/** By Go, by rustc with wasm-bindgen, by rustc alone, by emscripten. */
const MODULES = [
  'esbuild-wasm@0.28.2',
  '@resvg/resvg-wasm@2.6.2',
  'source-map@0.8.0',
  '@sqlite.org/sqlite-wasm@3.41.2',
];
const CHECKERS = ['wabt@1.0.39', 'binaryen@132.0.0'];

function modulesIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return files.filter((name) => name.endsWith('.wasm')).map((name) => join(folder, name));
}

function roundTrip(name: string, inputs: readonly { readonly name: string; readonly bytes: Uint8Array }[]): SuiteRow {
  const failures = inputs
    .filter(({ name: file, bytes }) => !Buffer.from(writtenAgain(bytes, file)).equals(bytes))
    .map(({ name: file }) => `${file} is written otherwise`);
  const size = inputs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { machine: '', name, found: `${inputs.length} files, ${(size / 1e6).toFixed(1)} MB`, failures };
}

/** What each checker says of a module: true where it is valid. */
function verdicts(bytes: Uint8Array, folder: string, tools: string): Record<string, boolean> {
  const file = join(folder, 'checked.wasm');
  writeFileSync(file, bytes);
  const bin = (name: string, args: readonly string[]): boolean =>
    tryRun(process.execPath, [join(tools, name), ...args, file]).status === 0;
  return {
    wabt: bin('wabt/bin/wasm-validate', ['--enable-all']),
    binaryen: bin('binaryen/bin/wasm-opt', ['--all-features', '-o', join(folder, 'ignored.wasm')]),
    engine: engine.validate(bytes),
  };
}

/** The same with a first function that adds what is not there. */
function broken(bytes: Uint8Array): Uint8Array {
  const { wasm: facts } = readWasm(bytes, 'made');
  return encodeModule(
    facts.sections().map((section) => {
      if (section.id !== 'code') return section;
      const [first, ...more] = section.bodies;
      if (first === undefined) throw new Error('a module without code');
      return { ...section, bodies: [{ ...first, bytes: Uint8Array.of(0, 0x6a, 0x0b) }, ...more] };
    }),
  );
}

function checked(folder: string): SuiteRow {
  const tools = npmPackages('checkers', CHECKERS);
  const source = readFileSync(join(ROOT, 'tests/wasm/rust-program.rs'), 'utf8');
  const edited = editedModule(source, (name) => /page|^(?:step|calls|run)$/.test(name));
  const failures: string[] = [];
  const edits = [
    source.replace('x + 3', 'x + 1003'),
    source.replace('"circle {}", self.0', '"a circle of {:?}", Some(self.0)'),
    source.replace('.sum();', '.sum::<f64>() * 2.0;'),
  ];
  const made = [edited.prepared.bytes, ...edits.map((text) => edited.edit(text).bytes)];
  edited.remove();
  for (const [index, bytes] of made.entries()) {
    const what = index === 0 ? 'the base' : `patch ${index}`;
    for (const [checker, valid] of Object.entries(verdicts(bytes, folder, tools))) {
      if (!valid) failures.push(`${checker} does not accept ${what}`);
    }
    for (const [checker, valid] of Object.entries(verdicts(broken(bytes), folder, tools))) {
      if (valid) failures.push(`${checker} accepts ${what} when it is broken`);
    }
  }
  const sizes = made.slice(1).map(({ length }) => length);
  const found = `a base and ${edits.length} patches (${sizes.join(', ')} bytes), 3 checkers, each asked of a broken one too`;
  return { machine: '', name: 'valid modules', found, failures };
}

/** All of it. */
export const writtenSuite: Suite = {
  name: 'written',
  run: (_options, say) => {
    const folder = mkdtempSync(join(tmpdir(), 'ipbp-written-'));
    try {
      const modules = modulesIn(npmPackages('modules', MODULES));
      const read = modules.map((path) => ({ name: path, bytes: new Uint8Array(readFileSync(path)) }));
      const rows = [
        roundTrip('modules of npm', read),
        ...(['wasm32-unknown-unknown', 'wasm32-wasip1'] as const).map((target) =>
          roundTrip(`std for ${target}`, stdObjects(target)),
        ),
        checked(folder),
      ];
      rows.forEach(say);
      return Promise.resolve({ modules: MODULES, checkers: CHECKERS, rows });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
