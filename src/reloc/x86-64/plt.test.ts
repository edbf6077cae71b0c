// The PLT's words, as the psABI shows them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { machineFor } from '../machines.js';

const { plt, landingPlt, dynamic, veneer } = machineFor('elf', 'x86_64', 'x').shared;

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
  assert.is(plt.unbound?.(0x1020, 0x1000), 0x1026);
});

test('where branches are tracked, both ways into an entry are landings', () => {
  const { headerSize, entrySize, unbound } = landingPlt;
  const bytes = landingPlt.entry(0x1010, 0x1000, 0x4020, 3);
  assert.equal([headerSize, entrySize, bytes.length, unbound?.(0x1010, 0x1000)], [16, 32, 32, 0x1020]);
  const [called, rest] = [bytes.subarray(0, 16), bytes.subarray(16)];
  assert.is(hexOf(called), 'f3 0f 1e fa ff 25 06 30 00 00 66 0f 1f 44 00 00');
  assert.is(hexOf(rest), 'f3 0f 1e fa 68 03 00 00 00 e9 d2 ff ff ff 66 90');
  assert.equal(landingPlt.header(0x1000, 0x4000), plt.header(0x1000, 0x4000));
});

test('a slot that is too far is an error', () => {
  assert.throws(
    () => plt.entry(0x1000, 0x1000, 0x1_0000_0000, 0),
    (error: unknown) => error instanceof IpbpError && error.code === 'IPBP2002',
  );
});

test('the numbers are distinct, and branches need no help', () => {
  const numbers = Object.values(dynamic ?? {});
  assert.is(new Set(numbers).size, numbers.length);
  assert.is(veneer, null);
});

test.run();
