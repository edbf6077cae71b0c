// What is read of the linker's arguments, of linkers of several systems.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readLinkInputs } from './link-arguments.js';

const DIRECTORY = mkdtempSync(join(tmpdir(), 'ipbp-link-'));
process.on('exit', () => {
  rmSync(DIRECTORY, { recursive: true, force: true });
});

function inputsOf(words: readonly string[]): ReturnType<typeof readLinkInputs> {
  const file = join(DIRECTORY, 'recording');
  writeFileSync(file, words.map((word) => `${word}\0`).join(''));
  return readLinkInputs(file, '/project', 'app');
}

const OWN = ['/tmp/rustc1/symbols.o', '/t/deps/app-1.0.rcgu.o', '/t/deps/app-1.allocator.rcgu.o'];

test("of macOS's compiler driver: archives, also those that are taken whole", () => {
  const words = ['-arch', 'arm64', '-mmacosx-version-min=11.0.0', ...OWN, 'build/own.o', '/t/deps/liblib-1.rlib'];
  const whole = [
    '-Wl,-force_load,/t/libwhole.a',
    '-lSystem',
    '-Wl,-dead_strip',
    '-o',
    '/t/deps/app-1',
    '-nodefaultlibs',
  ];
  assert.equal(inputsOf([...words, ...whole, 'lib/libc.a']), {
    archives: ['/t/deps/liblib-1.rlib', '/t/libwhole.a', '/project/lib/libc.a'],
    objects: ['/project/build/own.o'],
  });
});

test("of Apple's linker itself, as rustc calls lld", () => {
  const words = ['-flavor', 'darwin', '-arch', 'x86_64', '-platform_version', 'macos', '10.12', '26.2', ...OWN];
  assert.equal(inputsOf([...words, '-force_load', '/t/libwhole.rlib', '-dead_strip']), {
    archives: ['/t/libwhole.rlib'],
    objects: [],
  });
});

test('no recording: the linker was not called', () => {
  assert.is(readLinkInputs(join(DIRECTORY, 'absent'), '/project', 'app'), null);
});

test.run();
