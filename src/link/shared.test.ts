import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openArchive } from '../formats/archive.js';
import { readObjectFile } from '../formats/read-object.js';
import { linkShared, type SharedResult } from './shared.js';
import { DEFAULT_SHARED_OPTIONS, type LinkInput, type SharedOptions } from './shared/options.js';

const dir = mkdtempSync(join(tmpdir(), 'ipbp-link-'));
test.after(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;

/** Compiles C to an object. */
function compile(source: string, ...flags: string[]): string {
  const base = join(dir, `f${files++}`);
  writeFileSync(`${base}.c`, source);
  execFileSync('gcc', ['-c', '-O1', '-fPIC', ...flags, `${base}.c`, '-o', `${base}.o`]);
  return `${base}.o`;
}

function archive(...objects: string[]): string {
  const path = join(dir, `lib${files++}.a`);
  execFileSync('ar', ['rcs', path, ...objects]);
  return path;
}

function input(path: string, whole = false): LinkInput {
  const bytes = new Uint8Array(readFileSync(path));
  if (path.endsWith('.a')) return { kind: 'archive', archive: openArchive(bytes, path), whole, hidden: false };
  return { kind: 'object', file: readObjectFile(bytes, path) };
}

function link(inputs: readonly LinkInput[], options: Partial<SharedOptions> = {}): SharedResult {
  return linkShared(inputs, { ...DEFAULT_SHARED_OPTIONS, ...options });
}

/** Links, and calls `value()` of the library from a program that loads it. */
function run(inputs: readonly LinkInput[], options: Partial<SharedOptions> = {}): string {
  const { bytes, errors } = link(inputs, options);
  assert.equal(
    errors.map((error) => error.message),
    [],
  );
  const library = join(dir, `l${files++}.so`);
  writeFileSync(library, bytes as Uint8Array);
  return execFileSync(host(), [library], { encoding: 'utf8' }).trim();
}

let hostProgram = '';

function host(): string {
  if (hostProgram !== '') return hostProgram;
  const source = join(dir, 'host.c');
  writeFileSync(
    source,
    `#include <dlfcn.h>
     #include <stdio.h>
     int main(int count, char **arguments) {
       void *library = dlopen(arguments[1], RTLD_NOW);
       int (*value)(void) = library ? (int (*)(void))dlsym(library, "value") : 0;
       if (!value) { puts(dlerror()); return 1; }
       printf("%d\\n", value());
       return 0;
     }`,
  );
  hostProgram = join(dir, 'host');
  execFileSync('gcc', [source, '-o', hostProgram, '-ldl']);
  return hostProgram;
}

const codesOf = (result: SharedResult): string[] => result.errors.map(({ code }) => code);

test('a library with data, constructors, thread-locals and calls into others is loaded and works', () => {
  const object = compile(`
    #include <string.h>
    static int hidden = 1; int shown = 2; __thread int own = 3; static __thread int other;
    const char *names[] = {"one", "three"};
    static void __attribute__((constructor)) first(void) { hidden += 10; }
    int add(int a, int b) { return a + b + shown + hidden; }
    int (*pointer)(int, int) = add;
    int value(void) { return pointer(1, 2) + (int)strlen(names[1]) + ++own + ++other; }`);
  for (const packRelative of [false, true]) {
    for (const gc of [false, true]) {
      assert.is(run([input(object)], { packRelative, gc, unwindHeader: true }), '26');
    }
  }
});

test('members of archives are taken in for what refers to them, wherever the archive stands', () => {
  const user = compile('int helper(void); int value(void) { return helper(); }');
  const helper = compile('int base(void); int helper(void) { return base() + 1; }');
  const base = compile('int base(void) { return 40; }');
  const unused = compile('int helper2(void) { return absent(); } ', '-Wno-implicit-function-declaration');
  const library = archive(unused, base, helper);
  assert.is(run([input(user), input(library)]), '41');
  assert.is(run([input(library), input(user)]), '41');
  const { map } = link([input(user), input(library)]);
  assert.not.ok(map.some(({ file }) => file?.includes(`(${unused.split('/').at(-1)})`)));
});

test('strong definitions win over weak ones and commons over neither; two strong ones are an error', () => {
  const weak = compile('__attribute__((weak)) int value(void) { return 1; }');
  const strong = compile('int value(void) { return 2; }');
  assert.is(run([input(weak), input(strong)]), '2');
  assert.is(run([input(strong), input(weak)]), '2');
  assert.equal(codesOf(link([input(strong), input(compile('int value(void) { return 3; }'))])), ['IPBP2030']);
  const common = compile('int block[4]; int value(void) { return block[3]; }', '-fcommon');
  const defined = compile('int block[4] = {1, 2, 3, 4};');
  assert.is(run([input(common), input(defined)]), '4');
});

test('what is not position independent, and what nobody defines, is said with its place', () => {
  const fixed = compile('int shown; int value(void) { return shown; }', '-fno-pic', '-mcmodel=large');
  const [error] = link([input(fixed)]).errors;
  assert.is(error?.code, 'IPBP2032');
  assert.match(error?.message ?? '', /R_X86_64_64 .*symbol shown.*\.text\+0x/);
  const user = compile('int absent(void); int value(void) { return absent(); }');
  assert.equal(codesOf(link([input(user)], { unresolved: 'error' })), ['IPBP2031']);
  const hidden = compile('__attribute__((visibility("hidden"))) int gone(void); int value(void) { return gone(); }');
  assert.equal(codesOf(link([input(hidden)])), ['IPBP2031']);
});

test('unreached sections are dropped, and named', () => {
  const object = compile(
    'static int kept(void) { return 5; } __attribute__((visibility("hidden"))) int gone(void) { return 6; } int value(void) { return kept(); }',
    '-ffunction-sections',
    '-fno-inline',
  );
  const { dropped } = link([input(object)], { gc: true });
  assert.ok(dropped.includes(`${object}:(.text.gone)`));
  assert.not.ok(dropped.includes(`${object}:(.text.value)`));
});

test.run();
