import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../codes/error.js';
import { applyField } from './apply.js';
import { ELF_X86_64_ROWS } from './elf-x86-64.js';
import { machineFor } from './machines.js';

const place = { what: 'a value', where: 'here' };
const fields = [...new Map(ELF_X86_64_ROWS.map((row) => [row.field.name, row.field])).values()].filter(
  (f) => f.size > 0,
);

function code(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof IpbpError) return error.code;
    throw error;
  }
  return 'none';
}

test('every field gives back what was written, and touches no other byte', () => {
  for (const field of fields) {
    fc.assert(
      fc.property(fc.integer({ min: field.min, max: field.max }), fc.integer({ min: 0, max: 7 }), (value, offset) => {
        const bytes = new Uint8Array(24).fill(0xa5);
        applyField(field, bytes, offset, value, place);
        const size = 2 ** (field.size * 8);
        const decoded = field.decode(bytes, offset);
        // Fields that take signed and unsigned values read back as one of the two.
        assert.ok(decoded === value || decoded - size === value || decoded + size === value, `${field.name} ${value}`);
        bytes.forEach((byte, i) => {
          if (i < offset || i >= offset + field.size) assert.is(byte, 0xa5);
        });
      }),
    );
  }
});

test('both ends of every range fit, and one more does not', () => {
  for (const field of fields) {
    const bytes = new Uint8Array(8);
    assert.is(
      code(() => applyField(field, bytes, 0, field.min, place)),
      'none',
    );
    assert.is(
      code(() => applyField(field, bytes, 0, field.max, place)),
      'none',
    );
    if (field.size === 8) continue; // their ends are those of safe integers
    assert.is(
      code(() => applyField(field, bytes, 0, field.min - 1, place)),
      'IPBP2002',
    );
    assert.is(
      code(() => applyField(field, bytes, 0, field.max + 1, place)),
      'IPBP2002',
    );
  }
});

test('a field outside of the bytes is an error', () => {
  const field = machineFor('elf', 'x86_64', 'x').addressRow.field;
  assert.is(
    code(() => applyField(field, new Uint8Array(8), 1, 0, place)),
    'IPBP2004',
  );
  assert.is(
    code(() => applyField(field, new Uint8Array(8), -1, 0, place)),
    'IPBP2004',
  );
});

test('rows have distinct numbers and names', () => {
  assert.is(new Set(ELF_X86_64_ROWS.map((row) => row.type)).size, ELF_X86_64_ROWS.length);
  assert.is(new Set(ELF_X86_64_ROWS.map((row) => row.name)).size, ELF_X86_64_ROWS.length);
});

test('a stub jumps through its slot', () => {
  const { stub } = machineFor('elf', 'x86_64', 'x');
  const bytes = stub.encode(0x1000, 0x2000);
  assert.is(bytes.length, stub.size);
  assert.equal([...bytes.subarray(0, 2)], [0xff, 0x25]);
  assert.is(new DataView(bytes.buffer).getInt32(2, true), 0x2000 - 0x1006);
});

test('a pair of format and machine without rows is an error', () => {
  assert.is(
    code(() => machineFor('elf', 'wasm32', 'x')),
    'IPBP1003',
  );
});

test.run();
