// An object with a std-like copy of everything in it, linked beside another that defines the same names.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../formats/read-object.js';
import { rewriteObject } from '../formats/rewrite-object.js';
import { enclose } from './enclose.js';

const test = suite('enclose');

/** `shared` lies in a section group that all files with its name would have one copy of. */
const assembly = (entry: string, value: number): string => `
  .section .data.shared, "awG", @progbits, shared, comdat
  .weak shared
shared: .long ${value}
  .text
  .globl common
  .type common, @function
common: mov shared(%rip), %eax
  ret
  .globl ${entry}
  .type ${entry}, @function
${entry}: jmp common
  .section .note.GNU-stack, "", @progbits
`;

test('two that define the same names keep to their own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ipbp-enclose-'));
  const path = (name: string): string => join(directory, name);
  try {
    for (const [name, value] of [
      ['one', 1],
      ['two', 2],
    ] as const) {
      writeFileSync(path(`${name}.s`), assembly(name, value));
      execFileSync('cc', ['-c', '-o', path(`${name}.o`), path(`${name}.s`)]);
    }
    const object = readObjectFile(readFileSync(path('two.o')), 'two.o');
    const bytes = rewriteObject(object, enclose(object, 'hidden', new Set(['two'])));
    writeFileSync(path('two.o'), bytes);
    const globals = readObjectFile(bytes, 'two.o').symbols.filter(({ binding }) => binding !== 'local');
    assert.equal(
      globals.map(({ name }) => name),
      ['two'],
    );
    writeFileSync(path('main.c'), 'int one(void), two(void); int main(void) { return one() * 10 + two(); }');
    execFileSync('cc', ['-o', path('main'), path('main.c'), path('one.o'), path('two.o')]);
    let status: unknown = 0;
    try {
      execFileSync(path('main'));
    } catch (error) {
      status = (error as { status?: unknown }).status;
    }
    assert.is(status, 12);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test.run();
