import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { machorun } from '../../conformance/setup/machorun.js';
import { output, scratch } from '../../tests/format-inputs.js';
import { MACHO_MACHINES, type MachoMachine } from '../../tests/macho-inputs.js';
import { LoadCommands, objdump } from '../../tests/macho-library.js';
import { functionRanges, recordsUpToEnd } from '../formats/dwarf/eh-frame.js';
import { verifyCodeSignature } from '../formats/macho/code-signature.js';
import { readUnwindInfo } from '../formats/macho/unwind-info.js';
import { readObjectFile } from '../formats/read-object.js';
import { openLinkObject } from './atoms.js';
import type { Surroundings } from './binding.js';
import { emitLibrary, libraryFront, type PatchLibrary } from './emit-library.js';
import { link } from './link.js';
import type { LinkedImage } from './linked-image.js';

const SOURCE = `
extern long outside, callee(long);
extern void may(int);
long data[4] = {1, 2, 3, 4}, zeros[5000];
__thread long counter = 40;
__thread char buffer[100];
long bump(long by) { counter += by; buffer[by] = 1; return counter + buffer[by + 1]; }
long reads(long x) { return outside + data[x & 3] + zeros[x]; }
long calls(long x) { return callee(x) + 1; }
long *points(void) { return &data[1]; }
static void clean(int *x) { outside += *x; }
int cleans(int x) { __attribute__((cleanup(clean))) int y = x; may(x); return y; }
`;

const ROOTS = ['bump', 'reads', 'calls', 'points', 'cleans'];
/** Names of the program that stand for addresses in it: what the word of each is filled with. */
const PROGRAM = ['outside', 'callee', 'may', '_Unwind_Resume', '__gcc_personality_v0'];
const STEP = 0x100_0000;

function linked(machine: MachoMachine): LinkedImage {
  const path = join(scratch(), `patch-${machine}`);
  writeFileSync(`${path}.c`, SOURCE);
  const target = ['-target', `${machine}-apple-macos12`, '-O1', '-g', '-fexceptions'];
  output('clang-19', [...target, '-c', '-o', `${path}.o`, `${path}.c`]);
  const object = openLinkObject(readObjectFile(readFileSync(`${path}.o`), 'patch.o'));
  const outside: Surroundings = {
    inProgram(name) {
      const index = PROGRAM.indexOf(name);
      return index < 0 ? null : { kind: 'place', module: 0, address: (index + 1) * STEP };
    },
    isFresh: () => false,
    definition: () => null,
    elsewhere: () => null,
    imported: () => null,
  };
  const result = link({
    ...{ objects: [object], outside, machine: object.machine, reach: 'anywhere', entries: 'stubs' },
    roots: ROOTS.map((name) => object.definition(name)!.atom),
    placement: { top: 0, bottom: -STEP, tlsNext: 0, tlsEnd: 0, tlsAlign: 1 },
  });
  if (result.kind !== 'linked') throw new Error(JSON.stringify(result));
  return result.image;
}

function libraryOf(image: LinkedImage, machine: MachoMachine, description: Uint8Array | null = null): PatchLibrary {
  const functions = image.atoms.flatMap((atom) =>
    atom.symbols
      .filter(({ kind }) => kind === 'function')
      .map(({ name, offset }) => ({ name, address: image.addressOf(atom) + offset })),
  );
  const sources = [{ object: join(scratch(), `patch-${machine}.o`), functions }];
  const { segments, unwind, unwindEntries, threadLocals } = image;
  const content = {
    ...{ machine, segments, unwind, unwindEntries, threadLocals, functions, sources },
    words: image.rebases.map(({ at }) => at),
    platform: { platform: 1, minimum: 0xc_0100, sdk: 0xe_0000 },
  };
  const at = segments[0]!.address - libraryFront('macho', content);
  return { ...content, at, size: -at, description };
}

function addressOf(library: PatchLibrary, name: string): number {
  return library.functions.find((one) => one.name === name)!.address - library.at;
}

