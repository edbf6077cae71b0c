// What stays open between comparisons is what has the same bytes, under the names that are asked for, and nothing else.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../bytes/writer.js';
import type { LinkObject } from '../link/graph.js';
import type { InputFile } from './engine.js';
import { NO_NAMES, type NameMap } from './identity/name-map.js';
import { keptObjects } from './kept-objects.js';

const RENAMED: NameMap = new Map([['_ZN3app4stepE', '_ZN3app4stepE.1']]);

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A module that is nothing but an object to link, with a section of these bytes. */
function objectOf(content: Uint8Array): Uint8Array {
  const linking = new ByteWriter(16).uleb(7).raw(text('linking')).uleb(2).finish();
  const more = new ByteWriter(16).uleb(4).raw(text('more')).raw(content).finish();
  const w = new ByteWriter(64).raw(text('\0asm')).u32(1);
  for (const section of [linking, more]) w.u8(0).uleb(section.length).raw(section);
  return w.finish();
}

function fileOf(bytes: Uint8Array, name = 'app.o'): InputFile {
  return { name, read: () => bytes };
}

const BYTES = objectOf(text('one'));

function openedTwice(first: InputFile, second: InputFile, names = NO_NAMES): readonly [LinkObject, LinkObject] {
  const kept = keptObjects();
  const object = kept.open(first, NO_NAMES);
  kept.keep([{ objects: [object], names: NO_NAMES }]);
  return [object, kept.open(second, names)];
}

test('the same bytes under the same names are the object that is open', () => {
  const [first, second] = openedTwice(fileOf(BYTES), fileOf(BYTES.slice()));
  assert.is(first, second);
});

test('under other names it is opened anew, of the file that is open', () => {
  const [first, second] = openedTwice(fileOf(BYTES), fileOf(BYTES.slice()), RENAMED);
  assert.is.not(first, second);
  assert.is(first.file, second.file);
  assert.is(first.nameOf('_ZN3app4stepE'), '_ZN3app4stepE');
  assert.is(second.nameOf('_ZN3app4stepE'), '_ZN3app4stepE.1');
});

test('other bytes of the same length are another object, and so are the same bytes by another name', () => {
  const others = [fileOf(objectOf(text('two'))), fileOf(BYTES, 'other.o')];
  for (const other of others) {
    const [first, second] = openedTwice(fileOf(BYTES), other);
    assert.is.not(first.file, second.file);
    assert.equal(second.file.bytes, other.read());
    assert.is(second.name, other.name);
  }
});

test('what has a file beside it is opened anew', () => {
  const split = { ...fileOf(BYTES), debugFile: fileOf(BYTES, 'app.dwo') };
  for (const [one, other] of [
    [split, split],
    [split, fileOf(BYTES)],
    [fileOf(BYTES), split],
  ] as const) {
    const [first, second] = openedTwice(one, other);
    assert.is.not(first.file, second.file);
    assert.is(second.file.debugFile === undefined, other.debugFile === undefined);
  }
});

test('what was open before the last comparison is forgotten', () => {
  const kept = keptObjects();
  const first = kept.open(fileOf(BYTES), NO_NAMES);
  kept.keep([{ objects: [first], names: NO_NAMES }]);
  kept.keep([{ objects: [], names: NO_NAMES }]);
  assert.is.not(kept.open(fileOf(BYTES), NO_NAMES).file, first.file);
});

test('more than a few megabytes are not kept', () => {
  const large = fileOf(objectOf(new Uint8Array(9 * 1024 * 1024)));
  const [first, second] = openedTwice(large, large);
  assert.is.not(first.file, second.file);
});

test.run();
