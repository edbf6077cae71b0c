// What a program is linked with: two-level namespace, re-exports, run paths, libraries that may be missing, and closing.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from '../../conformance/setup/run.js';
import { LIBRARIES, LINKED_PROGRAM } from './linked.js';
import { type DarwinWorkshop, darwinWorkshop } from './programs.js';

const TARGET = 'x86_64-apple-darwin';
const FORMS: Readonly<Record<string, string>> = { 'dyld information': '10.12', 'chained fixups': '13.0' };

const test = suite('linked libraries of macOS');

/** Links one of the libraries with others of them. */
function library(workshop: DarwinWorkshop, name: string, version: string, ...options: readonly string[]): string {
  const folder = workshop.path('libraries');
  mkdirSync(folder, { recursive: true });
  const source = join(folder, `${name}.c`);
  const output = join(folder, `lib${name}.dylib`);
  writeFileSync(source, LIBRARIES[name]!);
  run('clang-19', ['-target', `x86_64-apple-macos${version}`, '-O1', '-c', source, '-o', `${source}.o`]);
  const names = ['-install_name', `@rpath/lib${name}.dylib`, '-o', output];
  const common = ['-dylib', '-arch', 'x86_64', '-platform_version', 'macos', version, version, `-L${folder}`];
  run(workshop.tools.ld, [
    ...common,
    '-syslibroot',
    workshop.tools.sdk,
    ...names,
    `${source}.o`,
    ...options,
    '-lSystem',
  ]);
  return output;
}

for (const [form, version] of Object.entries(FORMS)) {
  test(form, () => {
    const workshop = darwinWorkshop(TARGET);
    try {
      library(workshop, 'one', version);
      const two = library(workshop, 'two', version);
      const gone = library(workshop, 'gone', version);
      library(workshop, 'user', version, '-ltwo', '-weak_library', gone);
      library(workshop, 'front', version, '-reexport-ltwo');
      const closed = library(workshop, 'closed', version);
      const folder = workshop.path('libraries');
      const linked = [`-L${folder}`, '-lone', '-luser', '-lfront', `-weak_library,${gone}`];
      const program = workshop.compile(
        'linked',
        LINKED_PROGRAM,
        `-Clink-arg=-mmacosx-version-min=${version}`,
        ...linked.map((argument) => `-Clink-arg=-Wl,${argument}`),
        '-Clink-arg=-Wl,-rpath,@executable_path/libraries',
      );
      rmSync(gone);
      const said = workshop.run(program, [closed]);
      const expected = [
        'answer 1 10',
        'use 205 0',
        're-exported 5',
        'absent true',
        'opened 1 41 42',
        'ended',
        'closed 0 0',
        'opened 1 41 42',
        'ended',
        'closed 0 0',
        'by run path true 2',
        'first 1',
        '',
      ];
      assert.equal(said.stdout.split('\n'), expected, said.stderr);
      assert.is(said.status, 0);
      rmSync(two);
      const without = workshop.run(program, [closed]);
      assert.match(without.stderr, /libuser\.dylib: needs @rpath\/libtwo\.dylib, which is not found/);
      assert.is(without.status, 126);
    } finally {
      workshop.remove();
    }
  });
}

test.run();