for (const machine of MACHO_MACHINES) {
  test(`LLVM's tools find what dyld, unwinders and debuggers look for on ${machine}`, () => {
    const library = libraryOf(linked(machine), machine, Uint8Array.of(1, 2, 3));
    const bytes = emitLibrary('macho', library);
    assert.equal(
      bytes,
      emitLibrary('macho', libraryOf(linked(machine), machine, Uint8Array.of(1, 2, 3))),
      'the same again',
    );
    const path = join(scratch(), `libpatch-${machine}.dylib`);
    writeFileSync(path, bytes);
    const { offset, size } = new LoadCommands(bytes).linked(0x1d);
    assert.is(verifyCodeSignature(bytes, offset, size, path).flags, 0x20002);

    const headers = objdump(path, '--private-headers');
    assert.match(headers, /NOUNDEFS DYLDLINK TWOLEVEL MH_HAS_TLV_DESCRIPTORS/);
    assert.match(headers, /platform macos\s+sdk 14.0\s+minos 12.1/);
    assert.not.match(headers, /initprot rwx/);
    const rights = [...headers.matchAll(/segname (\w+)\n(?:.*\n){5} initprot (...)/g)].map(([, ...found]) =>
      found.join(' '),
    );
    assert.equal(rights, [
      '__TEXT r-x',
      '__DATA_CONST rw-',
      '__TEXT_EXEC r-x',
      '__DATA rw-',
      '__IPBP r--',
      '__LINKEDIT r--',
    ]);
    assert.is(objdump(path, '--bind').match(/__thread_vars .* __tlv_bootstrap/g)?.length, 2);

    const file = new LoadCommands(bytes);
    const at = Buffer.from(bytes).indexOf('__unwind_info\0\0\0__TEXT\0');
    const info = readUnwindInfo(bytes.subarray(file.u32(at + 48), file.u32(at + 48) + file.u64(at + 40)), path, 0);
    const rowOf = (name: string): (typeof info)[0] => info.findLast(({ start }) => start <= addressOf(library, name))!;
    for (const name of ROOTS) assert.is.not(rowOf(name).encoding, 0, name);
    assert.is(rowOf('cleans').start, addressOf(library, 'cleans'));
    // With C's personality the compiler leaves it to the frame record, which moved.
    const frames = output('llvm-dwarfdump-19', ['--eh-frame', path]);
    const numberOf = (text: string): number =>
      parseInt(new RegExp(`${text} Address: ([0-9a-f]+)`).exec(frames)?.[1] ?? '', 16);
    const word = numberOf('Personality') + library.at;
    const personality = linked(machine).rebases.find(({ at: place }) => place === word);
    assert.is(personality?.value, (PROGRAM.indexOf('__gcc_personality_v0') + 1) * STEP);
    const table = numberOf('LSDA') + library.at;
    assert.ok(
      library.segments.some(({ address, bytes: content }) => table >= address && table < address + content.length),
    );
    output('llvm-dwarfdump-19', ['--eh-frame', '--verify', path]);

    // Debug information is found through the map.
    output('dsymutil-19', ['-o', `${path}.dSYM`, path]);
    const address = `0x${addressOf(library, 'calls').toString(16)}`;
    const place = output('llvm-symbolizer-19', [
      `--obj=${path}.dSYM/Contents/Resources/DWARF/libpatch-${machine}.dylib`,
      address,
    ]);
    const line = SOURCE.split('\n').findIndex((text) => text.startsWith('long calls')) + 1;
    assert.match(place, new RegExp(`^calls\\n.*patch-${machine}.c:${line}:`));
  });
}

test('frame records alone are enough', () => {
  const { unwindEntries: _, ...library } = libraryOf(linked('x86_64'), 'x86_64');
  const image = emitLibrary('macho', { ...library, unwindEntries: [] });
  const path = join(scratch(), 'libframes.dylib');
  writeFileSync(path, image);
  const records = output('llvm-dwarfdump-19', ['--eh-frame', path]).match(/FDE cie=/g)?.length ?? 0;
  assert.ok(records > 0);
  assert.is(objdump(path, '--unwind-info').match(/encoding\[\d+\]=0x.4/g)?.length, records);
});

test('a patch that says what cannot be is an error', () => {
  const library = libraryOf(linked('x86_64'), 'x86_64');
  const entry = {
    start: library.at + 2 ** 34,
    length: 4,
    encoding: 1,
    personalityWord: null,
    lsda: null,
    frameRecord: null,
  };
  assert.throws(
    () => emitLibrary('macho', { ...library, unwindEntries: [entry] }),
    /IPBP2004.*refers to what is not in it/,
  );
  const code = library.segments.find(({ protection }) => protection === 'rx')!;
  assert.throws(() => emitLibrary('macho', { ...library, words: [code.address] }), /IPBP2004.*code/);
  const threadLocals = { descriptors: [{ at: library.at, size: 2 ** 40 }], template: null, zero: null };
  assert.throws(() => emitLibrary('macho', { ...library, threadLocals }), /IPBP2004.*thread-locals/);
});

