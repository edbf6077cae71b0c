import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MACHO_MACHINES } from '../../../tests/macho-inputs.js';
import { LoadCommands, machoLibrary } from '../../../tests/macho-library.js';
import {
  codeSignatureSize,
  encodeCodeSignature,
  pageHashes,
  readCodeSignature,
  rehashPage,
  verifyCodeSignature,
} from './code-signature.js';

const LC_CODE_SIGNATURE = 0x1d;

for (const machine of MACHO_MACHINES) {
  test(`what a linker signed on ${machine} is read, verified and written again, byte for byte`, () => {
    const file = LoadCommands.of(machoLibrary(machine));
    const { offset, size, bytes } = file.linked(LC_CODE_SIGNATURE);
    const directory = verifyCodeSignature(file.bytes, offset, size, 'lib.dylib');
    assert.is(directory.flags, 0x20002);
    assert.is(directory.version, 0x20400);
    assert.is(codeSignatureSize(directory.identifier, offset), size);
    const facts = {
      identifier: directory.identifier,
      textOffset: directory.execSegBase,
      textSize: directory.execSegLimit,
      executable: false,
    };
    assert.equal(encodeCodeSignature(offset, pageHashes(file.bytes.subarray(0, offset)), facts), bytes.slice());
  });
}

const FACTS = { identifier: 'a.dylib', textOffset: 0, textSize: 4096, executable: true };

function signed(size: number): Uint8Array {
  const code = Uint8Array.from({ length: size }, (_, i) => i % 251);
  const file = new Uint8Array(size + codeSignatureSize(FACTS.identifier, size));
  file.set(code);
  file.set(encodeCodeSignature(size, pageHashes(code), FACTS), size);
  return file;
}

test('a changed byte on any page is found, and hashing that page again mends it', () => {
  const size = 3 * 4096 + 100;
  for (const at of [0, 4095, 4096, 8000, size - 1]) {
    const file = signed(size);
    file[at] = (file[at] as number) ^ 1;
    const page = at - (at % 4096);
    assert.throws(
      () => verifyCodeSignature(file, size, file.length - size, 'x'),
      (error: Error) => error.message.startsWith('IPBP1002') && error.message.endsWith(`offset 0x${page.toString(16)}`),
    );
    const code = file.subarray(0, size);
    const hashes = pageHashes(signed(size).subarray(0, size));
    rehashPage(hashes, code, at);
    assert.equal(hashes, pageHashes(code));
  }
});

test('a signature that ends before its file does is no signature of it', () => {
  const file = signed(5000);
  const longer = new Uint8Array(file.length + 16);
  longer.set(file.subarray(0, 5000));
  longer.set(file.subarray(5000), 5016);
  assert.throws(() => verifyCodeSignature(longer, 5016, file.length - 5000, 'x'), /IPBP1002.*does not cover/);
});

test('broken signatures are errors with their offset', () => {
  const bytes = signed(5000).subarray(5000);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => readCodeSignature(bytes.subarray(0, length), 'x', 5000), /IPBP1001.*offset 0x/);
  }
  for (let at = 0; at < 112; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const broken = bytes.slice();
      broken[at] = value;
      try {
        readCodeSignature(broken, 'x', 5000);
      } catch (error) {
        assert.match(String(error), /IPBP100[12].*offset 0x/, `byte ${at}`);
      }
    }
  }
});

test.run();
