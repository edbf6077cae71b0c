import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../codes/error.js';
import { applyField } from './apply.js';
import { ELF_X86_64_ROWS } from './elf-x86-64.js';
import { machineFor } from './machines.js';
import { rewriteTls } from './x86-64/rewrite.js';

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

test('general-dynamic code becomes local-exec code of the same length', () => {
  // data16 lea x@tlsgd(%rip),%rdi; data16 data16 rex.W call __tls_get_addr@plt
  const lea = [0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0];
  for (const call of [
    [0x66, 0x66, 0x48, 0xe8],
    [0x66, 0x48, 0xff, 0x15],
  ]) {
    const bytes = Uint8Array.from([0x90, ...lea, ...call, 0, 0, 0, 0, 0x90]);
    const rewrite = rewriteTls('tls-gd', bytes, 5);
    assert.ok(rewrite !== null);
    assert.is(rewrite.bytes.length, 16);
    assert.is(rewrite.from, -4);
    assert.is(rewrite.swallow, 1);
    assert.is(rewrite.field?.at, 8);
    assert.is(rewrite.field?.row.name, 'R_X86_64_TPOFF32');
  }
});

test('local-dynamic code becomes a load of the thread pointer of the same length', () => {
  const lea = [0x48, 0x8d, 0x3d, 0, 0, 0, 0];
  const direct = rewriteTls('tls-ld', Uint8Array.from([...lea, 0xe8, 0, 0, 0, 0]), 3);
  assert.is(direct?.bytes.length, 12);
  const indirect = rewriteTls('tls-ld', Uint8Array.from([...lea, 0xff, 0x15, 0, 0, 0, 0]), 3);
  assert.is(indirect?.bytes.length, 13);
});

test('other code than the known sequences is not rewritten', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), fc.integer({ min: -4, max: 24 }), (bytes, offset) => {
      if (bytes[offset - 1] === 0x3d) return;
      assert.is(rewriteTls('tls-gd', bytes, offset), null);
      assert.is(rewriteTls('tls-ld', bytes, offset), null);
    }),
  );
});

test('a pair of format and machine without rows is an error', () => {
  assert.is(
    code(() => machineFor('elf', 'wasm32', 'x')),
    'IPBP1003',
  );
});

test.run();
