// C programs for the relocation tests, and all the ways to compile them: both machines, both compilers, every code model,
// every model of thread-locals.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineName } from '../../src/formats/object-file.js';

/** What code can do with addresses: data and functions of this file and of others, tables, sizes of all loads. */
const ADDRESSES = `
struct pair { long first, second; } __attribute__((aligned(16)));
extern unsigned char out8; extern unsigned short out16; extern unsigned int out32; extern unsigned long out64;
extern struct pair out128; extern int outside[1000]; extern int maybe __attribute__((weak));
extern int callee(int); extern int perhaps(int) __attribute__((weak));
static unsigned char in8[3]; static short in16[3]; static int in32[30000]; static long in64[3]; static struct pair in128[3];
int common; __attribute__((visibility("hidden"))) extern int hidden; __attribute__((visibility("hidden"))) int hidden_f(int);
static int own(int x) { return x + in32[x]; }
int (*const table[])(int) = { own, callee, hidden_f }; int *const pointers[] = { &outside[7], &in32[3], &common };
unsigned long loads(int i) { return out8 + out16 + out32 + out64 + in8[i] + in16[i] + in32[i] + in64[i]; }
unsigned long fixed(void) { return in8[1] + in16[1] + in32[29000] + in64[1] + outside[999]; }
void stores(long v) { out8 = v; out16 = v; out32 = v; out64 = v; in8[1] = v; in16[1] = v; in32[1] = v; in64[2] = v; common = v; hidden = v; }
void wide(void) { out128 = in128[1]; in128[2] = out128; }
int calls(int x) { int r = callee(x) + own(x) + hidden_f(x); if (&maybe) r += maybe; if (perhaps) r += perhaps(x); return r; }
int tail(int x) { return callee(x); }
void *addresses(int i) { switch (i) { case 0: return &out8; case 1: return outside + 5; case 2: return own; case 3: return callee; case 4: return in32; case 5: return &hidden; case 6: return (void *)hidden_f; default: return &common; } }
const char *names(int i) { switch (i) { case 0: return "zero"; case 1: return "one"; case 2: return "two"; case 3: return "three"; case 4: return "four"; case 5: return "five"; default: return "many"; } }
double constants(double x) { return x * 3.25 + 1.125; }
__attribute__((constructor)) static void start(void) { common = 1; }
`;

/** Thread-locals of all kinds; \`lib\` is compiled in every way, the program asks it where they are and compares. */
export const THREAD_LOCALS = `
__thread int general = 5; extern __thread int other; extern __thread long there[4] __attribute__((tls_model("initial-exec")));
static __thread long local_a[4] = { 1, 2, 3, 4 }; static __thread char local_b = 7; static __thread short local_c = 8;
static __thread long long local_d __attribute__((aligned(32)));
__attribute__((visibility("hidden"))) __thread int hidden = 6;
int *where_general(void) { return &general; }
int *where_other(void) { return &other; }
int *where_hidden(void) { return &hidden; }
long *where_there(void) { return &there[2]; }
long *where_local(int i) { return &local_a[i]; }
long locals(void) { return local_a[0] + local_a[3] + local_b + local_c + local_d; }
void change(int by) { local_a[0] += by; local_b += by; local_c += by; local_d += by; general += by; other += by; there[1] += by; hidden += by; }
`;

export const THREADS_MAIN = `
#include <pthread.h>
#include <stdint.h>
extern __thread int general; __thread int other = 9; __thread long there[4] = { 10, 11, 12, 13 };
int *where_general(void); int *where_other(void); int *where_hidden(void); long *where_there(void); long *where_local(int);
long locals(void); void change(int);
static void *seen[2];
static long look(int number) {
  if (where_general() != &general || where_other() != &other || where_there() != &there[2]) return 1;
  if (*where_general() != 5 || *where_other() != 9 || *where_hidden() != 6 || *where_there() != 12) return 2;
  if (*where_local(0) != 1 || *where_local(3) != 4 || where_local(3) != where_local(0) + 3) return 3;
  if (locals() != 1 + 4 + 7 + 8) return 4;
  change(number);
  if (general != 5 + number || other != 9 + number || there[1] != 11 + number || *where_hidden() != 6 + number) return 5;
  if (locals() != 1 + 4 + 7 + 8 + 4 * number) return 6;
  seen[number - 1] = where_local(0);
  return 0;
}
static void *run(void *unused) { return (void *)look(2); }
int main(void) {
  pthread_t thread; void *result;
  long mine = look(1);
  if (mine != 0) return mine;
  if (pthread_create(&thread, 0, run, 0) != 0 || pthread_join(thread, &result) != 0) return 20;
  if (result != 0) return 30 + (long)result;
  return seen[0] == seen[1] ? 40 : 0;
}
`;

