// Panics of Rust through frames of C: with a frame pointer and without, with many sets of saved registers; the registers that the catching side sees are compared with what it had put there.
import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from '../../conformance/setup/run.js';
import { darwinWorkshop } from './programs.js';
import { MACHINES, keepsSource, throughSource, unwoundProgram } from './unwound.js';

const FORMS: Readonly<Record<string, readonly string[]>> = {
  'frame pointers': ['-fno-omit-frame-pointer'],
  'no frame pointers': ['-fomit-frame-pointer'],
};

const test = suite('panics through C for macOS');

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] as const) {
  for (const [form, flags] of Object.entries(FORMS)) {
    test(`${target}: ${form}`, () => {
      const workshop = darwinWorkshop(target);
      const machine = MACHINES[target];
      try {
        const clang = (name: string, text: string): string => {
          writeFileSync(workshop.path(name), text);
          const output = workshop.path(`${name}.o`);
          const common = ['-target', `${machine.triple}11.0`, '-O2', '-fexceptions', '-c', ...flags];
          run('clang-19', [...common, workshop.path(name), '-o', output]);
          return `-Clink-arg=${output}`;
        };
        const objects = [clang('through.c', throughSource(machine)), clang('keeps.s', keepsSource(machine))];
        const program = workshop.compile('unwound', unwoundProgram(machine), '-Copt-level=2', ...objects);
        const said = workshop.run(program);
        const functions = machine.sets.length * 2;
        assert.is(said.stdout, `${functions} functions, 0 wrong, ${3 * functions} dropped\n`, said.stderr);
      } finally {
        workshop.remove();
      }
    });
  }
}

test.run();
