// Mach-O files for the tests of their readers, made by this machine's clang, which makes them for any system.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, scratch } from './format-inputs.js';

export type MachoMachine = 'x86_64' | 'arm64';
export const MACHO_MACHINES: readonly MachoMachine[] = ['x86_64', 'arm64'];

let made = 0;

/** Compiles a text; the path of the object. The language is the name's ending: `s`, `c` or `cpp`. */
export function machoObject(
  machine: MachoMachine,
  language: 's' | 'c' | 'cpp',
  text: string,
  ...flags: string[]
): string {
  const path = join(scratch(), `macho-${made++}-${machine}.${language}`);
  writeFileSync(path, text);
  output('clang-19', ['-target', `${machine}-apple-macos11`, ...flags, '-c', path, '-o', `${path}.o`]);
  return `${path}.o`;
}

/** With thread-locals, constructors, literals, commons, a jump table and debug information. */
export const MACHO_C = `
extern int outside(int);
__thread int counter = 5;
__thread int fresh;
static int hidden[4] = { 1, 2, 3, 4 };
__attribute__((visibility("hidden"))) int kept_inside = 3;
__attribute__((weak)) int maybe(int x) { return x; }
extern int perhaps(int) __attribute__((weak_import));
int tentative[6];
const char *text(int x) { return x ? "shared tail" : "tail"; }
double mix(double x) { return x * 3.25 + 1.5; }
__attribute__((constructor)) static void begin(void) { hidden[0]++; }
int work(int l, int c) {
  switch (c) {
    case 0: return outside(3);
    case 1: return counter + fresh;
    case 2: return 17;
    case 3: return outside(9) + maybe(l) + (perhaps ? perhaps(2) : 0);
    case 4: return tentative[l];
    case 5: return kept_inside;
  }
  return hidden[c & 3];
}
void *table[] = { work, text, &hidden[2] };
const void *const constant[] = { work, text, &hidden[2] };
`;

/** With exceptions, virtual functions and what is merged among objects. */
export const MACHO_CPP = `
struct base { virtual ~base() {} virtual int f() { return 1; } };
struct derived : base { int f() override { return 2; } };
template <class T> T twice(T x) { return x + x; }
int run(base *b) {
  try { if (b->f() > 1) throw 3; } catch (int e) { return twice(e); }
  static derived d;
  return d.f();
}
`;

/** What lld wants to know of the system's library. */
const SYSTEM = `--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ dyld_stub_binder, __tlv_bootstrap, _outside, _perhaps ]
...
`;

/** Links objects by lld: an executable that starts at `_work`, or with `-dylib` a library. */
export function machoLinked(machine: MachoMachine, objects: readonly string[], ...flags: string[]): string {
  const path = join(scratch(), `macho-${made++}-${machine}`);
  const system = join(scratch(), 'libSystem.tbd');
  writeFileSync(system, SYSTEM);
  const entry = flags.includes('-dylib') || flags.includes('-bundle') ? [] : ['-e', '_work'];
  const platform = ['-arch', machine, '-platform_version', 'macos', '11.0', '11.0'];
  output('ld64.lld-19', [...platform, ...entry, ...flags, ...objects, system, '-o', path]);
  return path;
}
