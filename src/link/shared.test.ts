import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SharedResult } from './shared.js';
import { exportsOf, openWorkshop } from './shared/link.test-support.js';

const { archive, compile, compilePlus, input, link, read, remove, run } = openWorkshop();
test.after(remove);

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

test('a local symbol of a group of which another copy was taken may be referred to by that copy only', () => {
  const group = (rest: string): string => `.section .text.shared,"axG",@progbits,shared,comdat
    .weak shared
    shared: nop
    inside: mov $7, %eax
    ret
    .text
    ${rest}
    .section .note.GNU-stack,"",@progbits`;
  const first = compile(group('.globl value\n value: jmp inside'), '-xassembler');
  const second = compile(group('.globl other\n other: jmp inside'), '-xassembler');
  assert.is(run([input(first)]), '7');
  const { errors } = link([input(first), input(second)]);
  assert.equal(
    errors.map(({ code }) => code),
    ['IPBP2033'],
  );
  assert.match(errors[0]?.message ?? '', new RegExp(`group shared.*${second}: \\.text\\+0x`));
  // By its name, it is the copy that was taken.
  const named = compile(group('.globl other\n other: jmp shared@PLT'), '-xassembler');
  assert.is(run([input(first), input(named)]), '7');
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

test('symbols are exported as visibility and version scripts say, and own ones may be replaced only then', () => {
  const object = compile(`
    int shown(void) { return 1; } __attribute__((visibility("protected"))) int guarded(void) { return 2; }
    __attribute__((visibility("hidden"))) int hidden(void) { return 4; }
    int value(void) { return shown() + guarded() + hidden(); }`);
  const file = read([input(object)]);
  assert.equal(exportsOf(file), ['guarded', 'shown', 'value']);
  const calls = (options: Parameters<typeof read>[1]): string[] => {
    const linked = read([input(object)], options);
    const names = linked.linked?.dynamicSymbols ?? [];
    return linked.dynamicRelocations().map(({ symbol }) => names[symbol]?.name ?? '');
  };
  assert.equal(calls({}), ['shown']);
  assert.equal(calls({ symbolic: 'functions' }), []);
  assert.equal(calls({ dynamicList: (name) => name === 'shown' }), ['shown']);
  const scripted = { exportRule: (name: string) => name === 'value' };
  assert.equal(exportsOf(read([input(object)], scripted)), ['value']);
  assert.equal(calls(scripted), []);
  assert.equal(exportsOf(read([input(archive(object), { whole: true, hidden: true })])), []);
});

test('symbols are defined by options, wrapped, and made at the edges of sections', () => {
  const object = compile(`
    extern int other(void), far; int base(void) { return 1; }
    __attribute__((section("table"))) int first = 10; __attribute__((section("table"))) int second = 20;
    extern int __start_table[], __stop_table[]; extern char _end[], __ehdr_start[] __attribute__((visibility("hidden")));
    int __real_base(void); int __wrap_base(void) { return __real_base() + 100; }
    int value(void) {
      int sum = other() + (int)(long)&far + (_end > __ehdr_start);
      for (int *at = __start_table; at < __stop_table; at++) sum += *at;
      return sum;
    }`);
  const caller = compile('int base(void); int wrapped(void) { return base(); }');
  const defined = [
    { name: 'other', base: 'wrapped', offset: 0 },
    { name: 'far', base: null, offset: 0x1000 },
  ];
  const options = { defined, wrap: ['base'], gc: true };
  assert.is(run([input(object), input(caller)], options), String(1 + 100 + 0x1000 + 1 + 30));
});

test('inline functions of several objects are one, and exceptions and thread-locals work', () => {
  const header = 'struct Count { int n = 0; }; inline int &shared() { static Count c; return c.n; }';
  const first = compilePlus(`${header} int bump() { return ++shared(); }`);
  const second = compilePlus(`${header}
    #include <string>
    #include <stdexcept>
    int bump(); thread_local std::string own = "abc";
    static int thrower(int n) { if (n > 2) throw std::runtime_error(own); return n; }
    extern "C" int value() {
      bump(); ++shared();
      try { return thrower(3); } catch (const std::exception &e) { return shared() * 10 + (int)std::string(e.what()).size(); }
    }`);
  const runtime = execFileSync('g++', ['-print-file-name=libstdc++.so.6'], { encoding: 'utf8' }).trim();
  const inputs = [input(first), input(second), input(runtime)];
  const options = { unwindHeader: true, packRelative: true };
  assert.is(run(inputs, options), '23');
  const { bytes } = link(inputs, options);
  assert.equal(link(inputs, options).bytes, bytes);
  // Versions of what is taken from the library are asked for.
  const imported = read(inputs, options).linked;
  const at = imported?.dynamicSymbols.findIndex(({ name }) => name === '__cxa_throw') ?? -1;
  assert.is(imported?.versionOf(at)?.name, 'CXXABI_1.3');
});

test('constructors run by priority, and code may be placed', () => {
  const object = compile(`
    int order; static void __attribute__((constructor(201))) second(void) { order = order * 10 + 2; }
    static void __attribute__((constructor(101))) first(void) { order = order * 10 + 1; }
    static void __attribute__((constructor)) last(void) { order = order * 10 + 3; }
    int value(void) { return order; }`);
  assert.is(run([input(object)]), '123');
  const placed = read([input(object)], { textAddress: 0x20_0000 });
  assert.is(placed.sections.find(({ name }) => name === '.text')?.address, 0x20_0000);
  assert.is(run([input(object)], { textAddress: 0x20_0000, strip: 'all', now: true }), '123');
});

test('equal strings of all objects are one', () => {
  const one = compile('const char *first(void) { return "the very same string"; }');
  const two = compile('const char *first(void); int value(void) { return first() == "the very same string"; }');
  assert.is(run([input(one), input(two)]), '1');
});

test('debug information in groups is kept for what refers to it', () => {
  const object = compile('#include <stddef.h>\nint value(void) { return 3; }', '-g3');
  const { dropped } = link([input(object)], { gc: true });
  assert.equal(
    dropped.filter((name) => name.includes('debug_macro')),
    [],
  );
  assert.is(run([input(object)], { gc: true }), '3');
});

test('strong references that nobody answers may be warned of', () => {
  const object = compile('int absent(void); int value(void) { return absent(); }');
  assert.equal(link([input(object)], { unresolved: 'warn' }).warnings, [
    `symbol absent is not defined; ${object} refers to it`,
  ]);
  assert.equal(link([input(object)]).warnings, []);
});

test('descriptors of thread-locals, and code and data of the large model, work', () => {
  const object = compile(
    `static __thread int one = 1, two = 2; __thread int three = 3; static int far[1000]; const int *place = far;
     int value(void) { far[5]++; return ++one + ++two + ++three + far[5]; }`,
    '-mcmodel=large',
    '-mtls-dialect=gnu2',
    '-O2',
  );
  assert.is(run([input(object)]), '10');
});

test('the build id is made of the file, or given', () => {
  const object = compile('int value(void) { return 1; }');
  const digest = (file: Uint8Array): Uint8Array => Uint8Array.of(file.length % 256, 2, 3, 4, 5);
  const made = read([input(object)], { buildId: { size: 4, digest } }).linked?.buildId;
  assert.equal([...(made ?? [])].slice(1), [2, 3, 4]);
  const given = read([input(object)], { buildId: { bytes: Uint8Array.of(9, 8) } }).linked?.buildId;
  assert.equal([...(given ?? [])], [9, 8]);
});

test.run();
