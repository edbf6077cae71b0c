// What TLS sequences of arm64 become. Words as llvm-mc gives them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RewriteGoal } from '../machine.js';
import { machineFor } from '../machines.js';
import { assemble } from './instructions.js';

const machine = machineFor('elf', 'arm64', 'test');
const types = new Map([...machine.rows.values()].map((row) => [row.name.slice('R_AARCH64_'.length), row]));

/** The new words from the relocation on, with the rows of their fields; null when nothing is rewritten. */
function rewritten(name: string, goal: RewriteGoal, words: readonly number[], at = 0): string | null {
  const row = types.get(name);
  assert.ok(row !== undefined);
  const rewrite = machine.rewrite(row, goal, assemble(...words), 4 * at);
  if (rewrite === null) return null;
  const view = new DataView(rewrite.bytes.buffer);
  const lines = Array.from({ length: rewrite.bytes.length / 4 }, (_, i) => {
    const field = rewrite.fields.find((one) => one.at === 4 * i);
    const word = view
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, '0');
    return field === undefined ? word : `${word} ${field.row.name.slice('R_AARCH64_'.length)}`;
  });
  return [...lines, ...(rewrite.swallow > 0 ? [`swallows ${rewrite.swallow}`] : [])].join(', ');
}

// adrp x0; ldr x1, [x0]; add x0, x0, #0; blr x1
const DESCRIPTOR = [0x90000000, 0xf9400001, 0x91000000, 0xd63f0020] as const;
// adrp x0; add x0, x0, #0; bl; nop
const PAIR = [0x90000000, 0x91000000, 0x94000000, 0xd503201f] as const;
// adr x0; bl; nop
const TINY_PAIR = [0x10000000, 0x94000000, 0xd503201f] as const;

type Case = readonly [name: string, goal: RewriteGoal, words: readonly number[], at: number, wanted: string | null];

