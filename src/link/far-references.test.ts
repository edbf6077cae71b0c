// Images that may lie anywhere: their bytes do not depend on where everything else is.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../formats/read-object.js';
import { openLinkObject } from './atoms.js';
import type { Surroundings } from './binding.js';
import type { LinkObject } from './graph.js';
import { link } from './link.js';
import type { LinkedImage } from './linked-image.js';

const SOURCE = `
  .section .text.f, "ax", @progbits
  .globl f
  .type f, @function
f: lea outside+3(%rip), %rax
  mov outside(%rip), %ecx
  cmpl $1, outside+4(%rip)
  mov inside(%rip), %edx
  call callee
  jmp *outside(%rip)
  .size f, . - f
  .section .rodata.inside, "a", @progbits
  .globl inside
  .type inside, @object
inside: .long 7
  .quad outside
  .size inside, . - inside
  .section .note.GNU-stack, "", @progbits
`;

function assembled(source: string): LinkObject {
  const directory = mkdtempSync(join(tmpdir(), 'ipbp-far-'));
  try {
    writeFileSync(join(directory, 'f.s'), source);
    execFileSync('cc', ['-c', '-o', join(directory, 'f.o'), join(directory, 'f.s')]);
    return openLinkObject(readObjectFile(readFileSync(join(directory, 'f.o')), 'f.o'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function linked(object: LinkObject, reach: 'near' | 'anywhere', base: number): LinkedImage {
  const outside: Surroundings = {
    inProgram: (name) =>
      name.startsWith('inside') || name === 'f' ? null : { kind: 'place', module: 0, address: base },
    isFresh: () => false,
    definition: () => null,
    elsewhere: () => null,
    imported: () => null,
  };
  const root = object.definition('f')?.atom;
  if (root === undefined) throw new Error('no f');
  const placement = { top: 0, bottom: -0x10_0000, tlsNext: 0, tlsEnd: 0, tlsAlign: 1 };
  const result = link({
    roots: [root],
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

function bytesOf(image: LinkedImage): readonly string[] {
  return image.segments.map(({ protection, bytes }) => `${protection} ${Buffer.from(bytes).toString('hex')}`);
}

test('nothing but words depends on where the rest of the process is', () => {
  const object = assembled(SOURCE);
  const [here, there] = [linked(object, 'anywhere', 0x5000), linked(object, 'anywhere', 0x7_0000_5000)];
  assert.equal(bytesOf(here), bytesOf(there));
  const by = there.rebases.map(({ value }, i) => value - (here.rebases[i]?.value ?? 0));
  assert.equal(new Set(by), new Set([0, 0x7_0000_0000]));
  const values = here.rebases.map(({ value }) => value).filter((value) => value > 0);
  // The same address twice: as a call's target, and as what the last jump reads and the table points to.
  assert.equal([...new Set(values)].sort(), [0x5000, 0x5003, 0x5004]);
});

test('a function has a word that leads to it', () => {
  const object = assembled(SOURCE);
  const image = linked(object, 'anywhere', 0x5000);
  const root = image.atoms[0];
  if (root === undefined) throw new Error('no atoms');
  const word = image.entryOf(root, 0).word;
  assert.ok(image.rebases.some(({ at, value }) => at === word && value === image.addressOf(root)));
  assert.is(linked(object, 'near', 0x5000).entryOf(root, 0).word, null);
});

test('where all is near the distances stand in the code', () => {
  const object = assembled(SOURCE);
  assert.not.equal(bytesOf(linked(object, 'near', 0x5000)), bytesOf(linked(object, 'near', 0x6000)));
  assert.throws(() => linked(object, 'near', 0x7_0000_5000), /IPBP2002/);
});

test('what cannot be reached through a register is refused by name', () => {
  const object = assembled(SOURCE.replace('mov outside(%rip), %ecx', 'mov %rsp, outside(%rip)'));
  assert.throws(() => linked(object, 'anywhere', 0x5000), /IPBP2004.*instruction that cannot be changed[\s\S]*f\+0x/);
});

test.run();
