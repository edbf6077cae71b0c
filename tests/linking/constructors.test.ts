// Constructors of objects as compilers made them before there were arrays: run in the order in which they were run then.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compiled, host, ipbpLink, run, scratch } from './linked.js';

const folder = scratch();
const program = host(folder);

/** A function that puts a letter; the names of functions are the letters. */
const letter = (name: string): string =>
  `.section .text.${name},"ax"\n${name}: lea text_${name}(%rip), %rdi\n jmp puts@PLT\n.section .rodata\ntext_${name}: .string "${name}"\n`;

const table = (section: string, ...names: readonly string[]): string =>
  `.section ${section},"aw",@progbits\n.balign 8\n${names.map((name) => `.quad ${name}\n`).join('')}`;

function assembled(name: string, ...parts: readonly string[]): string {
  const source = join(folder, `${name}.s`);
  writeFileSync(source, `${parts.join('')}.section .note.GNU-stack,"",@progbits\n`);
  run('gcc', ['-c', '-o', join(folder, `${name}.o`), source]);
  return join(folder, `${name}.o`);
}

const OLD = assembled(
  'old',
  ...['a', 'b', 'c', 'd', 'v', 'w', 'x'].map(letter),
  table('.ctors', 'a', 'b'),
  table('.ctors.65435', 'c'),
  table('.ctors.65335', 'd'),
  table('.dtors', 'v', 'w'),
  table('.dtors.65435', 'x'),
);
const NEW = compiled(
  folder,
  'new.c',
  `int puts(const char *);
   static __attribute__((constructor)) void i(void) { puts("i"); }
   static __attribute__((constructor(300))) void j(void) { puts("j"); }
   static __attribute__((destructor)) void k(void) { puts("k"); }
   int f(int x) { return x; }`,
);

const runsAs = (library: string): string => run(program, [library, 'f', '1']).replaceAll('\n', ' ');

test('tables become parts of the arrays, and run as with the library that GNU ld makes', () => {
  const theirs = join(folder, 'theirs.so');
  run('ld', ['-shared', '-o', theirs, OLD, NEW]);
  const expected = 'c d j b a i f(1) = 1 k v w x ';
  assert.is(runsAs(theirs), expected);
  for (const options of [[], ['-z', 'pack-relative-relocs', '-lc'], ['--gc-sections']]) {
    const ours = join(folder, 'ours.so');
    const { status, stderr } = ipbpLink(['-shared', '-o', ours, OLD, NEW, ...options], folder);
    assert.is(status, 0, stderr);
    assert.is(runsAs(ours), expected);
    assert.not.match(run('readelf', ['-SW', ours]), /\.[cd]tors/);
  }
});

test('the tables of old startup files stay what they are: their own code runs them', () => {
  const startup = assembled('crtbegin', letter('s'), table('.ctors', 's'));
  const library = join(folder, 'startup.so');
  assert.is(ipbpLink(['-shared', '-o', library, startup, NEW], folder).status, 0);
  assert.match(run('readelf', ['-SW', library]), /\.ctors/);
  assert.is(runsAs(library), 'j i f(1) = 1 k ');
});

test.run();
