// What a patch needs for systems whose loaders and unwinders have tables of their own: rows that say how code is unwound,
// and thread-locals that each thread gets from the library's template.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch } from '../../tests/format-inputs.js';
import type { ObjectFile, SectionKind } from '../formats/object-file.js';
import { readObjectFile } from '../formats/read-object.js';
import { openLinkObject } from './atoms.js';
import type { Surroundings } from './binding.js';
import { link } from './link.js';
import type { LinkedImage } from './linked-image.js';

/** Sections that this assembler's format has no names for. */
const KINDS: Readonly<Record<string, SectionKind>> = {
  '.rows': 'unwind-table',
  '.descriptor.first': 'tls-descriptors',
  '.descriptor.second': 'tls-descriptors',
  '.descriptor.third': 'tls-descriptors',
};

const SOURCE = `
  .section .text.f, "ax", @progbits
  .globl f
  .type f, @function
f:
  .cfi_startproc
  lea first(%rip), %rdi
  lea second(%rip), %rsi
  lea third(%rip), %rdx
  jmp g
  .cfi_endproc
.Lf_end:
  .size f, . - f
  .section .text.g, "ax", @progbits
  .type g, @function
g:
  .cfi_startproc
  nop
  ret
  .cfi_endproc
  .size g, . - g
  .section .gcc_except_table.f, "a", @progbits
.Llsda: .long 5
  .section .rows, "a", @progbits
  .quad f
  .long .Lf_end - f, 0x04000000
  .quad personality, .Llsda
  .section .descriptor.first, "aw", @progbits
first: .quad bootstrap, 0, first_init@dtpoff
  .size first, 24
  .section .descriptor.second, "aw", @progbits
second: .quad bootstrap, 0, second_init@dtpoff
  .size second, 24
  .section .descriptor.third, "aw", @progbits
third: .quad bootstrap, 0, third_init@dtpoff
  .size third, 24
  .section .tdata.first, "awT", @progbits
first_init: .byte 7
  .section .tbss.second, "awT", @nobits
  .balign 16
second_init: .zero 20
  .section .tdata.third, "awT", @progbits
  .balign 8
third_init: .quad f
  .section .note.GNU-stack, "", @progbits
`;

function assembled(source: string): ObjectFile {
  const directory = scratch();
  writeFileSync(join(directory, 't.s'), source);
  execFileSync('cc', ['-c', '-o', join(directory, 't.o'), join(directory, 't.s')]);
  const file = readObjectFile(readFileSync(join(directory, 't.o')), 't.o');
  const sections = file.sections.map((section) => {
    const kind = KINDS[section.name];
    return kind === undefined ? section : withOther(section, { kind });
  });
  return withOther(file, { sections });
}

/** The same but for some properties; its own code does not see them. */
function withOther<T extends object>(of: T, other: Partial<T>): T {
  return new Proxy(of, { get: (target, key) => Reflect.get(key in other ? other : target, key) as unknown });
}

const PERSONALITY = 0x5000;

function linked(source: string): { readonly image: LinkedImage; addressOf(name: string): number } {
  const object = openLinkObject(assembled(source));
  const outside: Surroundings = {
    inProgram: (name) => (name === 'personality' ? { kind: 'place', module: 0, address: PERSONALITY } : null),
    isFresh: () => false,
    definition: () => null,
    elsewhere: () => null,
    imported: () => null,
  };
  const root = object.definition('f')?.atom;
  if (root === undefined) throw new Error('no f');
  const placement = { top: 0, bottom: -0x10_0000, tlsNext: 40, tlsEnd: 64, tlsAlign: 8 };
  const { machine } = object;
  const result = link({
    roots: [root],
    objects: [object],
    outside,
    placement,
    machine,
    reach: 'anywhere',
    entries: 'code',
  });
  if (result.kind !== 'linked') throw new Error(JSON.stringify(result));
  const { image } = result;
  return {
    image,
    addressOf(name) {
      const atom = object.definition(name)?.atom;
      if (atom === undefined) throw new Error(`no ${name}`);
      return image.addressOf(atom);
    },
  };
}

function bytesAt(image: LinkedImage, address: number): DataView {
  const segment = image.segments.find((one) => address >= one.address && address < one.address + one.size);
  if (segment === undefined) throw new Error(`nothing at ${address}`);
  const { bytes } = segment;
  return new DataView(bytes.buffer, bytes.byteOffset + address - segment.address);
}

test('a row for each function, with the places of what it needs', () => {
  const { image, addressOf } = linked(SOURCE);
  const [first, second, ...more] = [...image.unwindEntries].sort((a, b) => b.encoding - a.encoding);
  assert.ok(first && second);
  assert.equal(more, []);
  assert.is(first.start, addressOf('f'));
  assert.is(first.encoding, 0x0400_0000);
  assert.ok(first.length > 20);
  assert.is(bytesAt(image, first.lsda ?? 0).getUint32(0, true), 5);
  const word = image.rebases.find(({ at }) => at === first.personalityWord);
  assert.is(word?.value, PERSONALITY);
  // A record begins with its length; its code is eight bytes behind that, as a distance.
  for (const { frameRecord, start } of [first, second]) {
    const at = (frameRecord ?? 0) + 8;
    assert.is(at + bytesAt(image, at).getInt32(0, true), start);
  }
  // Of g there is a record only.
  const { start, length, encoding, personalityWord, lsda } = second;
  const g = { start: addressOf('g'), length: 2, encoding: 0, personalityWord: null, lsda: null };
  assert.equal({ start, length, encoding, personalityWord, lsda }, g);
});

test('without such rows there are none', () => {
  const { image } = linked(SOURCE.replace(/ {2}\.section \.rows[\s\S]*?\.Llsda\n/, ''));
  assert.equal(image.unwindEntries, []);
  assert.not.equal(image.unwind, null);
});

test('thread-locals with descriptors lie in the template of the image', () => {
  const { image, addressOf } = linked(SOURCE);
  const { descriptors, template, zero } = image.threadLocals ?? { descriptors: [], template: null, zero: null };
  assert.ok(template && zero);
  assert.equal(descriptors, [{ at: Math.min(...['first', 'second', 'third'].map(addressOf)), size: 3 * 24 }]);
  assert.equal([template.size, zero.at - template.at, zero.size], [16, 16, 20]);
  const offsetIn = (name: string): number => bytesAt(image, addressOf(name) + 16).getUint32(0, true);
  assert.equal(['first', 'second', 'third'].map(offsetIn), [0, 16, 8]);
  assert.is(bytesAt(image, template.at).getUint8(0), 7);
  // The first words of a descriptor are the loader's; the third's initial value is the process's.
  const words = [...image.imports, ...image.rebases].map(({ at }) => at);
  assert.not.ok(words.some((at) => descriptors.some((run) => at >= run.at && at < run.at + run.size)));
  assert.ok(image.rebases.some(({ at, value }) => at === template.at + 8 && value === addressOf('f')));
  // The agent's room stays as it is.
  assert.equal([image.tlsInit.length, image.tlsUsed], [0, 40]);
});

test.run();
