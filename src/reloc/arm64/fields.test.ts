// Words as an assembler makes them (llvm-mc of LLVM 19, `-triple=aarch64`) against the encoders: the instruction with a
// zero immediate and the value give the word, and the word gives back the value.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { applyField } from '../apply.js';
import type { Field } from '../fixup.js';
import * as fields from './fields.js';

const PLACE = { what: 'a value', where: 'here' };

type Case = readonly [text: string, field: Field, bare: number, value: number, word: number];

const group = (list: readonly Field[], index: number): Field => list[index] as Field;

const CASES: readonly Case[] = [
  ['b .+0x7fffffc', fields.BRANCH26, 0x14000000, 0x7fffffc, 0x15ffffff],
  ['bl .-0x8000000', fields.BRANCH26, 0x94000000, -0x8000000, 0x96000000],
  ['b.ne .-0x100000', fields.BRANCH19, 0x54000001, -0x100000, 0x54800001],
  ['cbz x3, .+0xffffc', fields.BRANCH19, 0xb4000003, 0xffffc, 0xb47fffe3],
  ['tbz x3, #33, .+0x7ffc', fields.BRANCH14, 0xb6080003, 0x7ffc, 0xb60bffe3],
  ['tbnz w3, #3, .-0x8000', fields.BRANCH14, 0x37180003, -0x8000, 0x371c0003],
  ['ldr x3, .-0x100000', fields.LITERAL19, 0x58000003, -0x100000, 0x58800003],
  ['adr x3, .-0x100000', fields.ADR21, 0x10000003, -0x100000, 0x10800003],
  ['adr x3, .+0xfffff', fields.ADR21, 0x10000003, 0xfffff, 0x707fffe3],
  ['adr x3, .+0x12345', fields.ADR21, 0x10000003, 0x12345, 0x30091a23],
  ['adrp x3, .-0x100000000', fields.ADRP21, 0x90000003, -0x1_0000_0000, 0x90800003],
  ['adrp x3, .+0x12345000', fields.ADRP21, 0x90000003, 0x1234_5000, 0xb0091a23],
  ['add x3, x4, #0xabc', fields.ADD12, 0x91000083, 0xabc, 0x912af083],
  ['add x3, x4, #0xabc, lsl #12', fields.ADD12_HI, 0x91400083, 0xabc000, 0x916af083],
  ['ldrb w3, [x4, #0xabc]', fields.LDST8.checked, 0x39400083, 0xabc, 0x396af083],
  ['ldrh w3, [x4, #0xabc]', fields.LDST16.checked, 0x79400083, 0xabc, 0x79557883],
  ['ldr w3, [x4, #0xabc]', fields.LDST32.checked, 0xb9400083, 0xabc, 0xb94abc83],
  ['ldr x3, [x4, #0xab8]', fields.LDST64.checked, 0xf9400083, 0xab8, 0xf9455c83],
  ['ldr q3, [x4, #0xab0]', fields.LDST128.checked, 0x3dc00083, 0xab0, 0x3dc2ac83],
  ['ldr x3, [x4, #0x7ff8]', fields.LDST64_LO15, 0xf9400083, 0x7ff8, 0xf97ffc83],
  ['movz x3, #0x1234', group(fields.MOVW, 0), 0xd2800003, 0x1234, 0xd2824683],
  ['movk x3, #0x1234, lsl #16', group(fields.MOVW_NC, 1), 0xf2a00003, 0x1234_0000, 0xf2a24683],
  ['movz x3, #0x1234, lsl #32', group(fields.MOVW_SIGNED, 2), 0x92c00003, 0x1234_0000_0000, 0xd2c24683],
  ['movz x3, #0x12, lsl #48', group(fields.MOVW, 3), 0xd2e00003, 0x12_0000_0000_0000, 0xd2e00243],
  ['movn x3, #0x1233', group(fields.MOVW_SIGNED, 0), 0xd2800003, -0x1234, 0x92824663],
  ['movn x3, #0x1233, lsl #16', group(fields.MOVW_SIGNED, 1), 0xd2a00003, -0x1234_0000, 0x92a24663],
  ['movn x3, #0x1233, lsl #32', group(fields.MOVW_SIGNED, 2), 0xd2c00003, -0x1234_0000_0000, 0x92c24663],
];

