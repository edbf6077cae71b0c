// Programs whose functions all have slots, those of std too, do what they did: threads, thread-locals, panics through
// frames of C, trait objects, backtraces. Linked from the objects of one compilation with and without slots.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from '../../conformance/setup/run.js';
import { readObjectFile } from '../../src/formats/read-object.js';
import { archiveWithSlots, objectWithSlots } from '../../src/patch/give-slots.js';
import { openBaseProgram } from '../../src/patch/program/base-program.js';
import { STD_PROGRAM, darwinWorkshop, stdOutput, type DarwinWorkshop } from './programs.js';

const test = suite('slots of macOS programs');

/** The program from objects and libraries with slots; how many of each got some. */
function linkWithSlots({ tools, path }: DarwinWorkshop, output: string, flags: readonly string[]): number {
  writeFileSync(`${output}.rs`, STD_PROGRAM);
  const kept = ['-Csave-temps', '--print=link-args', `-Clinker=${tools.cc}`, '-Csplit-debuginfo=unpacked'];
  const common = ['--edition', '2024', '--target', tools.target, '-g', '-o', output, ...kept, ...flags];
  const command = run(tools.rustc, [...common, `${output}.rs`], { env: tools.env });
  mkdirSync(path('slotted'));
  let changed = 0;
  const replaced = command.replaceAll(/[^" ]+\.(?:rcgu\.o|rlib)(?=")/g, (file) => {
    const make = file.endsWith('.rlib') ? archiveWithSlots : objectWithSlots;
    const bytes = make(new Uint8Array(readFileSync(file)), file, 'all');
    if (bytes === null) return file;
    changed++;
    writeFileSync(path(`slotted/${basename(file)}`), bytes);
    return path(`slotted/${basename(file)}`);
  });
  run('sh', ['-c', replaced], { env: tools.env });
  return changed;
}

for (const [target, machine] of [
  ['x86_64-apple-darwin', 'x86_64'],
  ['aarch64-apple-darwin', 'aarch64'],
] as const) {
  for (const [profile, flags] of [
    ['debug', []],
    ['optimised', ['-Copt-level=3']],
  ] as const) {
    test(`${target}, ${profile}: a program of std with slots says what it says without`, () => {
      const workshop = darwinWorkshop(target);
      try {
        const output = workshop.path('std');
        assert.ok(linkWithSlots(workshop, output, flags) > 10);
        const said = workshop.run(output, ['one', 'two words']);
        assert.is(said.stdout, stdOutput(machine), said.stderr);
        assert.is(said.status, 3, said.stderr);
        const base = openBaseProgram(readObjectFile(readFileSync(output), output), () => []);
        assert.ok(base.slots > 1000, `${base.slots} slots`);
        // What stubs say of slots and bodies is true of nearly all: lld makes one of equal bodies only where it is asked.
        const functions = [...base.items.values()].flat().filter(({ kind }) => kind === 'function');
        const slots = functions.flatMap((item) => base.slotOf(item) ?? []);
        assert.is(slots.length, base.slots);
        assert.ok(slots.every(({ body }) => base.isCode(body.address) && body.size > 0));
      } finally {
        workshop.remove();
      }
    });
  }
}

test.run();
