// Code of arm64 that was made to reach all that is outside of its image through words does what it did: random functions
// are linked by gcc as they are, and by us into an image that may lie anywhere; both run in one program, from the same
// state, and must give the same answer and leave the same state. Once with the words near by, once far from the code.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../src/formats/read-object.js';
import { openLinkObject } from '../../src/link/atoms.js';
import type { Surroundings } from '../../src/link/binding.js';
import { link } from '../../src/link/link.js';
import type { LinkedImage } from '../../src/link/linked-image.js';

/** What is outside: where the image's link believes it, and how large it is. */
const OUTSIDE = [
  { name: 'out0', at: 0x4000_0000, size: 0x4000 },
  { name: 'out1', at: 0x4100_0000, size: 0x4000 },
  { name: 'out2', at: 0x7_0000_0000, size: 0x4000 },
] as const;
const CALLEE = { name: 'callee', at: 0x5000_0000 };
const COUNT = 40;

/** One use of what is outside; x0 is the answer so far, x9 to x12 and v0 are free. */
interface Use {
  readonly kind: 'address' | 'load' | 'store' | 'vector' | 'several' | 'adr' | 'literal' | 'slot' | 'call';
  readonly target: number;
  readonly size: 1 | 2 | 4 | 8;
  /** In units of 16 bytes. */
  readonly place: number;
  /** The same, but far from the others: no page has both. */
  readonly beyond: boolean;
}

