// Which instructions use an address only to go there.
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

test.run();
