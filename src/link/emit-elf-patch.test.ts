// Patches as shared objects: opened by the system's loader in a C program that fills the words as the agent does, far from
// it. Each instruction there must do what it does where it was assembled for: same registers, flags and memory.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch } from '../../tests/format-inputs.js';
import { readObjectFile } from '../formats/read-object.js';
import { openLinkObject } from './atoms.js';
import type { Surroundings } from './binding.js';
import { emitElfPatch } from './emit-elf-patch.js';
import { link } from './link.js';
import type { LinkedImage } from './linked-image.js';

/** All refer to `outside`, 64 bytes of the program; at 32 is the address of a function that adds to rbx and clears r11. */
const INSTRUCTIONS = [
  'lea outside+5(%rip), %rax',
  'lea outside(%rip), %r15',
  'mov outside(%rip), %rdx',
  'mov outside+3(%rip), %r13d',
  'mov outside(%rip), %r12',
  'mov outside(%rip), %bp',
  'mov outside(%rip), %sil',
  'mov outside+1(%rip), %dh',
  'movzbl outside+1(%rip), %ebp',
  'movswq outside+2(%rip), %r9',
  'movslq outside+2(%rip), %rdi',
  'mov %rsi, outside(%rip)',
  'mov %dh, outside(%rip)',
  'mov %r10w, outside+7(%rip)',
  'movb $7, outside+9(%rip)',
  'movq $-5, outside+8(%rip)',
  'cmpb $0x21, outside(%rip)',
  'cmpq %rax, outside(%rip)',
  'testl $0x10, outside+4(%rip)',
  'addq %rdi, outside(%rip)',
  'adc outside(%rip), %rcx',
  'sbbl $3, outside(%rip)',
  'lock incq outside(%rip)',
  'lock xaddl %eax, outside(%rip)',
  'lock cmpxchg %rcx, outside(%rip)',
  'lock cmpxchg16b outside+16(%rip)',
  'xchg %rsi, outside(%rip)',
  'imul $5, outside(%rip), %r8d',
  'divl outside+40(%rip)',
  'shlq %cl, outside(%rip)',
  'btsq $37, outside(%rip)',
  'setb outside(%rip)',
  'cmovbq outside(%rip), %rdi',
  'crc32q outside(%rip), %rdi',
  'movups outside(%rip), %xmm4',
  'movaps %xmm4, outside(%rip)',
  'paddd outside(%rip), %xmm0',
  'pshufd $0x1b, outside(%rip), %xmm4',
  'cvtsi2sdq outside(%rip), %xmm0',
  'cvttsd2si outside(%rip), %rsi',
  'vpaddd outside(%rip), %xmm0, %xmm4',
  'andn outside(%rip), %rdi, %rsi',
  'shlx %rsi, outside(%rip), %rdi',
  'call *outside+32(%rip)',
  'pushq outside(%rip); popq %rdx',
  'call callee',
  'stc; call callee',
] as const;

const REGISTERS = [
  'rbx',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'rbp',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'rax',
];
const SAVED = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];
/** Stores registers, flags and two vector registers: 15 + 1 + 4 words. */
const RESULT_SIZE = 160;