const USES: fc.Arbitrary<readonly Use[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Use['kind'][]>(
      ...(['address', 'load', 'store', 'vector', 'several', 'adr', 'literal', 'slot', 'call'] as const),
    ),
    target: fc.nat(OUTSIDE.length - 1),
    size: fc.constantFrom(1, 2, 4, 8),
    place: fc.nat(0xfe),
    beyond: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

const MIX = '  ror x0, x0, #7\n  add x0, x0, x11';

function codeOf({ kind, target, size, place, beyond }: Use): string[] {
  const symbol = OUTSIDE[target]?.name ?? '';
  const at = `${symbol}+${place * 16 + (beyond ? 0x2000 : 0)}`;
  const width = { 1: 'b', 2: 'h', 4: '', 8: '' }[size];
  const register = size === 8 ? 'x11' : 'w11';
  const page = `  adrp x9, ${at}`;
  switch (kind) {
    case 'address':
      return [page, `  add x9, x9, :lo12:${at}`, `  ldr${width} ${register}, [x9]`, MIX];
    case 'load':
      return [page, `  ldr${width} ${register}, [x9, :lo12:${at}]`, MIX];
    case 'store':
      return [page, `  str${width} ${size === 8 ? 'x0' : 'w0'}, [x9, :lo12:${at}]`];
    case 'vector':
      return [page, `  ldr q0, [x9, :lo12:${at}]`, '  mov x11, v0.d[1]', MIX];
    case 'several': {
      // One page, from the start of a symbol that is aligned for it, for several parts.
      const parts = [0, 1, 3].map((more) => `  ldr x11, [x10, :lo12:${symbol}+${place * 16 + 8 * more}]\n${MIX}`);
      return [`  adrp x10, ${symbol}+${place * 16}`, '  mov x12, x10', ...parts];
    }
    case 'adr':
      return [`  adr x9, ${at}`, `  ldr x11, [x9]`, MIX];
    case 'literal':
      return [`  ldr x11, ${at}`, MIX];
    case 'slot':
      return [`  adrp x9, :got:${symbol}`, `  ldr x9, [x9, :got_lo12:${symbol}]`, '  ldr x11, [x9]', MIX];
    case 'call':
      return ['  bl callee'];
  }
}

function sourceOf(functions: readonly (readonly Use[])[], padding: number): string {
  const texts = functions.map((uses, i) =>
    [
      `  .section .text.f${i}, "ax", @progbits`,
      `  .balign 4\n  .globl f${i}\n  .type f${i}, @function\nf${i}:`,
      '  stp x29, x30, [sp, #-16]!',
      ...uses.flatMap(codeOf),
      `  ldp x29, x30, [sp], #16\n  ret\n  .size f${i}, . - f${i}`,
    ].join('\n'),
  );
  const large = `  .section .text.large, "ax", @progbits\n  .globl large\n  .type large, @function\nlarge:\n  .zero ${padding}\n  ret\n  .size large, . - large\n`;
  return `${texts.join('\n')}\n${padding > 0 ? large : ''}`;
}

function imageOf(object: Uint8Array, names: readonly string[]): LinkedImage {
  const opened = openLinkObject(readObjectFile(object, 'far.o'));
  const known = new Map([...OUTSIDE, CALLEE].map(({ name, at }) => [name, at]));
  const outside: Surroundings = {
    inProgram(name) {
      const address = known.get(name);
      return address === undefined ? null : { kind: 'place', module: 0, address };
    },
    isFresh: () => false,
    definition: () => null,
    elsewhere: () => null,
    imported: () => null,
  };
  const roots = names.map((name) => {
    const atom = opened.definition(name)?.atom;
    if (atom === undefined) throw new Error(`no ${name}`);
    return atom;
  });
  const placement = { top: 0x1000_0000, bottom: 0, tlsNext: 0, tlsEnd: 0, tlsAlign: 1 };
  const { machine } = opened;
  const request = { roots, objects: [opened], outside, placement, machine, entries: 'code' } as const;
  const result = link({ ...request, reach: 'anywhere' });
  if (result.kind !== 'linked') throw new Error(result.kind);
  return result.image;
}

/** The image as a section of its own; its words name what is outside. */
function assemblyOf(image: LinkedImage, names: readonly string[], entry: (name: string) => number): string {
  const start = Math.min(...image.segments.map(({ address }) => address));
  const words = new Map(image.rebases.map(({ at, value }) => [at, value]));
  const lines = ['  .section .image, "awx", @progbits', '  .balign 65536', 'image:'];
  for (const { address, bytes } of image.segments) {
    lines.push(`  .org image + ${address - start}`);
    for (let at = 0; at < bytes.length; at += 8) {
      const value = words.get(address + at);
      if (value === undefined) lines.push(`  .byte ${[...bytes.subarray(at, at + 8)].join()}`);
      else lines.push(`  .quad ${placeName(value, start)}`);
    }
  }
  for (const name of names) lines.push(`  .globl image_${name}\n  .set image_${name}, image + ${entry(name) - start}`);
  return `${lines.join('\n')}\n`;
}

function placeName(value: number, start: number): string {
  const home = [...OUTSIDE, { ...CALLEE, size: 1 }].find(({ at, size }) => value >= at - 16 && value < at + size);
  return home === undefined ? `image + ${value - start}` : `${home.name} + ${value - home.at}`;
}

const MAIN = `#include <string.h>
#include <stdio.h>
${OUTSIDE.map(({ name, size }) => `_Alignas(4096) unsigned char ${name}[${size}];`).join('\n')}
long callee(long x) { return x * 31 + 7; }
static void reset(void) { unsigned s = 1; unsigned char *all[] = { ${OUTSIDE.map(({ name }) => name).join()} };
  for (int i = 0; i < ${OUTSIDE.length}; i++) for (int k = 0; k < 0x4000; k++) all[i][k] = (s = s * 1103515245u + 12345u) >> 16; }
static unsigned long state(void) { unsigned long h = 5; unsigned char *all[] = { ${OUTSIDE.map(({ name }) => name).join()} };
  for (int i = 0; i < ${OUTSIDE.length}; i++) for (int k = 0; k < 0x4000; k++) h = h * 131 + all[i][k]; return h; }
#define DECLARE(n) long f##n(long); long image_f##n(long);
#define CHECK(n) { reset(); long a = f##n(n); unsigned long sa = state(); reset(); long b = image_f##n(n); \\
  if (a != b || sa != state()) { printf("%d: %lx %lx\\n", n, a, b); wrong++; } done++; }
${Array.from({ length: COUNT }, (_, i) => `DECLARE(${i})`).join(' ')}
int main(void) { int wrong = 0, done = 0; ${Array.from({ length: COUNT }, (_, i) => `CHECK(${i})`).join(' ')}
  printf("%d done, %d wrong\\n", done, wrong); return wrong != 0; }
`;

function run(command: string, args: readonly string[], folder: string): void {
  execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

for (const [words, padding] of [
  ['near by', 0],
  ['far from the code', 0x18_0000],
] as const) {
  test(`arm64: code with words ${words} does what it did`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipbp-far-code-'));
    try {
      const functions = fc.sample(USES, { numRuns: COUNT, seed: 20261130 });
      const names = functions.map((_, i) => `f${i}`);
      writeFileSync(join(folder, 'far.s'), sourceOf(functions, padding));
      run('aarch64-linux-gnu-gcc', ['-c', 'far.s', '-o', 'far.o'], folder);
      const image = imageOf(readFileSync(join(folder, 'far.o')), padding > 0 ? [...names, 'large'] : names);
      const entries = new Map(image.atoms.map((atom) => [atom.name, image.addressOf(atom)]));
      assert.ok([...entries.keys()].some((name) => name.endsWith('(aside)')));
      const loads = image.segments
        .filter(({ protection }) => protection === 'rx')
        .flatMap(({ bytes }) => literals(bytes));
      assert.is(loads.length > 0, padding === 0, 'words that are near are loaded at once');
      writeFileSync(
        join(folder, 'image.s'),
        assemblyOf(image, names, (name) => entries.get(name) ?? NaN),
      );
      writeFileSync(join(folder, 'main.c'), MAIN);
      // Without the image between them, and what is only large, the program's own code reaches all it names.
      const options = ['-static', '-O1', '-w', '-Wl,--gc-sections,--section-start=.image=0x10000000'];
      run('aarch64-linux-gnu-gcc', [...options, 'main.c', 'far.o', 'image.s', '-o', 'program'], folder);
      const { stdout } = spawnSync('qemu-aarch64-static', [join(folder, 'program')], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      assert.is(stdout, `${COUNT} done, 0 wrong\n`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Offsets of the words that are `ldr xT, literal`. */
function literals(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, i) => 4 * i).filter((at) => bytes[at + 3] === 0x58);
}

test.run();
