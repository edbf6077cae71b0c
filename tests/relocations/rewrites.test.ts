// Rewritten code does what it did: objects of all models of thread-locals are rewritten, linked by gcc, and run. With
// offsets in the code they are part of a program, with offsets in slots part of a library that is loaded at its start.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RewriteGoal } from '../../src/reloc/machine.js';
import { rewriteObject } from './rewrite-object.js';
import { COMPILERS, compile, THREAD_LOCALS, THREAD_MODELS, THREADS_MAIN, type CompilerName } from './sources.js';

interface Context {
  folder: string;
}

const Rewrites = suite<Context>('rewritten code');

Rewrites.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'ipbp-rewrites-'));
});
Rewrites.after(({ folder }) => rmSync(folder, { recursive: true }));

const LINKERS = { x86_64: 'gcc', arm64: 'aarch64-linux-gnu-gcc' } as const;

function link(machine: 'x86_64' | 'arm64', args: readonly string[], folder: string): void {
  execFileSync(LINKERS[machine], args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** The program's exit status: 0, or which of its questions got a wrong answer. */
function run(machine: 'x86_64' | 'arm64', folder: string): number | null {
  const program = join(folder, 'program');
  const env = { ...process.env, LD_LIBRARY_PATH: folder };
  const emulator = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', '-E', `LD_LIBRARY_PATH=${folder}`];
  const [command, ...args] = machine === 'arm64' ? [...emulator, program] : [program];
  return spawnSync(command, args, { env, timeout: 60_000 }).status;
}

/** Links the object in the way that the goal is for, and runs it. */
function answer(machine: 'x86_64' | 'arm64', object: Uint8Array, goal: RewriteGoal, folder: string): number | null {
  writeFileSync(join(folder, 'threads.o'), object);
  writeFileSync(join(folder, 'main.c'), THREADS_MAIN);
  const main = ['-w', '-O1', 'main.c', '-o', 'program', '-pthread'];
  if (goal === 'initial-exec') {
    link(machine, ['-shared', 'threads.o', '-o', 'libthreads.so'], folder);
    link(machine, [...main, '-L.', '-lthreads'], folder);
  } else link(machine, [...main, 'threads.o'], folder);
  return run(machine, folder);
}

for (const name of Object.keys(COMPILERS) as CompilerName[]) {
  const { machine } = COMPILERS[name];
  for (const options of THREAD_MODELS[name]) {
    for (const goal of ['local-exec', 'initial-exec'] as const) {
      Rewrites(`${name} ${options.join(' ')}: ${goal}`, ({ folder }) => {
        for (const optimised of ['-O2', '-O0']) {
          const object = compile(name, THREAD_LOCALS, [optimised, '-fPIC', ...options], folder);
          const { bytes, rewritten } = rewriteObject(object, machine, goal);
          assert.ok(
            [...rewritten].some((row) => /TLSGD|TLSDESC/.test(row)),
            [...rewritten].join(' '),
          );
          assert.is(answer(machine, bytes, goal, folder), 0, optimised);
        }
      });
    }
  }
}

Rewrites('loads of slots that know their symbol', ({ folder }) => {
  for (const name of ['gcc', 'clang'] as const) {
    for (const options of [['-O2'], ['-O2', '-fno-plt'], ['-O0', '-fno-plt']]) {
      const object = compile(name, `${THREAD_LOCALS}${SLOTS}`, ['-fPIC', ...options], folder);
      const { bytes, rewritten } = rewriteObject(object, 'x86_64', 'direct');
      assert.ok(rewritten.size > 0);
      writeFileSync(join(folder, 'asks.c'), SLOTS_ASKED);
      link('x86_64', ['-w', '-c', 'asks.c', '-o', 'asks.o'], folder);
      writeFileSync(join(folder, 'slots.o'), bytes);
      link('x86_64', ['-pie', 'asks.o', 'slots.o', '-o', 'program'], folder);
      assert.is(run('x86_64', folder), 0);
    }
  }
});

const SLOTS = `
extern int value, other_value; int twice(int);
int *address(void) { return &value; }
int read(void) { return value + other_value; }
int call(int x) { return twice(x) + 1; }
int jump(int x) { return twice(x); }
int (*function(void))(int) { return twice; }
`;

const SLOTS_ASKED = `
__thread int other = 9; __thread long there[4];
int value = 3, other_value = 4; int twice(int x) { return 2 * x; }
int *address(void), read(void), call(int), jump(int), (*function(void))(int);
int main(void) {
  if (address() != &value) return 1;
  if (read() != 7) return 2;
  if (call(5) != 11) return 3;
  if (jump(5) != 10) return 4;
  return function() == twice ? 0 : 5;
}
`;

Rewrites.run();
