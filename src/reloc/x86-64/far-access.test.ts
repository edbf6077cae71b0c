import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FixupRow } from '../fixup.js';
import type { FarCode } from '../machine.js';
import { machineFor } from '../machines.js';
import { farReferences } from './far-access.js';

function code(digits: string): Uint8Array {
  return Uint8Array.from(digits.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Bytes as hexadecimal digits, fields by what they lead to. */
function spelled(piece: FarCode | null): string | null {
  if (piece === null) return null;
  let text = '';
  for (let at = 0; at < piece.bytes.length; at++) {
    const field = piece.fields.find(({ offset }) => offset === at);
    text += field === undefined ? `${(piece.bytes[at] ?? 0).toString(16).padStart(2, '0')} ` : `${field.to} `;
    if (field !== undefined) at += 3;
  }
  return text.trim();
}

const DISTANCE = [...machineFor('elf', 'x86_64', 'test').rows.values()].find(({ name }) => name === 'R_X86_64_PC32');

/** Fields at these offsets that lead to where the instruction's end is for an addend of −4. */
function references(bytes: Uint8Array, ...offsets: readonly number[]): ReturnType<typeof farReferences> {
  return farReferences(
    bytes,
    offsets.map((offset) => ({ offset, row: DISTANCE as FixupRow, addend: -4, symbol: 0 })),
  );
}

const SAVED = '48 8d 64 24 80';
const RESTORED = '48 8d a4 24 80 00 00 00 e9 back';
const withRsi = (instruction: string): string => `${SAVED} 56 48 8b 35 word ${instruction} 5e ${RESTORED}`;
const withRdi = (instruction: string): string => `${SAVED} 57 48 8b 3d word ${instruction} 5f ${RESTORED}`;

/** The instruction with zeros in the field, the field's offset, what takes its place, and what is done aside. */
const CASES: readonly (readonly [
  name: string,
  digits: string,
  field: number,
  inPlace: string,
  aside: string | null,
])[] = [
  ['lea', '48 8d 3d 00000000', 3, '48 8b 3d word', null],
  ['lea to r15', '4c 8d 3d 00000000', 3, '4c 8b 3d word', null],
  ['lea, 32 bits', '8d 05 00000000', 2, '8b 05 word', null],
  ['load 64', '48 8b 05 00000000', 3, 'e9 aside 90 90', '48 8b 05 word 48 8b 00 e9 back'],
  ['load 32', '8b 0d 00000000', 2, 'e9 aside 90', '48 8b 0d word 8b 09 e9 back'],
  ['load to r12: a SIB byte', '4c 8b 25 00000000', 3, 'e9 aside 90 90', '4c 8b 25 word 4d 8b 24 24 e9 back'],
  ['load to rbp: a displacement', '48 8b 2d 00000000', 3, 'e9 aside 90 90', '48 8b 2d word 48 8b 6d 00 e9 back'],
  ['load to r13d', '44 8b 2d 00000000', 3, 'e9 aside 90 90', '4c 8b 2d word 45 8b 6d 00 e9 back'],
  ['movzx', '0f b6 05 00000000', 3, 'e9 aside 90 90', '48 8b 05 word 0f b6 00 e9 back'],
  ['movsxd', '48 63 15 00000000', 3, 'e9 aside 90 90', '48 8b 15 word 48 63 12 e9 back'],
  ['load 16 keeps the upper bits', '66 8b 05 00000000', 3, 'e9 aside 90 90', withRsi('66 8b 06')],
  ['load 8 keeps the upper bits', '8a 05 00000000', 2, 'e9 aside 90', withRsi('8a 06')],
  ['movzx to 16 bits', '66 0f b6 05 00000000', 4, 'e9 aside 90 90 90', withRsi('66 0f b6 06')],
  ['store', '48 89 05 00000000', 3, 'e9 aside 90 90', withRsi('48 89 06')],
  ['store rsi', '48 89 35 00000000', 3, 'e9 aside 90 90', withRdi('48 89 37')],
  ['store dh: no REX', '88 35 00000000', 2, 'e9 aside 90', withRdi('88 37')],
  ['store r9', '4c 89 0d 00000000', 3, 'e9 aside 90 90', withRsi('4c 89 0e')],
  [
    'store an immediate',
    '48 c7 05 00000000 07000000',
    3,
    'e9 aside 90 90 90 90 90 90',
    withRsi('48 c7 06 07 00 00 00'),
  ],
  ['compare a byte', '80 3d 00000000 00', 2, 'e9 aside 90 90', withRsi('80 3e 00')],
  ['lock inc', 'f0 48 ff 05 00000000', 4, 'e9 aside 90 90 90', withRsi('f0 48 ff 06')],
  ['lock cmpxchg', 'f0 48 0f b1 0d 00000000', 5, 'e9 aside 90 90 90 90', withRsi('f0 48 0f b1 0e')],
  ['movaps to xmm4', '0f 28 25 00000000', 3, 'e9 aside 90 90', withRsi('0f 28 26')],
  ['movups, wide registers', '44 0f 10 05 00000000', 4, 'e9 aside 90 90 90', withRsi('44 0f 10 06')],
  ['vmovaps, two-byte VEX', 'c5 f8 28 05 00000000', 4, 'e9 aside 90 90 90', withRsi('c5 f8 28 06')],
  [
    'andn with rsi and rdi',
    'c4 e2 c8 f2 3d 00000000',
    5,
    'e9 aside 90 90 90 90',
    `${SAVED} 50 48 8b 05 word c4 e2 c8 f2 38 58 ${RESTORED}`,
  ],
  ['vmovups, EVEX', '62 f1 7c 48 10 05 00000000', 6, 'e9 aside 90 90 90 90 90', withRsi('62 f1 7c 48 10 06')],
  ['call through memory', 'ff 15 00000000', 2, '67 e8 aside', '4c 8b 1d word 41 ff 23'],
  ['jmp through memory', 'ff 25 00000000', 2, 'e9 aside 90', '4c 8b 1d word 41 ff 23'],
  ['push', 'ff 35 00000000', 2, 'e9 aside 90', '50 48 8b 05 word 48 8b 00 48 87 04 24 e9 back'],
];

for (const [name, digits, field, inPlace, aside] of CASES) {
  test(name, () => {
    const bytes = Uint8Array.from([0x55, ...code(digits), 0xc3]);
    const [reference] = references(bytes, field + 1);
    if (reference?.kind !== 'access') throw new Error(`not an access: ${reference?.kind}`);
    assert.is(spelled(reference.inPlace), inPlace);
    assert.is(spelled(reference.aside), aside);
    assert.equal([reference.start, reference.end], [1, bytes.length - 1]);
    assert.is(reference.behind, reference.end - (field + 1) - 4, 'an immediate behind the field counts');
    assert.is(reference.inPlace.bytes.length, reference.end - reference.start);
  });
}

test('a field in an immediate is not known, and no error', () => {
  assert.equal(references(code('66 b8 05 00'), 3), [null], 'mov $5,%ax');
  assert.equal(references(code('b8 05 00 00 00'), 2), [null], 'mov $5,%eax');
});

test('branches go through stubs', () => {
  const bytes = code('e8 00000000 e9 00000000 0f84 00000000');
  assert.equal(
    references(bytes, 1, 6, 12).map((found) =>
      found?.kind === 'branch' ? [found.row.expression, found.behind] : null,
    ),
    [
      ['L+A-P', 0],
      ['L+A-P', 0],
      ['L+A-P', 0],
    ],
  );
});

for (const [name, digits, field] of [
  ['a store of the stack pointer', '48 89 25 00000000', 3],
  ['a load of the stack pointer', '48 8b 25 00000000', 3],
  ['pop', '8f 05 00000000', 2],
  ['a far call', 'ff 1d 00000000', 2],
  ['an address with a segment', '64 48 8b 05 00000000', 4],
  ['an address of 32 bits', '67 48 8b 05 00000000', 4],
  ['xbegin', 'c7 f8 00000000', 2],
  ['a field that is an immediate', '48 c7 05 00000000 07000000', 7],
  ['bytes that are no instruction', '06 48 8b 05 00000000', 4],
  ['data', '00 00 00 00', 0],
] as const) {
  test(`nothing is made of ${name}`, () => assert.equal(references(code(digits), field), [null]));
}

test.run();
