// The rule for a caller's place, from records that the assembler wrote.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { readObjectFile } from '../read-object.js';
import { splitEhFrame } from './eh-frame.js';
import { cfaRule } from './frame-rules.js';

const SOURCE = `
  .text
f:
  .cfi_startproc
  .cfi_personality 0x1b, f
  .cfi_lsda 0x1b, f
  push %rbx
  .cfi_def_cfa_offset 16
  .cfi_offset 3, -16
  sub $400, %rsp
  .cfi_adjust_cfa_offset 400
  .cfi_remember_state
  jz 1f
  add $400, %rsp
  .cfi_def_cfa_offset 16
  pop %rbx
  .cfi_def_cfa_offset 8
  ret
1:
  .cfi_restore_state
  .skip 300, 0x90
  mov %rsp, %rbp
  .cfi_def_cfa_register 6
  nop
  .cfi_def_cfa_expression
  .cfi_endproc
`.replace('  .cfi_def_cfa_expression\n', '  .cfi_escape 0x0f, 0x01, 0x30\n  nop\n');

/** An object's .eh_frame, its pointers not filled in: rules need none. */
function assembled(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-frame-'));
  try {
    writeFileSync(join(folder, 'f.s'), SOURCE);
    execFileSync('gcc', ['-c', 'f.s'], { cwd: folder });
    const file = readObjectFile(new Uint8Array(readFileSync(join(folder, 'f.o'))), 'f.o');
    const section = file.sections.find(({ kind }) => kind === 'unwind');
    return new Uint8Array(file.sectionBytes(section?.index ?? -1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const table = assembled();
const record = splitEhFrame(table, [], 'f.o').fdes[0]?.offset ?? -1;

/** Lengths: push 1, sub 7, jz 2, add 7, pop 1, ret 1, 300, mov 3, nop 1, nop 1. */
const PLACES: readonly (readonly [at: number, rule: { register: number; offset: number } | null])[] = [
  [0, { register: 7, offset: 8 }],
  [1, { register: 7, offset: 16 }],
  [7, { register: 7, offset: 16 }],
  [8, { register: 7, offset: 416 }],
  [17, { register: 7, offset: 16 }],
  [18, { register: 7, offset: 8 }],
  [300, { register: 7, offset: 416 }],
  [322, { register: 6, offset: 416 }],
  [323, null],
];

for (const [at, rule] of PLACES) {
  test(`at byte ${at}`, () => assert.equal(cfaRule(table, record, at, 'f.o'), rule));
}

test('broken records say so', () => {
  fc.assert(
    fc.property(fc.nat(table.length - 1), fc.nat(255), fc.nat(400), (at, value, place) => {
      const broken = table.slice();
      broken[at] = value;
      try {
        cfaRule(broken, record, place, 'f.o');
      } catch (error) {
        assert.instance(error, IpbpError);
      }
    }),
  );
});

test.run();