for (const [text, field, bare, value, word] of CASES) {
  test(text, () => {
    const bytes = new Uint8Array(4);
    fields.writeWord(bytes, 0, bare);
    field.encode(bytes, 0, value);
    assert.is((fields.readWord(bytes, 0) >>> 0).toString(16), word.toString(16));
    assert.is(field.decode(bytes, 0), value);
    // What stood in the field before is gone.
    field.encode(bytes, 0, field.multiple);
    field.encode(bytes, 0, value);
    assert.is(fields.readWord(bytes, 0) >>> 0, word);
  });
}

test('fields of low bits take the bits in the page and leave out the rest', () => {
  const bytes = new Uint8Array(4);
  fields.writeWord(bytes, 0, 0xf9400083);
  fields.LDST64.low.encode(bytes, 0, 0x1234_5678_9ab8);
  assert.is(fields.readWord(bytes, 0) >>> 0, 0xf9455c83);
  assert.is(fields.LDST64.low.decode(bytes, 0), 0xab8);
});

const LOW12_CASES: readonly (readonly [text: string, field: Field, bare: number])[] = [
  ['add x3, x4, #0', fields.ADD12_LO, 0x91000083],
  ['adds w3, w4, #0', fields.ADD12_LO, 0x31000083],
  ['ldrb w3, [x4]', fields.LDST8.low, 0x39400083],
  ['ldrsb x3, [x4]', fields.LDST8.low, 0x39800083],
  ['str b3, [x4]', fields.LDST8.low, 0x3d000083],
  ['strh w3, [x4]', fields.LDST16.low, 0x79000083],
  ['ldr s3, [x4]', fields.LDST32.low, 0xbd400083],
  ['ldrsw x3, [x4]', fields.LDST32.low, 0xb9800083],
  ['str x3, [x4]', fields.LDST64.low, 0xf9000083],
  ['ldr d3, [x4]', fields.LDST64.low, 0xfd400083],
  ['prfm pldl1keep, [x4]', fields.LDST64.low, 0xf9800080],
  ['ldr q3, [x4]', fields.LDST128.low, 0x3dc00083],
  ['str q3, [x4]', fields.LDST128.low, 0x3d800083],
];

for (const [text, field, bare] of LOW12_CASES) {
  test(`${text} says how its low bits count`, () => {
    const bytes = new Uint8Array(4);
    fields.writeWord(bytes, 0, bare);
    assert.is(fields.LOW12.chosenBy?.(bytes, 0), field);
    applyField(fields.LOW12, bytes, 0, 0x1234_5ab0, PLACE);
    const wanted = new Uint8Array(4);
    fields.writeWord(wanted, 0, bare);
    field.encode(wanted, 0, 0x1234_5ab0);
    assert.equal(bytes, wanted);
    assert.is(fields.LOW12.decode(bytes, 0), 0xab0);
    if (field.multiple === 1) return;
    assert.throws(
      () => applyField(fields.LOW12, bytes, 0, 0x1234_5ab0 + field.multiple / 2, PLACE),
      (error: unknown) => error instanceof IpbpError && error.code === 'IPBP2002',
    );
  });
}

for (const [text, word] of [
  ['sub x3, x4, #0', 0xd1000083],
  ['add x3, x4, #0, lsl #12', 0x91400083],
  ['ldur x3, [x4]', 0xf8400083],
  ['nop', 0xd503201f],
] as const) {
  test(`${text} has no low bits of an address`, () => {
    const bytes = new Uint8Array(4);
    fields.writeWord(bytes, 0, word);
    assert.throws(
      () => applyField(fields.LOW12, bytes, 0, 0, PLACE),
      (error: unknown) => error instanceof IpbpError && error.code === 'IPBP2004',
    );
  });
}

test.run();
