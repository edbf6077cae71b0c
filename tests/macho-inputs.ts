// Mach-O files for the tests of their readers, made by this machine's clang, which makes them for any system.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, scratch } from './format-inputs.js';

export type MachoMachine = 'x86_64' | 'arm64';
export const MACHO_MACHINES: readonly MachoMachine[] = ['x86_64', 'arm64'];

let made = 0;

const compiled = new Map<string, string>();

/** Compiles a text, once; the path of the object. The language is the name's ending: `s`, `c`, `cpp` or `m`. */
export function machoObject(
  machine: MachoMachine,
  language: 's' | 'c' | 'cpp' | 'm',
  text: string,
  ...flags: string[]
): string {
  const key = JSON.stringify([machine, language, text, flags]);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const path = join(scratch(), `macho-${made++}-${machine}.${language}`);
  writeFileSync(path, text);
  output('clang-19', ['-target', `${machine}-apple-macos11`, ...flags, '-c', path, '-o', `${path}.o`]);
  compiled.set(key, `${path}.o`);
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
void *pointers[] = { work, text, &hidden[2] };
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
    symbols: [ dyld_stub_binder, __tlv_bootstrap, _outside, _perhaps, _puts, _outer_data, _possible,
               ___stack_chk_fail, ___stack_chk_guard ]
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

const X86 = `
.section __TEXT,__text,regular,pure_instructions
.globl _f
_f: callq _away
  cmpb $5, _away(%rip)
  cmpw $5, _away+8(%rip)
  cmpl $5, _here(%rip)
  movq _away@GOTPCREL(%rip), %rax
  movq _local@TLVP(%rip), %rdi
  leaq L_text(%rip), %rax
  retq
_g: nop
  retq
.section __TEXT,__cstring,cstring_literals
  .asciz "one"
L_text: .asciz "two"
.section __TEXT,__const
_table: .long _f - _table
  .long _f - _here
  .quad _table - _here
.section __DATA,__data
_here: .quad _away + 16
  .quad _here + 8
  .quad L_text
.section __DATA,__thread_data,thread_local_regular
_local$tlv$init: .quad 7
.section __DATA,__thread_vars,thread_local_variables
.globl _local
_local: .quad __tlv_bootstrap
  .quad 0
  .quad _local$tlv$init
.subsections_via_symbols
`;

const ARM64 = `
.section __TEXT,__text,regular,pure_instructions
.globl _f
_f: bl _away
  adrp x0, _here@PAGE+8
  add x0, x0, _here@PAGEOFF+8
  ldr x1, [x0, _here@PAGEOFF]
  adrp x2, _away@GOTPAGE
  ldr x2, [x2, _away@GOTPAGEOFF]
  adrp x0, _local@TLVPPAGE
  ldr x0, [x0, _local@TLVPPAGEOFF]
  ret
_g: ret
.section __TEXT,__cstring,cstring_literals
  .asciz "one"
L_text: .asciz "two"
.section __TEXT,__const
_table: .long _f - _table
  .long _f - _here
  .quad _table - _here
  .long _away@GOT - .
.section __DATA,__data
_here: .quad _away + 16
  .quad _here + 8
  .quad _away@GOT
.section __DATA,__thread_data,thread_local_regular
_local$tlv$init: .quad 7
.section __DATA,__thread_vars,thread_local_variables
.globl _local
_local: .quad __tlv_bootstrap
  .quad 0
  .quad _local$tlv$init
.subsections_via_symbols
`;

/** Every kind of relocation that an assembler makes. */
export const MACHO_ASSEMBLY: Readonly<Record<MachoMachine, string>> = { x86_64: X86, arm64: ARM64 };
