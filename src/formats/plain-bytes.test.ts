// Node's Buffer given to the readers: a slice of what they return must be a copy, as everywhere else in the core.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../tests/format-inputs.js';
import { openArchive } from './archive.js';
import { readObjectFile } from './read-object.js';

test('what is sliced off an object is a copy, also when it was read with Node', () => {
  const buffer = Buffer.from(inputs.bytesOf(inputs.cObject()));
  const file = readObjectFile(buffer, 'a.o');
  const copy = file.bytes.slice(0, 4);
  copy.fill(0);
  assert.is(buffer[0], 0x7f);
  assert.is(file.bytes.buffer, buffer.buffer, 'the file itself is not copied');
});

test('what is sliced off an archive member is a copy', () => {
  const buffer = Buffer.from(inputs.bytesOf(inputs.debugRlib()));
  const before = Buffer.from(Uint8Array.from(buffer));
  openArchive(buffer, 'a.rlib').memberBytes(0).slice().fill(0);
  assert.ok(buffer.equals(before));
});

test.run();
