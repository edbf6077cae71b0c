// The diff's rules, one by one, on objects that the assembler made for them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { diffObjects } from './diff.js';

const scratch = mkdtempSync(join(tmpdir(), 'ipbp-diff-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Assembles a text and opens the object under `name`. */
function assemble(text: string, name = 'a.o'): LinkObject {
  writeFileSync(join(scratch, 'in.s'), text);
  const run = spawnSync('gcc', ['-c', '-x', 'assembler', 'in.s', '-o', 'out.o'], { cwd: scratch, encoding: 'utf8' });
  assert.is(run.status, 0, run.stderr);
  return openLinkObject(readObjectFile(new Uint8Array(readFileSync(join(scratch, 'out.o'))), name));
}

/** A global function in a section of its own. */
function code(name: string, body: string, binding = '.globl'): string {
  return `.section .text.${name},"ax",@progbits\n${binding} ${name}\n.type ${name},@function\n${name}:\n${body}\nret\n.size ${name},.-${name}\n`;
}

/** Data of `words` under a name, in a section of its own. */
function data(name: string, section: string, flags: string, words: string, kind = 'object'): string {
  return `.section ${section},"${flags}",@progbits\n.p2align 3\n.type ${name},@${kind}\n${name}:\n${words}\n.size ${name},.-${name}\n`;
}

/** What differs, as `change name`. */
function differs(before: string | readonly string[], after: string | readonly string[]): string[] {
  const open = (texts: string | readonly string[]): LinkObject[] =>
    [texts].flat().map((text, index) => assemble(text, `${index}.o`));
  return diffObjects(open(before), open(after)).items.map((item) => `${item.change} ${item.name}`);
}

function reasons(before: string, after: string): readonly string[] {
  return diffObjects([assemble(before)], [assemble(after)]).items.flatMap((item) => item.because);
}

test('a call by stub and a direct one are the same; an address by GOT slot and a direct one are not', () => {
  const direct = code('f', '.byte 0xe8\n.reloc ., R_X86_64_PC32, g-4\n.long 0');
  assert.equal(differs(code('f', 'call g@PLT'), direct), []);
  const load = (type: string): string => code('f', `.byte 0x48, 0x8b, 0x05\n.reloc ., ${type}, g-4\n.long 0`);
  assert.equal(differs(load('R_X86_64_GOTPCREL'), load('R_X86_64_REX_GOTPCRELX')), []);
  assert.equal(differs(load('R_X86_64_GOTPCREL'), load('R_X86_64_PC32')), ['body f']);
});

test('a call of a local function by section and of a global one by name are the same', () => {
  const callee = (binding: string): string => code('g', 'nop', binding);
  assert.equal(differs(code('f', 'call g') + callee('.local'), code('f', 'call g') + callee('.globl')), []);
  assert.equal(differs(code('f', 'call g') + callee('.local'), [code('f', 'call g'), callee('.globl')]), []);
});

test('another callee counts, and is named', () => {
  assert.equal(reasons(code('f', 'call g'), code('f', 'call h')), ['calls h instead of g']);
});

test('of a section of merged strings only the one that is meant counts', () => {
  const text = (first: string, second: string): string =>
    `${code('f', 'lea .Lone(%rip), %rax')}${code('g', 'lea .Ltwo(%rip), %rax')}` +
    `.section .rodata.str1.1,"aMS",@progbits,1\n.Lone: .string "${first}"\n.Ltwo: .string "${second}"\n`;
  assert.equal(differs(text('a', 'b'), text('a', 'c')), ['body g']);
  assert.equal(differs(text('a', 'b'), text('longer', 'b')), ['body f']);
  assert.equal(reasons(text('a', 'b'), text('say \\"hi\\"\\n', 'b')), ['a string changed: "a" → "say \\"hi\\"\\n"']);
});

test('of merged constants too, also when an immediate stands behind the field', () => {
  const text = (first: number, second: number): string =>
    `${code('f', 'pshufd $27, .Lone(%rip), %xmm0')}${code('g', 'pshufd $27, .Ltwo(%rip), %xmm0')}${code(
      'h',
      'movaps .Ltwo(%rip), %xmm0',
    )}.section .rodata.cst16,"aM",@progbits,16\n.p2align 4\n.Lone: .quad ${first}, 1\n.Ltwo: .quad ${second}, 1\n`;
  assert.equal(differs(text(1, 2), text(1, 3)), ['body g', 'body h']);
  assert.equal(differs(text(1, 2), text(3, 2)), ['body f']);
});

test('anonymous data is its content, however it is called and numbered, and wherever it lies', () => {
  const one = data('.Lanon.1', '.rodata..Lanon.1', 'a', '.quad 5');
  const pointer = (number: number, to: number): string =>
    data(`.Lanon.${number}`, `.data.rel.ro..Lanon.${number}`, 'aw', `.quad .Lanon.${to}\n.quad 3`);
  const f = (number: number): string => code('f', `lea .Lanon.${number}(%rip), %rax`);
  const moved = data('.Lanon.7', '.rodata..Lanon.7', 'a', '.quad 5') + pointer(4, 7) + f(4);
  assert.equal(differs(f(2) + one + pointer(2, 1), moved), []);
  assert.equal(differs(f(2) + one + pointer(2, 1), moved.replace('.quad 5', '.quad 6')), ['body f']);
});

test('anonymous data that refers to itself in a circle', () => {
  const ring = (value: number): string =>
    code('f', 'lea .Lanon.1(%rip), %rax') +
    data('.Lanon.1', '.data.rel.ro..Lanon.1', 'aw', '.quad .Lanon.2, 1') +
    data('.Lanon.2', '.data.rel.ro..Lanon.2', 'aw', `.quad .Lanon.1, ${value}`);
  assert.equal(differs(ring(2), ring(2)), []);
  assert.equal(differs(ring(2), ring(3)), ['body f']);
});

test('what was taken as equal on the way to a difference is asked again', () => {
  // f and g reach the circle from both ends; the difference is seen in the middle of the first question.
  const ring = (value: number): string =>
    code('f', 'lea .Lanon.1(%rip), %rax') +
    code('g', 'lea .Lanon.2(%rip), %rax') +
    code('h', 'lea .Lanon.3(%rip), %rax') +
    data('.Lanon.1', '.data.rel.ro..Lanon.1', 'aw', '.quad .Lanon.2, .Lanon.3') +
    data('.Lanon.2', '.data.rel.ro..Lanon.2', 'aw', '.quad .Lanon.1, 7') +
    data('.Lanon.3', '.data.rel.ro..Lanon.3', 'aw', `.quad 1, ${value}`);
  assert.equal(differs(ring(2), ring(3)), ['body f', 'body g', 'body h']);
});

test('constants that optimised code shares between objects are their content too', () => {
  const user = (name: string): string => code('f', `lea ${name}(%rip), %rax`);
  const shared = (name: string, value: number): string =>
    `.globl ${name}\n.hidden ${name}\n${data(name, `.rodata.${name}`, 'a', `.quad ${value}`)}`;
  const before = [user('anon.aa.1.llvm.11'), shared('anon.aa.1.llvm.11', 4)];
  assert.equal(differs(before, [user('anon.aa.2.llvm.12'), shared('anon.aa.2.llvm.12', 4)]), []);
  assert.equal(differs(before, [user('anon.aa.2.llvm.12'), shared('anon.aa.2.llvm.12', 5)]), ['body f']);
});

test('the number that LLVM appends to a promoted function is no part of its name', () => {
  const before = code('g.llvm.11', 'nop') + code('f', 'call g.llvm.11@PLT');
  assert.equal(differs(before, code('g.llvm.22', 'nop') + code('f', 'call g.llvm.22@PLT')), []);
});

test('unwind information counts', () => {
  const f = (rule: string): string => code('f', `.cfi_startproc\nnop\n${rule}\nnop\n.cfi_endproc`);
  assert.equal(reasons(f('.cfi_def_cfa_offset 16'), f('.cfi_def_cfa_offset 32')), ['its unwind table changed']);
  const g = code('g', '.cfi_startproc\nnop\n.cfi_endproc');
  // The last record of a section has other padding, and each its own distance to the shared one.
  assert.equal(differs(f('.cfi_def_cfa_offset 16') + g, g + f('.cfi_def_cfa_offset 16')), []);
});

test('so does what it refers to', () => {
  const f = (table: number): string =>
    `${code(
      'f',
      '.cfi_startproc\n.cfi_lsda 0x1b,.Ltable\nnop\n.cfi_endproc',
    )}.section .gcc_except_table.f,"a",@progbits\n.Ltable: .byte ${table}\n`;
  assert.equal(differs(f(1), f(1)), []);
  assert.equal(reasons(f(1), f(2)), ['its unwind table changed']);
});

test('a jump table belongs to its function', () => {
  const f = (label: string): string =>
    `${code(
      'f',
      `lea .Ltable(%rip), %rax\n.Lone: nop\n.Ltwo: nop`,
    )}.section .rodata.f,"a",@progbits\n.Ltable: .long ${label}-.Ltable, .Lone-.Ltable\n`;
  assert.equal(differs(f('.Lone'), f('.Lone')), []);
  assert.equal(differs(f('.Lone'), f('.Ltwo')), ['body f']);
});

test('panic locations that move onto each other are paired in order', () => {
  const text = (lines: readonly number[]): string =>
    `${
      code('f', lines.map((_, index) => `lea .Lanon.${index}(%rip), %rax`).join('\n')) +
      lines
        .map((line, index) => `.quad .Lfile, 9\n.long ${line}, ${5 + index}`)
        .map((words, index) => data(`.Lanon.${index}`, `.data.rel.ro..Lanon.${index}`, 'aw', words))
        .join('')
    }.section .rodata.str1.1,"aMS",@progbits,1\n.Lfile: .string "src/main.rs"\n`;
  assert.equal(reasons(text([39, 41]), text([41, 43])), [
    'a panic location moved: line 39 → 41',
    'a panic location moved: line 41 → 43',
  ]);
});

test('a section of several functions is compared symbol by symbol', () => {
  const part = (name: string, body: string): string =>
    `.globl ${name}\n.type ${name},@function\n${name}:\n.cfi_startproc\n${body}\nret\n.cfi_endproc\n.size ${name},.-${name}\n`;
  const text = (body: string): string => `.text\n${part('f', 'nop')}${part('g', body)}${part('h', 'call outside@PLT')}`;
  assert.equal(differs(text('nop'), text('nop\nnop\nnop')), ['body g']);
  assert.equal(differs(text('nop'), text('call other@PLT')), ['body g']);
});

test('copies of a name are one item: unchanged when every copy was there before', () => {
  const copy = (body: string): string => code('f', body, '.local');
  assert.equal(differs([copy('nop'), copy('pause')], [copy('pause'), copy('nop')]), []);
  assert.equal(differs([copy('nop'), copy('nop')], [copy('nop'), copy('pause')]), ['body f']);
  assert.equal(differs([copy('nop')], [copy('nop'), copy('nop')]), []);
});

test('the content of read-only data is part of what refers to it, that of mutable data is not', () => {
  const f = code('f', 'lea TABLE(%rip), %rax');
  const table = (section: string, flags: string, value: number): string =>
    f + data('TABLE', section, flags, `.quad ${value}`);
  assert.equal(differs(table('.rodata.T', 'a', 1), table('.rodata.T', 'a', 2)), ['initialiser TABLE', 'body f']);
  assert.equal(differs(table('.data.T', 'aw', 1), table('.data.T', 'aw', 2)), ['initialiser TABLE']);
});

test('data that moves to another storage, or grows, must be bound anew', () => {
  const f = code('f', 'lea TABLE(%rip), %rax');
  const before = f + data('TABLE', '.rodata.T', 'a', '.quad 1');
  const diff = diffObjects([assemble(before)], [assemble(f + data('TABLE', '.data.T', 'aw', '.quad 1'))]);
  assert.equal(
    diff.items.map((item) => [item.name, item.storage, item.rebind, item.because]),
    [
      ['TABLE', 'mutable', true, ['it moved from read-only data to mutable data']],
      ['f', 'code', false, ['uses TABLE, which changed']],
    ],
  );
  const small = f + data('TABLE', '.data.T', 'aw', '.quad 1');
  assert.equal(differs(small, f + data('TABLE', '.data.T', 'aw', '.quad 1, 2')), ['initialiser TABLE', 'body f']);
});

test('who refers to changed read-only data from an object that did not change is found, through constants too', () => {
  const table = (value: number): string => `.globl TABLE\n${data('TABLE', '.rodata.T', 'a', `.quad ${value}`)}`;
  const users = `${
    code('direct', 'mov TABLE@GOTPCREL(%rip), %rax') +
    code('indirect', 'lea .Lanon.1(%rip), %rax') +
    data('.Lanon.1', '.data.rel.ro..Lanon.1', 'aw', '.quad TABLE')
  }.globl INDEX\n${data('INDEX', '.data.rel.ro.INDEX', 'aw', '.quad TABLE')}${data(
    'STATE',
    '.data.STATE',
    'aw',
    '.quad TABLE',
  )}${code('stranger', 'nop')}`;
  const far = assemble(code('far', 'mov INDEX@GOTPCREL(%rip), %rax'), 'far.o');
  const near = assemble(users, 'near.o');
  const diff = diffObjects([assemble(table(1))], [assemble(table(2))], () => [far, near]);
  assert.equal(
    diff.items.map((item) => `${item.change} ${item.name}: ${item.because.join('; ')}`),
    [
      'initialiser INDEX: uses TABLE, which changed',
      'initialiser TABLE: its content differs',
      'body direct: uses TABLE, which changed',
      'body far: uses INDEX, which changed',
      'body indirect: uses TABLE, which changed',
    ],
  );
  const never = (): never => {
    throw new Error('nobody needs the objects that did not change');
  };
  assert.equal(diffObjects([assemble(table(1))], [assemble(table(1))], never).items, []);
});

test('new constructors and entries of sections that are walked are reported', () => {
  const start = (name: string): string =>
    `${code(name, 'nop', '.local')}.section .init_array,"aw",@init_array\n.p2align 3\n.quad ${name}\n`;
  const entry = data('ENTRY', 'plugins', 'aw', '.quad 1');
  const diff = diffObjects([assemble(start('one'))], [assemble(start('two') + start('one') + entry)]);
  assert.equal(
    diff.constructors.map(({ change, name }) => [change, name]),
    [['added', 'two']],
  );
  assert.equal(
    diff.registrations.map(({ section, item }) => [section, item.change, item.name]),
    [['plugins', 'added', 'ENTRY']],
  );
  const back = diffObjects([assemble(start('two') + start('one'))], [assemble(start('one'))]);
  assert.equal(
    back.constructors.map(({ change, name }) => [change, name]),
    [['removed', 'two']],
  );
});

test('a zero-filled static and one of zeros are the same content', () => {
  const zeros = data('Z', '.data.Z', 'aw', '.quad 0');
  const filled = zeros.replace('@progbits', '@nobits').replace('.quad 0', '.zero 8').replace('.data.Z', '.bss.Z');
  assert.equal(differs(zeros, filled), []);
  assert.equal(differs(zeros.replace('.quad 0', '.quad 1'), filled), ['initialiser Z']);
});

test.run();