/** A compiler for a machine, and how its programs run. */
export interface Compiler {
  readonly machine: MachineName;
  readonly command: readonly string[];
}

const CROSS = ['-target', 'aarch64-linux-gnu'];

export const COMPILERS = {
  gcc: { machine: 'x86_64', command: ['gcc'] },
  clang: { machine: 'x86_64', command: ['clang-19'] },
  'gcc arm64': { machine: 'arm64', command: ['aarch64-linux-gnu-gcc'] },
  'clang arm64': { machine: 'arm64', command: ['clang-19', ...CROSS] },
} as const satisfies Record<string, Compiler>;

export type CompilerName = keyof typeof COMPILERS;

const POSITIONS = ['-fno-pic', '-fPIE', '-fPIC'];
const SECTIONS = ['-ffunction-sections', '-fdata-sections'];

/** Code models that a machine has, and for which positions of its code. */
const MODELS: Readonly<Record<'x86_64' | 'arm64', readonly (readonly [string, readonly string[]])[]>> = {
  x86_64: [
    ['-mcmodel=small', POSITIONS],
    ['-mcmodel=medium', POSITIONS],
    ['-mcmodel=large', POSITIONS],
    ['-mcmodel=kernel', ['-fno-pic']],
  ],
  arm64: [
    ['-mcmodel=tiny', POSITIONS],
    ['-mcmodel=small', POSITIONS],
    ['-mcmodel=large', ['-fno-pic']],
  ],
};

/** Options that both compilers of a machine take for each code model. */
function models(machine: 'x86_64' | 'arm64'): string[][] {
  return MODELS[machine].flatMap(([model, positions]) => {
    // Data above this size is large, so that medium code has some.
    const large = model === '-mcmodel=medium' ? ['-mlarge-data-threshold=1000'] : [];
    return positions.map((position) => [model, position, ...large]);
  });
}

/** Models of thread-locals in position-independent code, by what each compiler calls them. */
export const THREAD_MODELS: Readonly<Record<CompilerName, readonly (readonly string[])[]>> = {
  gcc: [[], ['-fno-plt'], ['-mtls-dialect=gnu2'], ['-mcmodel=large']],
  clang: [[], ['-fno-plt'], ['-mtls-dialect=gnu2'], ['-mcmodel=large']],
  'gcc arm64': [
    ['-mtls-dialect=desc'],
    ['-mtls-dialect=trad'],
    ['-mtls-dialect=desc', '-mcmodel=tiny'],
    ['-mtls-dialect=trad', '-mcmodel=tiny'],
  ],
  'clang arm64': [[], ['-mcmodel=tiny'], ['-mllvm', '-aarch64-elf-ldtls-generation']],
};

/** Models of thread-locals that a program may use for its own. */
const OWN_THREAD_MODELS: Readonly<Record<'x86_64' | 'arm64', readonly (readonly string[])[]>> = {
  x86_64: [[], ['-mcmodel=large']],
  arm64: [[], ['-mtls-size=12'], ['-mtls-size=24'], ['-mtls-size=32'], ['-mtls-size=48'], ['-mcmodel=tiny']],
};

/** Compiles a source in the folder. */
export function compile(name: CompilerName, source: string, options: readonly string[], folder: string): Uint8Array {
  const [command, ...start] = COMPILERS[name].command;
  const input = join(folder, 'source.c');
  const output = join(folder, 'object.o');
  writeFileSync(input, source);
  execFileSync(command, [...start, '-w', ...options, '-c', input, '-o', output], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return readFileSync(output);
}

/** Every way to compile every source. */
export function* corpus(name: CompilerName): Iterable<readonly [source: string, options: readonly string[]]> {
  const { machine } = COMPILERS[name];
  for (const options of models(machine)) {
    yield [ADDRESSES, ['-O2', ...SECTIONS, ...options]];
    yield [ADDRESSES, ['-O0', '-g', ...options]];
  }
  yield [ADDRESSES, ['-Os', '-fPIC', '-fno-plt', '-gsplit-dwarf']];
  yield [ADDRESSES, ['-O2', '-fPIC', '-fno-jump-tables', '-fcommon', '-fno-asynchronous-unwind-tables']];
  for (const optimised of ['-O2', '-O0']) {
    for (const options of THREAD_MODELS[name]) yield [THREAD_LOCALS, [optimised, '-g', '-fPIC', ...options]];
    for (const options of OWN_THREAD_MODELS[machine]) {
      for (const position of ['-fno-pic', '-fPIE']) yield [THREAD_LOCALS, [optimised, position, ...options]];
    }
  }
}
