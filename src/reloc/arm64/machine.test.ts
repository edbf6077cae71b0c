// What arm64 code is made and recognised: the PLT, stubs, veneers, jumps over entries, calls. Words as llvm-mc gives them.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { applyField } from '../apply.js';
import { EXPRESSIONS, pageOf } from '../fixup.js';
import { machineFor } from '../machines.js';
import { assemble } from './instructions.js';

const machine = machineFor('elf', 'arm64', 'test');
const { shared, entry, stub, entryStubs } = machine;

/** Words in hex, as a disassembler shows them. */
const wordsOf = (bytes: Uint8Array): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) =>
    view
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, '0'),
  ).join(' ');
};

const isOutOfRange = (error: unknown): boolean => error instanceof IpbpError && error.code === 'IPBP2002';

test('the PLT header pushes and goes through the third word', () => {
  // stp x16, x30, [sp, #-16]!; adrp x16, 0x30000; ldr x17, [x16, #0x10]; add x16, x16, #0x10; br x17; nop; nop; nop
  const bytes = shared.plt.header(0x10000, 0x30000);
  assert.is(bytes.length, shared.plt.headerSize);
  assert.is(wordsOf(bytes), 'a9bf7bf0 90000110 f9400a11 91004210 d61f0220 d503201f d503201f d503201f');
});

test('a PLT entry goes through its slot and leaves its address in x16', () => {
  // adrp x16, 0x31000; ldr x17, [x16, #0xff8]; add x16, x16, #0xff8; br x17
  const bytes = shared.plt.entry(0x10020, 0x10000, 0x31ff8, 0);
  assert.is(bytes.length, shared.plt.entrySize);
  assert.is(wordsOf(bytes), 'b0000110 f947fe11 913fe210 d61f0220');
  assert.is(shared.plt.unbound?.(0x10020, 0x10000), 0x10000);
});

test('a stub goes through its slot, a veneer to its target', () => {
  // adrp x16, 0x2000; ldr x16, [x16, #8]; br x16
  assert.is(wordsOf(stub.encode(0x1000, 0x2008)), 'b0000010 f9400610 d61f0200');
  // adrp x16, 0x10000000; add x16, x16, #0x124; br x16
  const bytes = shared.veneer?.encode(0x1000, 0x1000_0124);
  assert.is(wordsOf(bytes ?? new Uint8Array(0)), 'f007fff0 91049210 d61f0200');
  assert.throws(() => shared.veneer?.encode(0, 0x1_0000_0000), isOutOfRange);
});

test('a slot that is no multiple of 8 is an error', () => {
  assert.throws(() => shared.plt.entry(0x10020, 0x10000, 0x30004, 0), isOutOfRange);
});

test('the numbers of the dynamic relocations are distinct', () => {
  const numbers = Object.values(shared.dynamic ?? {});
  assert.is(new Set(numbers).size, numbers.length);
});

test('the slot of a linked entry stub is the one it was linked to', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0xd503245f, 0xd503233f, 0xa9bf7bfd),
      fc.nat(2 ** 38),
      fc.integer({ min: -(2 ** 28), max: 2 ** 28 }),
      (first, place, distance) => {
        const at = 0x1_0000_0000 + 4 * place;
        const slot = 0x1_0000_0000 + 4 * place - (place % 2) * 4 + 8 * distance;
        const { bytes, fields } = entryStubs.build(assemble(first));
        for (const { offset, row, addend } of fields) {
          const { base } = EXPRESSIONS[row.expression];
          const value = slot + addend;
          const result = base === 'page of P' ? pageOf(value) - pageOf(at + offset) : value;
          applyField(row.field, bytes, offset, result, { what: 'slot', where: 'test' });
        }
        assert.is(entryStubs.slotOf(bytes, at), slot);
        assert.is(bytes.length, first === 0xa9bf7bfd ? 12 : 16);
      },
    ),
  );
});

test('other code is no entry stub', () => {
  for (const words of [[], [0xd65f03c0], [0xb0000010, 0xf9400610, 0xd61f0220], [0xd503245f, 0xb0000010, 0xf9400610]]) {
    assert.is(entryStubs.slotOf(assemble(...words), 0x1000), null);
  }
});

test('code that loads from far behind the farthest page is no entry stub, and no error', () => {
  // adrp x16, 0xfffff000; ldr x16, [x16, #0x7ff8]; br x16
  assert.is(entryStubs.slotOf(assemble(0xf07ffff0, 0xf97ffe10, 0xd61f0200), 0), null);
});

test('the jump over an entry reaches 128 MiB', () => {
  assert.is(wordsOf(entry.long(0x1000, 0x1000 + 0x7fffffc)), '15ffffff');
  assert.throws(() => entry.long(0x1000, 0x1000 + 0x8000000), isOutOfRange);
  assert.throws(() => entry.long(0x1000, 0x1002), isOutOfRange);
  assert.throws(() => entry.short(0, 0));
});

