// Libraries of the other machine, linked by ours under its compilers, and run by qemu.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compiled, host, ipbpLink, LINKER, run, scratch } from './linked.js';

const GCC = 'aarch64-linux-gnu-gcc';
const ROOT = '/usr/aarch64-linux-gnu';
/** Debian's cross compiler brings no C++ headers unless g++ is there: the sources here need none. */
const CLANG_PLUS = ['clang++-19', '--target=aarch64-linux-gnu', '-fPIC', '-O1', '-c'] as const;

const folder = scratch();
const program = host(folder, GCC);

function call(library: string, ...calls: readonly string[]): string {
  return run('qemu-aarch64-static', ['-L', ROOT, program, library, ...calls]);
}

test('gcc -shared: constructors, thread-locals of both kinds, calls through the PLT, tables of addresses', () => {
  const path = join(folder, 'plain.c');
  writeFileSync(
    path,
    `#include <stdio.h>
     #include <string.h>
     static int counter = 3;
     int visible = 5;
     __thread int per_thread = 7;
     static __thread int own[3] = {1, 2, 3};
     const char *names[] = {"one", "three"};
     __attribute__((constructor)) static void begin(void) { counter++; }
     __attribute__((destructor)) static void finish(void) { puts("finished"); }
     int named(int x) { return (int)strlen(names[x & 1]); }
     int f(int x) { per_thread++; own[x & 1] += 10; return counter + visible + per_thread * 100 + named(x) + own[1] * 10000; }`,
  );
  for (const options of [[], ['-mtls-dialect=trad'], ['-fpic'], ['-Wl,-z,now,-z,pack-relative-relocs']]) {
    const library = join(folder, 'libplain.so');
    run(GCC, ['-fPIC', '-O1', ...options, '-g', '-shared', `-B${LINKER}`, '-o', library, path]);
    assert.is(call(library, 'f', '1', 'f', '0'), 'f(1) = 120814\nf(0) = 120912\nfinished\n');
  }
});

test('C++: exceptions through frames with cleanups, virtual functions, inline statics', () => {
  const path = join(folder, 'classes.cc');
  writeFileSync(
    path,
    `struct Base { virtual ~Base() {} virtual int value() { return 1; } };
     struct Derived : Base { int value() override { return 2; } };
     struct Guard { int &left; ~Guard() { left += 1000; } };
     inline int &counter() { static int count = 0; return count; }
     __attribute__((noinline)) static int thrower(int x, int &left) { Guard guard{left}; if (x == 1) throw Derived(); return x; }
     extern "C" int f(int x) {
       int left = 0;
       try { left += thrower(x, left); } catch (Base &error) { left += 100 * error.value(); }
       Base *base = new Derived;
       left += base->value() + (dynamic_cast<Derived *>(base) != nullptr ? 10 : 0);
       delete base;
       return left + ++counter();
     }`,
  );
  const object = join(folder, 'classes.o');
  run(CLANG_PLUS[0], [...CLANG_PLUS.slice(1), '-o', object, path]);
  const library = join(folder, 'libclasses.so');
  const runtime = run(GCC, ['-print-file-name=libstdc++.so.6']).trim();
  run(GCC, ['-shared', `-B${LINKER}`, '-o', library, object, runtime]);
  assert.is(call(library, 'f', '1', 'f', '0'), 'f(1) = 1213\nf(0) = 1014\n');
});

