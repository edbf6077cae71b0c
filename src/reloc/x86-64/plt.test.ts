// The PLT's words, as the psABI shows them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { machineFor } from '../machines.js';

const { plt, dynamic, veneer } = machineFor('elf', 'x86_64', 'x').shared;

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

test('the header pushes the second word and jumps through the third', () => {
  const bytes = plt.header(0x1000, 0x4000);
  assert.is(bytes.length, plt.headerSize);
  assert.is(hexOf(bytes), 'ff 35 02 30 00 00 ff 25 04 30 00 00 0f 1f 40 00');
});

test('an entry jumps through its slot, which leads behind the jump until it is bound', () => {
  const bytes = plt.entry(0x1020, 0x1000, 0x4020, 1);
  assert.is(bytes.length, plt.entrySize);
  assert.is(hexOf(bytes), 'ff 25 fa 2f 00 00 68 01 00 00 00 e9 d0 ff ff ff');
  assert.is(plt.unbound(0x1020, 0x1000), 0x1026);
});

test('a slot that is too far is an error', () => {
  assert.throws(
    () => plt.entry(0x1000, 0x1000, 0x1_0000_0000, 0),
    (error: unknown) => error instanceof IpbpError && error.code === 'IPBP2002',
  );
});

test('the numbers are distinct, and branches need no help', () => {
  const numbers = Object.values(dynamic);
  assert.is(new Set(numbers).size, numbers.length);
  assert.is(veneer, null);
});

test.run();
