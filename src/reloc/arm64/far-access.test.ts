// What stands in the place of references by distance. That the code does what it did: tests/relocations/far-code.test.ts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FixupRow } from '../fixup.js';
import type { FarReference, FarUse } from '../machine.js';
import { machineFor } from '../machines.js';
import { farReferences } from './far-access.js';
import { assemble } from './instructions.js';

const rows = new Map([...machineFor('macho', 'arm64', 'test').rows.values()].map((row) => [row.name.slice(12), row]));
const elf = new Map([...machineFor('elf', 'arm64', 'test').rows.values()].map((row) => [row.name.slice(10), row]));

type Line = readonly [word: number, row?: string, addend?: number, symbol?: number];

function usesOf(lines: readonly Line[]): FarUse[] {
  return lines.flatMap(([, name, addend = 0, symbol = 0], i) => {
    if (name === undefined) return [];
    const row = rows.get(name) ?? elf.get(name);
    return [{ offset: 4 * i, row: row as FixupRow, addend, symbol }];
  });
}

function spelled(reference: FarReference | null): string {
  if (reference === null) return 'refused';
  if (reference.kind === 'branch') return `branch +${reference.behind}`;
  const { inPlace, aside, behind } = reference;
  const piece = (code: typeof inPlace): string =>
    Array.from({ length: code.bytes.length / 4 }, (_, i) => {
      const word = new DataView(code.bytes.buffer).getUint32(4 * i, true).toString(16);
      const field = code.fields.find(({ offset }) => offset === 4 * i);
      return field === undefined ? word : `${word} ${field.to}`;
    }).join(', ');
  return [piece(inPlace), ...(aside === null ? [] : [piece(aside)]), `+${behind}`].join(' | ');
}

function made(near: boolean, ...lines: readonly Line[]): string[] {
  return farReferences(assemble(...lines.map(([word]) => word)), usesOf(lines), near).map(spelled);
}

const ADRP_X8 = 0x90000008;
const ADD_X8 = 0x91000108;
/** ldr w9, [x8]; ldr x9, [x8]; ldr q0, [x8] */
const [LDR_W, LDR_X, LDR_Q] = [0xb9400109, 0xf9400109, 0x3dc00100] as const;

test('the page becomes the whole address, from a word that is near or by code aside', () => {
  const pair = [
    [ADRP_X8, 'PAGE21', 24],
    [ADD_X8, 'PAGEOFF12', 24],
  ] as const;
  assert.equal(made(true, ...pair), ['58000008 word | +24', '91000108 | +24']);
  assert.equal(made(false, ...pair), [
    '14000000 aside | 90000008 word, f9400108 word, 14000000 back | +24',
    '91000108 | +24',
  ]);
});

test('parts of one page agree on one address, and count from it in their own units', () => {
  const lines = made(
    true,
    [ADRP_X8, 'PAGE21'],
    [LDR_W, 'PAGEOFF12', 12],
    [LDR_X, 'PAGEOFF12', 16],
    [LDR_Q, 'PAGEOFF12', 32],
  );
  // 12 is no multiple of 16 from 16 and 32: from 0 all are what they count in.
  assert.equal(lines, ['58000008 word | +0', 'b9400d09 | +0', 'f9400909 | +0', '3dc00900 | +0']);
});

test('a page that was asked for from the middle serves parts before it', () => {
  const lines = made(true, [ADRP_X8, 'PAGE21', 40], [LDR_X, 'PAGEOFF12', 8], [LDR_X, 'PAGEOFF12', 40]);
  assert.equal(lines, ['58000008 word | +8', 'f9400109 | +8', 'f9401109 | +8']);
});

test('places too far apart for one page are addresses of their own', () => {
  const far = [
    [ADRP_X8, 'PAGE21', 0x9000],
    [LDR_X, 'PAGEOFF12', 0x9008],
  ] as const;
  const lines = made(true, [ADRP_X8, 'PAGE21', 4], [LDR_W, 'PAGEOFF12', 4], ...far);
  assert.equal(lines, ['58000008 word | +4', 'b9400109 | +4', '58000008 word | +36872', 'f9400109 | +36872']);
});

test('a symbol knows nothing of the parts of another', () => {
  const lines = made(true, [ADRP_X8, 'PAGE21', 0, 1], [LDR_X, 'PAGEOFF12', 8, 2], [ADRP_X8, 'PAGE21', 0, 2]);
  assert.equal(lines, ['refused', 'f9400109 | +8', '58000008 word | +8']);
});

test('parts that can have no address in common are refused', () => {
  const lines = made(true, [ADRP_X8, 'PAGE21', 0], [LDR_X, 'PAGEOFF12', 1], [LDR_X, 'PAGEOFF12', 8]);
  assert.equal(lines, ['refused', 'refused', 'refused']);
});

test('addresses and values by distance, calls, and what is not done', () => {
  // adr x8; ldr x9, literal; bl; b.eq; ldr w9, literal; adr xzr
  assert.equal(made(true, [0x10000008, 'ADR_PREL_LO21', 3]), ['58000008 word | +3']);
  assert.equal(made(true, [0x58000009, 'LD_PREL_LO19', 8]), [
    '14000000 aside | 90000009 word, f9400129 word, f9400129, 14000000 back | +8',
  ]);
  assert.equal(made(true, [0x94000000, 'BRANCH26', 4], [0x14000000, 'CALL26']), ['branch +4', 'branch +0']);
  assert.equal(made(true, [0x54000000, 'CONDBR19'], [0x18000009, 'LD_PREL_LO19'], [0x1000001f, 'ADR_PREL_LO21']), [
    'refused',
    'refused',
    'refused',
  ]);
  // nop where adrp should be
  assert.equal(made(true, [0xd503201f, 'PAGE21'], [ADD_X8, 'PAGEOFF12'])[0], 'refused');
});

test.run();