const CASES: readonly Case[] = [
  ['TLSDESC_ADR_PAGE21', 'local-exec', DESCRIPTOR, 0, 'd2a00000 TLSLE_MOVW_TPREL_G1'],
  ['TLSDESC_LD64_LO12', 'local-exec', DESCRIPTOR, 1, 'f2800000 TLSLE_MOVW_TPREL_G0_NC'],
  ['TLSDESC_ADD_LO12', 'local-exec', DESCRIPTOR, 2, 'd503201f'],
  ['TLSDESC_CALL', 'local-exec', DESCRIPTOR, 3, 'd503201f'],
  ['TLSDESC_ADR_PAGE21', 'initial-exec', DESCRIPTOR, 0, '90000000 TLSIE_ADR_GOTTPREL_PAGE21'],
  ['TLSDESC_LD64_LO12', 'initial-exec', DESCRIPTOR, 1, 'f9400000 TLSIE_LD64_GOTTPREL_LO12_NC'],
  ['TLSDESC_ADD_LO12', 'initial-exec', DESCRIPTOR, 2, 'd503201f'],
  ['TLSDESC_CALL', 'initial-exec', DESCRIPTOR, 3, 'd503201f'],
  // tiny: ldr x1, literal; adr x0; blr x1
  ['TLSDESC_LD_PREL19', 'local-exec', [0x58000001], 0, 'd2a00000 TLSLE_MOVW_TPREL_G1'],
  ['TLSDESC_ADR_PREL21', 'local-exec', [0x10000000], 0, 'f2800000 TLSLE_MOVW_TPREL_G0_NC'],
  ['TLSDESC_LD_PREL19', 'initial-exec', [0x58000001], 0, 'd503201f'],
  ['TLSDESC_ADR_PREL21', 'initial-exec', [0x10000000], 0, '58000000 TLSIE_LD_GOTTPREL_PREL19'],
  // large: movz x0; movk x0; ldr x1, [x2, x0]; add x0, x2, x0; blr x1
  ['TLSDESC_OFF_G1', 'local-exec', [0xd2a00000], 0, 'd2a00000 TLSLE_MOVW_TPREL_G1'],
  ['TLSDESC_OFF_G0_NC', 'initial-exec', [0xf2800000], 0, 'f2800000 TLSIE_MOVW_GOTTPREL_G0_NC'],
  ['TLSDESC_LDR', 'initial-exec', [0xf8606841], 0, 'f8606840'],
  ['TLSDESC_LDR', 'local-exec', [0xf8606841], 0, 'd503201f'],
  ['TLSDESC_ADD', 'initial-exec', [0x8b000040], 0, 'd503201f'],
  // adrp x3; ldr x3, [x3], or another register
  ['TLSIE_ADR_GOTTPREL_PAGE21', 'local-exec', [0x90000003], 0, 'd2a00003 TLSLE_MOVW_TPREL_G1'],
  ['TLSIE_LD64_GOTTPREL_LO12_NC', 'local-exec', [0xf9400063], 0, 'f2800003 TLSLE_MOVW_TPREL_G0_NC'],
  ['TLSIE_LD64_GOTTPREL_LO12_NC', 'local-exec', [0xf9400064], 0, 'd2800004 TLSLE_MOVW_TPREL_G0'],
  ['TLSIE_LD_GOTTPREL_PREL19', 'local-exec', [0x58000005], 0, 'd2800005 TLSLE_MOVW_TPREL_G0'],
  ['TLSIE_ADR_GOTTPREL_PAGE21', 'initial-exec', [0x90000003], 0, null],
  [
    'TLSGD_ADR_PAGE21',
    'local-exec',
    PAIR,
    0,
    'd53bd040, 91400000 TLSLE_ADD_TPREL_HI12, 91000000 TLSLE_ADD_TPREL_LO12_NC, d503201f, swallows 2',
  ],
  [
    'TLSGD_ADR_PAGE21',
    'initial-exec',
    PAIR,
    0,
    '90000000 TLSIE_ADR_GOTTPREL_PAGE21, f9400000 TLSIE_LD64_GOTTPREL_LO12_NC, d53bd041, 8b000020, swallows 2',
  ],
  [
    'TLSGD_ADR_PREL21',
    'local-exec',
    TINY_PAIR,
    0,
    'd53bd040, 91400000 TLSLE_ADD_TPREL_HI12, 91000000 TLSLE_ADD_TPREL_LO12_NC, swallows 1',
  ],
  [
    'TLSGD_ADR_PREL21',
    'initial-exec',
    TINY_PAIR,
    0,
    '58000000 TLSIE_LD_GOTTPREL_PREL19, d53bd041, 8b000020, swallows 1',
  ],
  ['TLSLD_ADR_PAGE21', 'local-exec', PAIR, 0, 'd53bd040, d503201f, d503201f, d503201f, swallows 2'],
  ['TLSLD_ADR_PREL21', 'local-exec', TINY_PAIR, 0, 'd53bd040, d503201f, d503201f, swallows 1'],
  // Another register, no call, and nothing that could be known to be a call.
  ['TLSGD_ADR_PAGE21', 'local-exec', [0x90000001, ...PAIR.slice(1)], 0, null],
  ['TLSGD_ADR_PAGE21', 'local-exec', [0x90000000, 0x91000000, 0x14000000, 0xd503201f], 0, null],
  ['TLSGD_ADR_PAGE21', 'local-exec', PAIR.slice(0, 3), 0, null],
  ['TLSLD_ADR_PAGE21', 'initial-exec', PAIR, 0, null],
  // adrp x7; ldr x7, [x7]; with two registers something else may use what the first has left.
  [
    'ADR_GOT_PAGE',
    'direct',
    [0xd503201f, 0x90000007, 0xf94000e7],
    1,
    '90000007 ADR_PREL_PG_HI21, 910000e7 ADD_ABS_LO12_NC, swallows 1',
  ],
  ['ADR_GOT_PAGE', 'direct', [0x90000007, 0xf94000e8], 0, null],
  ['ADR_GOT_PAGE', 'direct', [0x90000008, 0xf94000e7], 0, null],
  // add, a load of four bytes, nothing
  ['ADR_GOT_PAGE', 'direct', [0x90000007, 0x910000e7], 0, null],
  ['ADR_GOT_PAGE', 'direct', [0x90000007, 0xb94000e7], 0, null],
  ['ADR_GOT_PAGE', 'direct', [0x90000007], 0, null],
  ['ADR_GOT_PAGE', 'local-exec', [0x90000007, 0xf94000e7], 0, null],
  ['LD64_GOT_LO12_NC', 'direct', [0xf94000e7], 0, null],
];

for (const [name, goal, words, at, wanted] of CASES) {
  test(`${name} at ${at} of ${words.map((word) => word.toString(16)).join(' ')}: ${goal}`, () => {
    assert.is(rewritten(name, goal, words, at), wanted);
  });
}

test('each of two loads of a slot that stand apart is rewritten by itself', () => {
  const apart = machineFor('macho', 'arm64', 'test');
  const rows = new Map([...apart.rows.values()].map((row) => [row.name.slice('ARM64_RELOC_'.length), row]));
  const become = (name: string, word: number): string | null => {
    const row = rows.get(name);
    assert.ok(row !== undefined);
    const rewrite = apart.rewrite(row, 'direct', assemble(word), 0);
    if (rewrite === null) return null;
    const now = new DataView(rewrite.bytes.buffer).getUint32(0, true).toString(16);
    return [now, ...rewrite.fields.map(({ at, row: { name } }) => `${name} at ${at}`)].join(' ');
  };
  for (const kind of ['GOT_LOAD', 'TLVP_LOAD']) {
    assert.is(become(`${kind}_PAGE21`, 0x90000008), '90000008 ARM64_RELOC_PAGE21 at 0');
    // ldr x1, [x8] → add x1, x8, #0
    assert.is(become(`${kind}_PAGEOFF12`, 0xf9400101), '91000101 ARM64_RELOC_PAGEOFF12 at 0');
    // ldr w1, [x8]: no slot of a pointer
    assert.is(become(`${kind}_PAGEOFF12`, 0xb9400101), null);
    assert.is(become(`${kind}_PAGE21`, 0xd503201f), null);
  }
  assert.is(become('PAGE21', 0x90000008), null);
});

test.run();
