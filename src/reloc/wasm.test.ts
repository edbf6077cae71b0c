import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as wasm from '../formats/wasm/constants.js';
import { fieldSize } from '../formats/wasm/relocations.js';
import { ByteReader } from '../bytes/reader.js';
import { applyField } from './apply.js';
import type { Field } from './fixup.js';
import { WASM_ROWS } from './wasm.js';
import { SLEB32, SLEB64, ULEB32, ULEB64 } from './wasm32/fields.js';
import { WASM32_MACHINE } from './wasm32/machine.js';

const PLACE = { what: 'field', where: 'test' };

/** Written between other bytes, which stay. */
function written(field: Field, value: number): Uint8Array {
  const bytes = new Uint8Array(field.size + 2).fill(0x55);
  applyField(field, bytes, 1, value, PLACE);
  assert.equal([bytes[0], bytes.at(-1)], [0x55, 0x55]);
  return bytes.slice(1, -1);
}

test('every number of the specification has a row under its name, with a field of its size', () => {
  const numbers = Object.entries(wasm).filter(([name]) => name.startsWith('R_WASM_'));
  numbers.sort(([, a], [, b]) => Number(a) - Number(b));
  assert.equal(
    WASM_ROWS.map(({ name, type }) => [name, type]),
    numbers,
  );
  assert.is(numbers.length, 27);
  for (const { type, field, name } of WASM_ROWS) assert.is(field.size, fieldSize(type), name);
});

test('fields hold what is written, padded, as any LEB128 reader reads it', () => {
  for (const [field, values] of [
    [ULEB32, fc.integer({ min: 0, max: 0xffff_ffff })],
    [SLEB32, fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })],
    [ULEB64, fc.maxSafeNat()],
    [SLEB64, fc.maxSafeInteger()],
  ] as const) {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = written(field, value);
        assert.is(field.decode(bytes, 0), value);
        const reader = new ByteReader(bytes, 'field');
        assert.is(field.min < 0 ? reader.sleb() : reader.uleb(), value);
        assert.ok(reader.ended && bytes.slice(0, -1).every((byte) => byte >= 0x80));
      }),
    );
  }
});

test('an address beyond 2 GiB is the negative constant of the same bits', () => {
  assert.is(SLEB32.decode(written(SLEB32, 0x8000_0000), 0), -0x8000_0000);
  assert.is(SLEB32.decode(written(SLEB32, 0xffff_fff0), 0), -16);
});

test('what does not fit is out of range', () => {
  for (const [field, value] of [
    [ULEB32, -1],
    [ULEB32, 2 ** 32],
    [SLEB32, 2 ** 32],
    [SLEB32, -(2 ** 31) - 1],
    [ULEB64, -1],
  ] as const) {
    assert.throws(() => written(field, value), /IPBP2002/);
  }
});

test('a call becomes one through the table in the same bytes, where slot and type are small', () => {
  const { callThroughTable, calls } = WASM32_MACHINE;
  const call = (): Uint8Array => Uint8Array.of(0x10, 0x80, 0x80, 0x80, 0x80, 0x00);
  assert.ok(calls(call(), 1));
  for (const [slot, type] of [
    [0, 0],
    [63, 1],
    [64, 2],
    [8191, 127],
  ] as const) {
    const bytes = call();
    assert.is(callThroughTable?.(bytes, 1, slot, type), true);
    const reader = new ByteReader(bytes, 'code');
    assert.equal([reader.u8(), reader.sleb(), reader.u8(), reader.uleb(), reader.uleb()], [0x41, slot, 0x11, type, 0]);
    assert.ok(reader.ended);
  }
  const bytes = call();
  assert.is(callThroughTable?.(bytes, 1, 8192, 0), false);
  assert.is(callThroughTable?.(bytes, 1, 0, 128), false);
  assert.equal(bytes, call());
  assert.is(callThroughTable?.(Uint8Array.of(0xd2, 0, 0, 0, 0, 0), 1, 1, 1), false, 'no call');
});

test.run();