test('what is weak, hidden and nowhere: branches go on behind themselves, distances are 0, addresses are null', () => {
  const path = join(folder, 'absent.s');
  writeFileSync(
    path,
    `.weak gone
     .hidden gone
     .globl f
     f: str x30, [sp, #-16]!
     bl gone
     b gone
     b.eq gone
     cbz w0, gone
     tbz w0, #1, gone
     add w0, w0, #1
     adr x1, gone
     adr x2, . - 4
     sub x1, x1, x2
     add w0, w0, w1
     ldr w1, gone
     adrp x2, :got:gone
     ldr x2, [x2, :got_lo12:gone]
     add w0, w0, w2
     adrp x2, distances
     add x2, x2, :lo12:distances
     ldr x1, [x2]
     add w0, w0, w1
     ldr x1, [x2, #8]
     add w0, w0, w1
     ldr x30, [sp], #16
     ret
     .data
     .balign 8
     distances: .word gone - .
     .word gone@PLT - .
     .xword gone - .`,
  );
  const object = join(folder, 'absent.o');
  run('clang-19', ['--target=aarch64-linux-gnu', '-c', '-o', object, path]);
  const library = join(folder, 'absent.so');
  const { status, stderr } = ipbpLink(['-m', 'aarch64linux', '-shared', '-o', library, object], folder);
  assert.is(status, 0, stderr);
  // Nothing but the one addition changes the argument.
  assert.is(call(library, 'f', '5', 'f', '0'), 'f(5) = 6\nf(0) = 1\n');
});

test('loads of slots become addresses where they stand in pairs, in all of a section', () => {
  const path = join(folder, 'slots.s');
  const load = (to: string, from: string): string => `adrp ${from}, :got:own\nldr ${to}, [${from}, :got_lo12:own]\n`;
  writeFileSync(
    path,
    `.section .text.pairs,"ax"
     .globl f
     f: ${load('x1', 'x1')} ${load('x2', 'x2')} ldr w1, [x1]
     ldr w2, [x2]
     add w0, w0, w1
     add w0, w0, w2
     ret
     .section .text.alone,"ax"
     .globl g
     g: ${load('x1', 'x1')} cbz w0, 1f
     adrp x2, :got:own
     b 2f
     1: adrp x2, :got:own
     2: ldr x2, [x2, :got_lo12:own]
     ldr w1, [x1]
     ldr w2, [x2]
     add w0, w1, w2
     ret
     .section .text.registers,"ax"
     .globl h
     h: ${load('x2', 'x1')} ldr w0, [x2]
     ret
     .data
     .globl own
     own: .word 7`,
  );
  const object = join(folder, 'slots.o');
  run('clang-19', ['--target=aarch64-linux-gnu', '-c', '-o', object, path]);
  const library = join(folder, 'slots.so');
  const loadsOf = (section: string): number =>
    run('aarch64-linux-gnu-objdump', ['-d', '--no-show-raw-insn', `--disassemble=${section}`, library])
      .split('\n')
      .filter((line) => /\tldr\tx\d+, /.test(line)).length;
  for (const [options, loads] of [
    [[], [2, 2, 1]],
    [['-Bsymbolic'], [0, 2, 1]],
    [
      ['-Bsymbolic', '-z', 'pack-relative-relocs', '-lc', '-L/usr/aarch64-linux-gnu/lib'],
      [0, 2, 1],
    ],
  ] as const) {
    const { status, stderr } = ipbpLink(['-m', 'aarch64linux', '-shared', '-o', library, ...options, object], folder);
    assert.is(status, 0, stderr);
    assert.equal(['f', 'g', 'h'].map(loadsOf), [...loads], options.join(' '));
    assert.is(call(library, 'f', '1', 'g', '1', 'g', '0', 'h', '3'), 'f(1) = 15\ng(1) = 14\ng(0) = 14\nh(3) = 7\n');
  }
});

test('objects and archives that ipbp link is given itself, unreached sections dropped', () => {
  const object = compiled(folder, 'used.c', 'int base(int x) { return x * 2; } int gone(int x) { return x; }', [], GCC);
  const caller = compiled(folder, 'caller.c', 'int base(int); int f(int x) { return base(x) + 1; }', [], GCC);
  run('aarch64-linux-gnu-ar', ['rcs', join(folder, 'libused.a'), object]);
  const words = ['-m', 'aarch64linux', '-shared', '--gc-sections', '-o', 'own.so', caller, '-L.', '-lused'];
  const { status, stderr } = ipbpLink(words, folder);
  assert.is(status, 0, stderr);
  assert.is(call(join(folder, 'own.so'), 'f', '20'), 'f(20) = 41\n');
});

test.run();