/** One function for each instruction. The words below the stack pointer are its own, as in any leaf function. */
function assembly(prefix: string): string {
  const functions = INSTRUCTIONS.map((instruction, i) => {
    const lines = [
      ...SAVED.map((register) => `push %${register}`),
      ...REGISTERS.map((register, k) => `mov inside+${8 * k}(%rip), %${register}`),
      'movups inside+128(%rip), %xmm0',
      'movups inside+144(%rip), %xmm4',
      'pushq $0x247',
      'popfq',
      ...(instruction.includes('call') || instruction.includes('push')
        ? []
        : ['movq $77, -128(%rsp)', 'movq $78, -8(%rsp)']),
      instruction,
      ...REGISTERS.map((register, k) => `mov %${register}, inside_result+${8 * k}(%rip)`),
      'movups %xmm0, inside_result+128(%rip)',
      'movups %xmm4, inside_result+144(%rip)',
      ...(instruction.includes('call') || instruction.includes('push')
        ? []
        : ['mov -128(%rsp), %rcx', 'mov -8(%rsp), %rdx']),
      'pushf',
      'pop inside_result+120(%rip)',
      ...SAVED.toReversed().map((register) => `pop %${register}`),
      'lea inside_result(%rip), %rax',
      'ret',
    ];
    const name = `${prefix}${i}`;
    return `.section .text.${name}, "ax"\n.globl ${name}\n.type ${name}, @function\n${name}:\n.cfi_startproc\n${lines.join('\n')}\n.cfi_endproc\n.size ${name}, . - ${name}`;
  });
  const inside = REGISTERS.map((_, k) => 0x1111_0000_0021 * (k + 1)).map((value) => `.quad ${value}`);
  return `${functions.join('\n')}
.data
.balign 16
.type inside, @object
inside: ${inside.join('\n')}
.quad 0, 0x3ff0000000000000, 3, 0x4000000000000000, 9
.size inside, . - inside
.type inside_result, @object
inside_result: .zero ${RESULT_SIZE}
.size inside_result, . - inside_result
.section .note.GNU-stack, "", @progbits
`;
}

const OUTSIDE = 0x100_0000;
const CALLEE = 0x200_0000;

function linked(directory: string): LinkedImage {
  writeFileSync(join(directory, 'patch.s'), assembly('far_'));
  execFileSync('cc', ['-c', '-o', join(directory, 'patch.o'), join(directory, 'patch.s')]);
  const object = openLinkObject(readObjectFile(readFileSync(join(directory, 'patch.o')), 'patch.o'));
  const places = new Map([
    ['outside', OUTSIDE],
    ['callee', CALLEE],
  ]);
  const outside: Surroundings = {
    inProgram(name) {
      const address = places.get(name);
      return address === undefined ? null : { kind: 'place', module: 0, address };
    },
    isFresh: () => false,
    definition: () => null,
    elsewhere: () => null,
    imported: () => null,
  };
  const roots = INSTRUCTIONS.map((_, i) => object.definition(`far_${i}`)?.atom).filter((atom) => atom !== undefined);
  assert.is(roots.length, INSTRUCTIONS.length);
  const placement = { top: 0, bottom: -0x100_0000, tlsNext: 0, tlsEnd: 0, tlsAlign: 1 };
  const reach = 'anywhere';
  const result = link({
    roots,
    objects: [object],
    outside,
    placement,
    machine: object.machine,
    reach,
    entries: 'code',
  });
  if (result.kind !== 'linked') throw new Error(result.kind);
  return result.image;
}

function emitted(image: LinkedImage): Uint8Array {
  return emitElfPatch({
    machine: 'x86_64',
    at: image.bottom,
    size: -image.bottom,
    segments: image.segments,
    words: image.rebases.map(({ at }) => at),
    unwind: image.unwind,
    unwindEntries: image.unwindEntries,
    threadLocals: image.threadLocals,
    sources: [],
    platform: null,
    functions: image.atoms.flatMap((atom) =>
      atom.symbols
        .filter(({ kind }) => kind === 'function')
        .map(({ name, offset }) => ({ name, address: image.addressOf(atom) + offset })),
    ),
    description: null,
  });
}

