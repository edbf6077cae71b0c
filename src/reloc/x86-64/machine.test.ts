// Which instructions use an address only to go there, and which call returns to a place.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { machineFor } from '../machines.js';

const machine = machineFor('elf', 'x86_64', 'test');

const CASES: readonly (readonly [text: string, calls: boolean, ...bytes: number[]])[] = [
  ['call f', true, 0xe8],
  ['jmp f', true, 0xe9],
  ['je f', true, 0x0f, 0x84],
  ['call *f@GOTPCREL(%rip)', true, 0xff, 0x15],
  ['jmp *f@GOTPCREL(%rip)', true, 0xff, 0x25],
  ['lea f(%rip), %rdx', false, 0x48, 0x8d, 0x15],
  ['mov f@GOTPCREL(%rip), %rsp', false, 0x48, 0x8b, 0x25],
  ['push f@GOTPCREL(%rip)', false, 0xff, 0x35],
  ['nothing before it', false],
];

for (const [text, calls, ...bytes] of CASES) {
  test(`${text}: ${calls ? 'goes there' : 'may keep it'}`, () => {
    assert.is(machine.calls(Uint8Array.of(...bytes, 0, 0, 0, 0), bytes.length), calls);
  });
}

const RETURNS: readonly (readonly [text: string, leads: number | null | undefined, ...bytes: number[]])[] = [
  ['call f', 0x1010, 0xe8, 0x10, 0, 0, 0],
  ['call f, backwards', 0xff0, 0xe8, 0xf0, 0xff, 0xff, 0xff],
  ['call *%rax', null, 0xff, 0xd0],
  ['call *%r10', null, 0x41, 0xff, 0xd2],
  ['call *24(%rax)', null, 0xff, 0x50, 24],
  ['call *f@GOTPCREL(%rip)', null, 0xff, 0x15, 1, 2, 3, 4],
  ['call *4(%rax,%rbx,8)', null, 0xff, 0x94, 0xd8, 4, 0, 0, 0],
  ['lea far(%rip), %rdi; call *%rax', null, 0x48, 0x8d, 0x3d, 0x12, 0xe8, 0x34, 0x00, 0xff, 0xd0],
  ['jmp *%rax', undefined, 0xff, 0xe0],
  ['nop', undefined, 0x90],
];

for (const [text, leads, ...bytes] of RETURNS) {
  test(`what returns behind ${text}`, () => {
    const before = new Uint8Array(machine.longestCall).fill(0x90);
    const last = bytes.slice(-before.length);
    before.set(last, before.length - last.length);
    assert.is(machine.callBefore(before, 0x1000), leads);
  });
}

test.run();
