// Values that are the distance of two symbols, and what is refused of them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../codes/error.js';
import type { FixupRow } from '../reloc/fixup.js';
import { machineFor } from '../reloc/machines.js';
import type { Binding } from './binding.js';
import type { Reach } from './close.js';
import { applyFixup } from './fixups.js';
import type { Edge } from './graph.js';
import type { Layout } from './place.js';
import { makeSlots } from './slots.js';

const machine = machineFor('macho', 'arm64', 'test');
const PLACE = 0x1_0000_4008;

const place = (address: number, module = 0): Binding => ({ kind: 'place', module, address });

function rowNamed(name: string): FixupRow {
  const row = [...machine.rows.values()].find((candidate) => candidate.name === `ARM64_RELOC_${name}`);
  if (row === undefined) throw new Error(name);
  return row;
}

function edgeOf(row: FixupRow, addend: number): Edge {
  const target = { name: 'a', spelling: 'a', atom: null, offset: 0, label: false, weak: false, absolute: null };
  return { offset: 8, row, target: { ...target, kind: 'data' }, addend };
}

/** What the field holds. */
function applied(name: string, addend: number, binding: Binding, minus?: Binding, reach: Reach = 'near'): number {
  const row = rowNamed(name);
  const nowhere: Layout = {
    regions: [],
    addressOf: () => NaN,
    contentOf: () => NaN,
    slotsAt: 0,
    stubsAt: 0,
    unwindAt: 0,
    entryWordsAt: 0,
    slotsEnd: 0,
    tlsUsed: 0,
    threadLocals: null,
    bottom: 0,
  };
  const bytes = new Uint8Array(16);
  const words = { rebases: [], tlsWords: [], imports: [] };
  const slots = makeSlots(
    [],
    () => 0,
    () => false,
  );
  const bound = { edge: edgeOf(row, addend), binding, ...(minus === undefined ? {} : { minus }) };
  applyFixup(
    bound,
    { bytes, offset: 8, address: PLACE, where: 'here' },
    { layout: nowhere, slots, machine, words, reach, indexes: null },
  );
  assert.equal(words, { rebases: [], tlsWords: [], imports: [] });
  return row.field.decode(bytes, 8);
}

function isRefused(error: unknown): boolean {
  return error instanceof IpbpError && error.code === 'IPBP2004';
}

test('the distance of the symbol from the place, and of the place from the symbol', () => {
  assert.is(applied('SUBTRACTOR (4 bytes, of the place)', 3, place(PLACE + 0x100)), 0x103);
  assert.is(applied('SUBTRACTOR (4 bytes, from the place)', 3, place(PLACE + 0x100)), -0xfd);
  assert.is(applied('SUBTRACTOR (8 bytes, from the place)', -8, place(PLACE - 0x2_0000_0000)), 0x1_ffff_fff8);
});

test('the distance of two symbols, both somewhere else', () => {
  assert.is(applied('SUBTRACTOR (4 bytes)', 4, place(0x1_0000_0000), place(0x1_0000_0010)), -12);
  assert.is(applied('SUBTRACTOR (8 bytes)', 4, place(0x9_0000_0000), place(0x1_0000_0010)), 0x7_ffff_fff4);
});

test('what lies in another module, or at no known distance, is no distance', () => {
  assert.throws(() => applied('SUBTRACTOR (8 bytes)', 0, place(0x1000), place(0x1000, 2)), isRefused);
  assert.throws(() => applied('SUBTRACTOR (8 bytes)', 0, place(0x1000), place(0x2000), 'anywhere'), isRefused);
  assert.throws(
    () => applied('SUBTRACTOR (4 bytes, from the place)', 0, place(0x1000), undefined, 'anywhere'),
    isRefused,
  );
});

test('a pointer that the processor signs is refused', () => {
  assert.throws(() => applied('AUTHENTICATED_POINTER', 0, place(0x1000)), isRefused);
});

test('a pointer with a mark beside the address is refused: the process would lose it', () => {
  assert.throws(() => applied('UNSIGNED (marked)', 0, place(0x1000)), isRefused);
});

test.run();
