import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../codes/error.js';
import { applyField } from './apply.js';
import { ELF_AARCH64_ROWS } from './elf-aarch64.js';
import { ELF_X86_64_ROWS } from './elf-x86-64.js';
import { MACHO_ARM64_ROWS } from './macho-arm64.js';
import { MACHO_X86_64_ROWS } from './macho-x86-64.js';
import { isWithinPage, type Field } from './fixup.js';
import { machineFor } from './machines.js';

const place = { what: 'a value', where: 'here' };
const tables = [ELF_X86_64_ROWS, ELF_AARCH64_ROWS, MACHO_X86_64_ROWS, MACHO_ARM64_ROWS];
const fields = [...new Set(tables.flat().map((row) => row.field))].filter(
  // Those that depend on the instruction stand for some of the others.
  ({ size, chosenBy }) => size > 0 && chosenBy === null,
);

/** Lowest bits that a field leaves out because another instruction has them: those of a group of moves, or an add. */
function leftOut({ name, multiple }: Field): number {
  const group = /^movw g(\d)/.exec(name)?.[1];
  if (group !== undefined) return 0x1_0000 ** Number(group);
  return name === 'add12 hi12' ? 0x1000 : multiple;
}

/** Every multiple of what the field asks for, in its range. */
function values({ min, max, multiple }: Field): fc.Arbitrary<number> {
  const ends = { min: Math.ceil(min / multiple), max: Math.floor(max / multiple) };
  return fc.integer(ends).map((value) => value * multiple);
}

/** The remainder that is not negative. */
function modulo(value: number, size: number): number {
  const rest = BigInt(value) % BigInt(size);
  return Number(rest < 0n ? rest + BigInt(size) : rest);
}

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
      fc.property(values(field), fc.integer({ min: 0, max: 7 }), (value, offset) => {
        const bytes = new Uint8Array(24).fill(0xa5);
        applyField(field, bytes, offset, value, place);
        const decoded = field.decode(bytes, offset);
        const kept = Math.floor(value / leftOut(field)) * leftOut(field);
        // Fields that take signed and unsigned values read back as one of the two.
        const size = field.name.startsWith('word') ? 2 ** (field.size * 8) : field.modulo;
        if (size === null) assert.is(decoded, kept, `${field.name} ${value}`);
        else assert.is(modulo(decoded, size), modulo(kept, size), `${field.name} ${value}`);
        bytes.forEach((byte, i) => {
          if (i < offset || i >= offset + field.size) assert.is(byte, 0xa5);
        });
      }),
    );
  }
});

test('both ends of every range fit, and one more does not', () => {
  for (const field of fields) {
    // Their ends are those of safe integers.
    if (field.size === 8 || field.modulo !== null) continue;
    const applied = (value: number): string => code(() => applyField(field, new Uint8Array(8), 0, value, place));
    for (const value of [field.min, field.max - (field.max % field.multiple)]) {
      assert.is(applied(value), 'none', `${field.name} ${value}`);
    }
    for (const value of [field.min - 1, field.max + 1, field.min - field.multiple, field.max + field.multiple]) {
      assert.is(applied(value), 'IPBP2002', `${field.name} ${value}`);
    }
  }
});

test('a value that is no multiple of what the field counts in is an error', () => {
  const counting = fields.filter((field) => field.multiple > 1);
  assert.ok(counting.length >= 10);
  for (const field of counting) {
    for (const off of [1, field.multiple / 2, field.multiple - 1]) {
      assert.is(
        code(() => applyField(field, new Uint8Array(8), 0, off, place)),
        'IPBP2002',
        field.name,
      );
    }
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
  for (const rows of tables) {
    assert.is(new Set(rows.map((row) => row.type)).size, rows.length);
    assert.is(new Set(rows.map((row) => row.name)).size, rows.length);
  }
});

test('only what lies within a page is known before the load address is', () => {
  const known = ELF_AARCH64_ROWS.filter(({ field }) => isWithinPage(field)).map(({ field }) => field.name);
  assert.equal([...new Set(known)].sort(), [
    'add12 lo12',
    'ldst128 lo12',
    'ldst16 lo12',
    'ldst32 lo12',
    'ldst64 lo12',
    'ldst8 lo12',
  ]);
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
