// A linked stub gives back the slot that was put into it, and nothing else looks like one.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyField } from '../apply.js';
import { machineFor } from '../machines.js';
import { decodeInstruction } from './decode.js';

const { entryStubs } = machineFor('elf', 'x86_64', 'test');
const ENDBR64 = Uint8Array.of(0xf3, 0x0f, 0x1e, 0xfa);

/** The stub for a body, linked. */
function linked(body: Uint8Array, at: number, slot: number): Uint8Array {
  const { bytes, fields } = entryStubs.build(body);
  assert.is(fields.length, 1);
  for (const { offset, row, addend } of fields) {
    applyField(row.field, bytes, offset, slot + addend - (at + offset), { what: 'slot', where: 'test' });
  }
  return bytes;
}

test('the slot of a linked stub is the one it was linked to', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(2 ** 40),
      fc.integer({ min: -(2 ** 30), max: 2 ** 30 }),
      (marked, at, distance) => {
        const stub = linked(marked ? ENDBR64 : Uint8Array.of(0x55), at, at + distance);
        assert.is(stub.length % entryStubs.align, 0);
        assert.is(entryStubs.slotOf(stub, at), at + distance);
      },
    ),
  );
});

test('a stub is one jump through memory, behind the mark of a target where its body has one', () => {
  const plain = linked(Uint8Array.of(0xc3), 0, 0x100);
  assert.equal(decodeInstruction(plain, 0), { ...decodeInstruction(plain, 0), length: 6, kind: 'indirect-jump' });
  const marked = linked(ENDBR64, 0, 0x100);
  assert.equal([...marked.subarray(0, 4)], [...ENDBR64]);
  assert.is(decodeInstruction(marked, 4)?.kind, 'indirect-jump');
});

test('other code is no stub', () => {
  for (const bytes of [[0xc3], [0xff, 0x25, 0, 0], [0xff, 0x15, 0, 0, 0, 0], [0xe9, 0, 0, 0, 0, 0x90], []]) {
    assert.is(entryStubs.slotOf(Uint8Array.from(bytes), 0), null);
  }
});

test.run();