test('a jump over an entry leads through code near it to a word, and gives that back', () => {
  const { entryThroughWord: jumps, wordJump } = machine;
  if (wordJump === null) throw new Error('arm64 needs such code');
  const code = wordJump.encode(0x8000, 0xc008);
  // ldr x16, .+0x4008; br x16
  assert.is(wordsOf(code), '58020050 d61f0200');
  const bytes = jumps.long(0x1000, 0x8000);
  assert.is(bytes.length, jumps.longSize);
  const read = (at: number): Uint8Array | null => (at === 0x8000 ? code : null);
  assert.is(jumps.wordOf(bytes, 0x1000, read), 0xc008);
  assert.is(jumps.wordOf(bytes, 0x1004, read), null, 'it leads elsewhere');
  assert.is(
    jumps.wordOf(bytes, 0x1000, () => assemble(0x58020050, 0xd61f0220)),
    null,
    'br x17',
  );
  assert.is(jumps.wordOf(assemble(0x94001c00), 0x1000, read), null, 'a call');
  assert.is(
    entry.wordOf(bytes, 0x1000, () => code),
    null,
  );
  assert.throws(() => wordJump.encode(0, 0x10_0000), isOutOfRange);
});

test('a branch by a table leads to no entry that takes room on the stack', () => {
  const table = 0xd61f0100; // br x8
  const targets = (...first: readonly number[]): readonly number[] =>
    entry.decode(assemble(...first, table)).branchTargets;
  // stp x29, x30, [sp, #-16]!; sub sp, sp, #64; str x30, [sp, #-16]!; paciasp; sub sp, sp, #4096
  for (const first of [[0xa9bf7bfd], [0xd10103ff], [0xf81f0ffe], [0xd503233f, 0xd14007ff]]) {
    assert.equal(targets(...first), [], first.map((word) => word.toString(16)).join(' '));
  }
  // cmp x0, #3; stp x29, x30, [sp], #16; add sp, sp, #64; str x0, [x1, #-16]!; paciasp and no more
  for (const first of [[0xf1000c1f], [0xa8817bfd], [0x910103ff], [0xf81f0c20], [0xd503233f]]) {
    assert.equal(targets(...first), [0], first.map((word) => word.toString(16)).join(' '));
  }
});

test('a body is taken apart: branches, places behind calls', () => {
  // 0: cbz x0, 16; 4: bl elsewhere; 8: blr x8; 12: svc #0; 16: tbz x0, #0, 0; 20: ret
  const facts = entry.decode(assemble(0xb4000080, 0x94001000, 0xd63f0100, 0xd4000001, 0x3607ff80, 0xd65f03c0));
  assert.equal(facts.lengths, [4, 4, 4, 4, 4, 4]);
  assert.equal(facts.branchTargets, [0, 16]);
  assert.equal(facts.returnOffsets, [8, 12, 16]);
  assert.is(facts.endless, false);
  assert.is(facts.complete, true);
});

test('a loop that nothing leaves is endless; one with a return, a jump out or a table is not', () => {
  // b .-0 after bl: bl f; b .-4
  assert.is(entry.decode(assemble(0x94001000, 0x17ffffff)).endless, true);
  assert.is(entry.decode(assemble(0xd65f03c0, 0x17ffffff)).endless, false);
  assert.is(entry.decode(assemble(0x14001000, 0x17ffffff)).endless, false);
  const table = entry.decode(assemble(0xd61f0200, 0x17ffffff));
  assert.is(table.endless, false);
  assert.ok(table.branchTargets.includes(0));
});

test('a body that ends inside a word is not complete', () => {
  assert.is(entry.decode(Uint8Array.of(0x1f, 0x20, 0x03, 0xd5, 0x00)).complete, false);
});

test('padding is no-operations and our fill, and zeros when asked', () => {
  assert.ok(entry.isPadding(assemble(0xd503201f, 0xd503201f)));
  assert.ok(entry.isPadding(new Uint8Array(8).fill(machine.codeFill)));
  assert.not.ok(entry.isPadding(new Uint8Array(8)));
  assert.ok(entry.isPadding(new Uint8Array(8), true));
  assert.not.ok(entry.isPadding(assemble(0xd65f03c0)));
});

test('what calls return behind a place', () => {
  const before = (word: number): number | null | undefined => machine.callBefore(assemble(word), 0x1004);
  assert.is(before(0x94000004), 0x1010);
  assert.is(before(0x97fffffc), 0xff0);
  assert.is(before(0xd63f0100), null); // blr x8
  assert.is(before(0xd73f0920), null); // blraa x9, x0
  assert.is(before(0xd61f0100), undefined); // br x8
  assert.is(before(0x14000004), undefined); // b
});

test('which fields are used to go there only', () => {
  const calls = (word: number): boolean => machine.calls(assemble(word), 0);
  for (const word of [0x94000000, 0x14000000, 0x54000001, 0xb4000003, 0x36000000]) assert.ok(calls(word));
  for (const word of [0x90000000, 0x91000000, 0xf9400000, 0xd61f0100]) assert.not.ok(calls(word));
});

test('thread-locals begin behind the control block, as their alignment asks', () => {
  const start = (address: number, align: number): number =>
    machine.threadLocalsStart({ address, memorySize: 100, align });
  assert.is(start(0x1000, 8), 16);
  assert.is(start(0x1000, 64), 64);
  assert.is(start(0x1020, 64), 32);
  assert.is(start(0x1008, 16), 24);
});

test.run();