function program(image: LinkedImage): string {
  const words = image.rebases.map(({ at, value }) => `{${at - image.bottom}L, ${value}L}`);
  return `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <execinfo.h>
extern void callee(void);
__asm__(".text\\n.globl callee\\ncallee: inc %rbx\\nmov $0, %r11d\\nret\\n");
_Alignas(64) struct { char bytes[32]; void (*function)(void); long rest[3]; } outside;
static const struct { long at, value; } words[] = { ${words.join(', ')} };
typedef const unsigned char *(*Run)(void);
${INSTRUCTIONS.map((_, i) => `extern const unsigned char *near_${i}(void);`).join('\n')}
static const Run near[] = { ${INSTRUCTIONS.map((_, i) => `near_${i}`).join(', ')} };
static void reset(void) {
  for (int i = 0; i < 32; i++) outside.bytes[i] = (char)(0x21 + 11 * i);
  outside.function = callee;
  outside.rest[0] = 0x7fffffff;
}
int main(int count, char **arguments) {
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return puts(dlerror()), 1;
  struct link_map *map;
  dlinfo(library, RTLD_DI_LINKMAP, &map);
  long base = (long)map->l_addr;
  long distance = base - (long)&outside;
  if (distance > -0x7fffffffL && distance < 0x7fffffffL) return puts("near"), 1;
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
    long value = words[i].value;
    value = value < 0 ? base + value + ${-image.bottom}L
      : value >= ${CALLEE} ? (long)callee + value - ${CALLEE} : (long)&outside + value - ${OUTSIDE};
    *(long *)(base + words[i].at) = value;
  }
  int wrong = 0;
  for (int i = 0; i < ${INSTRUCTIONS.length}; i++) {
    unsigned char expected[${RESULT_SIZE}], memory[sizeof outside];
    char name[32];
    reset();
    memcpy(expected, near[i](), sizeof expected);
    memcpy(memory, &outside, sizeof memory);
    reset();
    snprintf(name, sizeof name, "far_%d", i);
    Run far = (Run)dlsym(library, name);
    if (far == NULL) return puts(dlerror()), 1;
    const unsigned char *result = far();
    if (memcmp(expected, result, sizeof expected) != 0) wrong++, printf("%d: registers\\n", i);
    if (memcmp(memory, &outside, sizeof memory) != 0) wrong++, printf("%d: memory\\n", i);
    Dl_info info;
    if (dladdr((char *)far + 3, &info) == 0 || strcmp(info.dli_sname, name) != 0) wrong++, printf("%d: no name\\n", i);
  }
  return wrong != 0;
}
`;
}

test('far from the program every instruction does what it did near', () => {
  const directory = scratch();
  const path = (name: string): string => join(directory, name);
  const image = linked(directory);
  writeFileSync(path('patch.so'), emitted(image));
  writeFileSync(path('main.c'), program(image));
  writeFileSync(path('near.s'), assembly('near_'));
  execFileSync('cc', ['-O1', '-no-pie', '-o', path('main'), path('main.c'), path('near.s'), '-ldl']);
  const output = execFileSync('sh', ['-c', '"$0" "$1" || true', path('main'), path('patch.so')], { encoding: 'utf8' });
  const wrong = output.replaceAll(/^(\d+):/gm, (_, i: string) => `${INSTRUCTIONS[Number(i)]}:`);
  assert.is(wrong, '');
});

test('readelf finds what loaders, unwinders and debuggers look for', () => {
  const image = linked(scratch());
  const file = join(scratch(), 'patch.so');
  writeFileSync(file, emitted(image));
  assert.equal(emitted(linked(scratch())), new Uint8Array(readFileSync(file)), 'the same bytes again');
  const text = execFileSync('readelf', ['-lSsWd', '--wide', file], { encoding: 'utf8' });
  for (const [what, pattern] of [
    ['code that is not writable', /LOAD .* R E /],
    ['no page that is both', /^(?!.*RWE)/s],
    ['frame records', /GNU_EH_FRAME/],
    ['a symbol with a size', / [1-9]\d* FUNC +GLOBAL DEFAULT +\d+ far_0\n/],
  ] as const) {
    assert.match(text, pattern, what);
  }
  assert.not.match(text, /RELA|NEEDED|SONAME/);
  const frames = execFileSync('readelf', ['--debug-dump=frames', file], { encoding: 'utf8' });
  assert.is(frames.match(/ FDE cie=/g)?.length, INSTRUCTIONS.length);
});

test.run();