/** A program that opens the library, fills its words as the agent does, and uses it. */
function program({ at, segments, unwind }: PatchLibrary, image: LinkedImage): string {
  const words = image.rebases.map(({ at: word, value }) => `{${word - at}L, ${value}L}`);
  const code = segments.find(({ protection }) => protection === 'rx')!;
  const records = segments.find(({ address, size }) => unwind! >= address && unwind! < address + size)!;
  const frames = recordsUpToEnd(records.bytes.subarray(unwind! - records.address));
  const lsda = functionRanges(frames, unwind!, 'x').find((range) => range.lsda !== 0)!.lsda;
  const function_ = (name: string): string => {
    const atom = image.atoms.find(({ symbols }) => symbols.some((one) => one.name === name))!;
    return `(base + ${image.addressOf(atom) - at}L)`;
  };
  return `
typedef unsigned long word;
void *dlopen(const char *, int), *dlsym(void *, const char *);
unsigned _dyld_image_count(void);
const char *_dyld_get_image_header(unsigned);
int pthread_create(void **, void *, void *(*)(void *), void *), pthread_join(void *, void **);
struct context; int _Unwind_Backtrace(int (*)(struct context *, void *), void *); word _Unwind_GetIP(struct context *);
word _Unwind_GetLanguageSpecificData(struct context *); int _Unwind_RaiseException(void *); void _Unwind_Resume(void *);
static const char *base;
static word seen[32]; static int count;
static int see(struct context *context, void *unused) { if (count < 32) seen[count++] = _Unwind_GetIP(context); return 0; }
long outside = 1000;
long callee(long x) { count = 0; _Unwind_Backtrace(see, 0); return x * 2; }
static word table;
int __gcc_personality_v0(int version, int actions, word class, void *exception, struct context *context) {
  table = _Unwind_GetLanguageSpecificData(context);
  return 8; /* go on */
}
static _Alignas(16) word exception[8];
/* Nobody catches it: only the search for a handler passes through the library. */
void may(int x) { _Unwind_RaiseException(exception); outside += x; }
static const struct { long at, value; } words[] = { ${words.join(', ')} };
__attribute__((noinline)) static long ask(long x) { long result = ((long (*)(long))${function_('calls')})(x); return result + 1; }
static void *other(void *unused) { return (void *)((long (*)(long))${function_('bump')})(2); }
int main(int argc, char **argv) {
  unsigned before = _dyld_image_count();
  if (dlopen(argv[1], 2) == 0) return 1;
  if (_dyld_image_count() != before + 1) return 2;
  base = _dyld_get_image_header(before);
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
    long value = words[i].value;
    const void *places[] = { 0, &outside, (void *)callee, (void *)may, (void *)_Unwind_Resume, (void *)__gcc_personality_v0 };
    *(word *)(base + words[i].at) = value < 0 ? (word)base + value - ${at}L : (word)places[value / ${STEP}] + value % ${STEP};
  }
  long (*reads)(long) = (void *)${function_('reads')}, (*bump)(long) = (void *)${function_('bump')};
  if (reads(2) != 1003) return 3;
  if (*((long *(*)(void))${function_('points')})() != 2) return 4;
  if (bump(5) != 45) return 5;
  void *thread, *result;
  if (pthread_create(&thread, 0, other, 0) != 0 || pthread_join(thread, &result) != 0) return 6;
  if ((long)result != 42) return 7;
  if (bump(1) != 46) return 8;
  if (((int (*)(int))${function_('cleans')})(7) != 7 || outside != 1014) return 9;
  if (table != (word)base + ${lsda - at}L) return 10;
  if (ask(4) != 10) return 11;
  word from = (word)base + ${code.address - at}L;
  for (int i = 0; i + 1 < count; i++)
    if (seen[i] >= from && seen[i] < from + ${code.size}L) return seen[i + 1] - (word)ask < 256 ? 0 : 12;
  return 13;
}`;
}

const STUBS = `--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, x86_64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ arm64-macos, x86_64-macos ]
    symbols: [ _dlopen, _dlsym, __dyld_image_count, __dyld_get_image_header, _pthread_create, _pthread_join,
               __Unwind_Backtrace, __Unwind_GetIP, __Unwind_Resume, __Unwind_RaiseException,
               __Unwind_GetLanguageSpecificData, dyld_stub_binder,
               ___stack_chk_fail, ___stack_chk_guard ]
...
`;

for (const machine of MACHO_MACHINES) {
  test(`a loader opens it on ${machine}: data, calls, thread-locals of each thread, unwinding through it`, () => {
    const image = linked(machine);
    const library = libraryOf(image, machine);
    const path = (name: string): string => join(scratch(), `${machine}-${name}`);
    writeFileSync(path('patch.dylib'), emitLibrary('macho', library));
    writeFileSync(path('stubs.tbd'), STUBS);
    writeFileSync(`${path('main')}.c`, program(library, image));
    const target = `${machine}-apple-macos12`;
    output('clang-19', ['-target', target, '-O1', '-fno-builtin', '-c', '-o', path('main.o'), `${path('main')}.c`]);
    const system = ['-platform_version', 'macos', '12.0', '12.0', '-adhoc_codesign', '-fixup_chains'];
    output('ld64.lld-19', ['-arch', machine, ...system, '-o', path('main'), path('main.o'), path('stubs.tbd')]);
    const loader = machorun(machine === 'arm64' ? 'aarch64-apple-darwin' : 'x86_64-apple-darwin');
    const { status, stderr } = spawnSync(loader, [path('main'), path('patch.dylib')], { encoding: 'utf8' });
    assert.equal([status, stderr], [0, '']);
  });
}

test.run();
