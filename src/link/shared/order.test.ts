// The order of the inputs changes nothing but what the standard says: which of several weak definitions is taken, which
// copy of a group is kept, and in what order constructors of one priority run.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BINDING_LOCAL, SYMBOL_KINDS } from '../../formats/columns.js';
import type { ElfFile } from '../../formats/elf/read.js';
import { openWorkshop } from './link.test-support.js';
import type { LinkInput } from './options.js';

const { compile, compilePlus, archive, input, read, run, remove } = openWorkshop();

/** What all share: texts, a block, a function that may be replaced, one that every C++ object has. */
const HEAD = `extern int trace, block[]; int first(int), second(int), third(int), fourth(int); const char *text(int);`;

const FIRST = compile(
  `${HEAD} int block[4]; int value(void) { return first(1) + second(2) + third(3) + fourth(4) + trace * 1000 + block[15]; }
   int first(int n) { return text(n)[0] + n; } int trace;
   static void __attribute__((constructor(101))) begin(void) { trace = trace * 10 + 1; }`,
  '-fcommon',
);
const SECOND = compile(
  `${HEAD} int block[16]; __attribute__((weak)) int choice(void) { return 1; } static const char *const texts[] = { "one", "two", "shared" };
   const char *text(int n) { return texts[n % 3]; } int second(int n) { return n * choice() + block[3]; }
   static void __attribute__((constructor(102))) begin(void) { trace = trace * 10 + 2; block[15] = 7; }`,
  '-fcommon',
);
const THIRD = compile(
  `${HEAD} int choice(void) { return 50; } __thread int own = 9; static __thread int zero[8];
   int third(int n) { zero[n] += own; return zero[n] + "shared"[n]; }
   static void __attribute__((constructor(103))) begin(void) { trace = trace * 10 + 3; }`,
);
const INLINE = 'template <int N> struct Holder { static int next() { static int n = N; return n++; } };';
const FOURTH = compilePlus(
  `${INLINE} int other(); extern "C" int choice(); extern "C" int fourth(int n) {
     try { if (n > 3) throw n; } catch (int thrown) { return thrown + Holder<5>::next() + other() + choice(); }
     return 0;
   }`,
);
const FIFTH = compilePlus(`${INLINE} int other() { return Holder<5>::next() * 100; }`);
const UNUSED = compile('int unused(void) { return 1; } int nobody = 4;');
const LIBRARY = execFileSync('g++', ['-print-file-name=libstdc++.so.6'], { encoding: 'utf8' }).trim();

/** What others see of a library, and how much of everything there is: nothing of it depends on places. */
function facts(file: ElfFile): object {
  const { linked } = file;
  assert.ok(linked);
  const { dynamicSymbols: symbols } = linked;
  const table = file.symbolColumns();
  const own = Array.from({ length: table.count }, (_, row) => row)
    .filter((row) => table.binding[row] !== BINDING_LOCAL)
    .map(
      (row) => `${table.nameOf(row)} ${SYMBOL_KINDS[table.kind[row]!]} ${table.size[row]!} ${table.visibility[row]!}`,
    );
  return {
    symbols: symbols.map((one) => [one.name, one.kind, one.binding, one.visibility, one.size].join(' ')).sort(),
    own: own.sort(),
    versions: symbols.map(({ name, index }) => `${name} ${linked.versionOf(index)?.name}`).sort(),
    relocations: file
      .dynamicRelocations()
      .map(({ type, symbol }) => `${type} ${symbols[symbol]?.name ?? ''}`)
      .sort(),
    needed: linked.needed,
    merged: file.sections.filter(({ mergeable }) => mergeable).map(({ name, size }) => `${name} ${size}`),
    template: linked.tls?.memorySize,
  };
}

const ALL = [FIRST, SECOND, THIRD, FOURTH, FIFTH, LIBRARY];

const OPTIONS = { unwindHeader: true, packRelative: true };

function inputsOf(paths: readonly string[]): LinkInput[] {
  return paths.map((path) => input(path));
}

test('objects and libraries in any order make a library that means the same', () => {
  const wanted = facts(read(inputsOf(ALL), OPTIONS));
  const value = run(inputsOf(ALL), OPTIONS);
  fc.assert(
    fc.property(fc.shuffledSubarray(ALL, { minLength: ALL.length }), (paths) => {
      assert.equal(facts(read(inputsOf(paths), OPTIONS)), wanted);
      assert.is(run(inputsOf(paths), OPTIONS), value);
    }),
    { numRuns: 30, includeErrorInReport: true },
  );
});

test('members are found wherever their archive stands, and others are left out', () => {
  const library = archive(THIRD, UNUSED, SECOND, FIFTH);
  const parts = [FIRST, FOURTH, library, LIBRARY];
  const wanted = facts(read(inputsOf(parts), OPTIONS));
  const value = run(inputsOf(parts), OPTIONS);
  assert.not.ok(JSON.stringify(wanted).includes('unused'));
  fc.assert(
    fc.property(fc.shuffledSubarray(parts, { minLength: parts.length }), (paths) => {
      assert.equal(facts(read(inputsOf(paths), OPTIONS)), wanted);
      assert.is(run(inputsOf(paths), OPTIONS), value);
    }),
    { numRuns: 24, includeErrorInReport: true },
  );
});

test('the first of several weak definitions is taken, and constructors of one priority run in order', () => {
  const one = (digit: number): string =>
    compile(`extern int trace; __attribute__((weak)) int choice(void) { return ${digit}; }
      static void __attribute__((constructor)) begin(void) { trace = trace * 10 + ${digit}; }`);
  const user = compile('int trace, choice(void); int value(void) { return choice() * 10000 + trace; }');
  const objects = new Map([1, 2, 3].map((digit) => [digit, one(digit)]));
  fc.assert(
    fc.property(fc.shuffledSubarray([...objects.keys()], { minLength: 3 }), fc.nat({ max: 3 }), (digits, at) => {
      const paths = digits.map((digit) => objects.get(digit)!);
      paths.splice(at, 0, user);
      assert.is(run(inputsOf(paths)), `${digits[0]}0${digits.join('')}`);
    }),
    { numRuns: 20, includeErrorInReport: true },
  );
});

test('members are taken in when something refers to them, before what stands behind in the object that does', () => {
  const member = (digit: number, calls: string): string =>
    compile(`extern int trace; int f1(void); int f${digit}(void) { return ${calls}; }
      static void __attribute__((constructor)) begin(void) { trace = trace * 10 + ${digit}; }`);
  const members = archive(member(1, '0'), member(2, 'f1()'), member(3, '0'));
  const user = compile('int trace, f2(void), f3(void); int value(void) { return f2() + f3() + trace; }');
  assert.is(run(inputsOf([members, user]), OPTIONS), '213');
});

test.after(() => remove());

test.run();
