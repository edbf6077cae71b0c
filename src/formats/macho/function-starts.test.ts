import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MACHO_MACHINES } from '../../../tests/macho-inputs.js';
import { LoadCommands, machoLibrary, objdump } from '../../../tests/macho-library.js';
import { encodeFunctionStarts, readFunctionStarts } from './function-starts.js';

const LC_FUNCTION_STARTS = 0x26;

for (const machine of MACHO_MACHINES) {
  test(`functions of ${machine} are found where a disassembler finds them, and written as the linker did`, () => {
    const path = machoLibrary(machine);
    const { bytes, offset } = LoadCommands.of(path).linked(LC_FUNCTION_STARTS);
    const starts = readFunctionStarts(bytes, 'lib', offset);
    const lines = objdump(path, '--function-starts').split('\n');
    assert.equal(
      starts,
      lines.filter((line) => /^[0-9a-f]+$/.test(line)).map((line) => parseInt(line, 16)),
    );
    assert.ok(starts.length >= 5);
    assert.equal(encodeFunctionStarts([...starts, starts.at(-1)!]), bytes.slice());
  });
}

test('starts that leave the file, and numbers without end, are errors with their offset', () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  assert.throws(() => readFunctionStarts(Uint8Array.from([...huge, ...huge, 0]), 'x', 16), /IPBP1002.*offset 0x20$/);
  assert.throws(() => readFunctionStarts(Uint8Array.of(0x80), 'x', 16), /IPBP1001.*offset 0x11$/);
  assert.equal(encodeFunctionStarts([]), new Uint8Array(0));
});

test.run();
