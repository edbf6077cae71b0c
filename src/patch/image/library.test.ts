// A patch as a library and back; what is broken in the file is refused.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { isMachoFile } from '../../formats/macho/read.js';
import { readObjectFile } from '../../formats/read-object.js';
import type { PatchImage } from './image.js';
import { encodePatchFile } from './image-file.js';
import { encodePatchLibrary, isPatch, libraryOf, readPatch } from './library.js';

const TARGET = { format: 'elf', machine: 'x86_64' } as const;
const PLATFORM = { platform: 1, minimum: 0xb_0300, sdk: 0xc_0000 };
const APPLE = { format: 'macho', machine: 'x86_64', linked: { platform: PLATFORM } } as const;
const PAGE = 4096;

/** A function, a word that leads to it, zero-filled data, and a page beside the program. */
const IMAGE: PatchImage = {
  modules: [{ name: 'program', kind: 'build-id', id: Uint8Array.of(1, 2) }],
  after: [],
  segments: [
    { address: -4 * PAGE, size: PAGE, protection: 'r', bytes: new Uint8Array(8) },
    { address: -3 * PAGE, size: PAGE, protection: 'rx', bytes: new Uint8Array(PAGE).fill(0xcc) },
    { address: -2 * PAGE, size: PAGE, protection: 'rw', bytes: Uint8Array.of(7) },
    { address: -PAGE, size: PAGE, protection: 'r', bytes: new Uint8Array(0) },
  ],
  library: { at: -4 * PAGE, size: 3 * PAGE },
  code: null,
  rebases: [
    { at: -4 * PAGE, module: 0, value: -3 * PAGE },
    { at: -PAGE, module: 0, value: -3 * PAGE },
  ],
  tlsWords: [],
  tlsInit: [],
  tlsUsed: 0,
  imports: [],
  checks: [],
  cells: [],
  slots: [],
  unwind: null,
  unwindEntries: [],
  threadLocals: null,
  init: [],
  symbols: [{ name: 'new', kind: 'function', address: -3 * PAGE, size: 6, moved: false, entryWord: null }],
  bodies: [{ name: 'changed', address: -3 * PAGE + 16 }],
  sources: [{ object: 'a.o', functions: [{ name: 'changed', address: -3 * PAGE + 16 }] }],
  items: [],
  warnings: [],
};

function codeOf(bytes: Uint8Array): string {
  try {
    readPatch(bytes, 'p');
  } catch (error) {
    if (error instanceof IpbpError) return error.code;
    throw error;
  }
  return 'none';
}

/** The same with room for what a library of the other format begins with, and what only that has. */
const APPLE_IMAGE: PatchImage = {
  ...IMAGE,
  library: { at: -5 * PAGE, size: 4 * PAGE },
  unwindEntries: [
    { start: -3 * PAGE, length: 16, encoding: 1, personalityWord: -4 * PAGE, lsda: -4 * PAGE + 4, frameRecord: null },
  ],
  threadLocals: { descriptors: [], template: null, zero: { at: -2 * PAGE + 8, size: 4 } },
};

for (const [format, whole, target] of [
  ['one format', IMAGE, TARGET],
  ['the other', APPLE_IMAGE, APPLE],
] as const) {
  test(`what is written is read back, from either kind of file: ${format}`, () => {
    const library = encodePatchLibrary(whole, target);
    for (const bytes of [library.bytes, encodePatchFile(whole).bytes]) {
      const { image, digest } = readPatch(bytes, 'p');
      assert.equal(encodePatchFile(image).digest, encodePatchFile(whole).digest);
      assert.equal(digest, library.digest);
      assert.ok(isPatch(bytes, 'p'));
    }
  });
}

test('a library is for the system that the program is for', () => {
  const { linked } = readObjectFile(libraryOf(APPLE_IMAGE, APPLE), 'p');
  assert.equal(linked?.platform, PLATFORM);
  assert.is(readObjectFile(libraryOf(IMAGE, TARGET), 'p').linked?.platform, undefined);
});

test('debuggers are led to the objects, where those lie', () => {
  const mapOf = (objectPath?: (name: string) => string | null): unknown => {
    const target = objectPath === undefined ? APPLE : { ...APPLE, objectPath };
    const file = readObjectFile(libraryOf({ ...APPLE_IMAGE }, target), 'p');
    return isMachoFile(file) ? file.macho.debugMap().map(({ object, functions }) => [object, functions]) : null;
  };
  const functions = [{ name: '_changed', address: 2 * PAGE + 16, size: 0, section: 3 }];
  assert.equal(
    mapOf((name) => `/kept/${name}`),
    [['/kept/a.o', functions]],
  );
  assert.equal(
    mapOf(() => null),
    [],
  );
  assert.equal(mapOf(), []);
});

test('where the room in front is too small, nothing is written', () => {
  assert.throws(() => libraryOf({ ...IMAGE }, APPLE), /IPBP2004.*too little room.*found 0/);
});

test('the process gets the same library without the description, and always the same', () => {
  const sent = libraryOf(IMAGE, TARGET);
  assert.is(libraryOf(IMAGE, TARGET), sent);
  assert.equal(libraryOf({ ...IMAGE }, TARGET), sent);
  assert.ok(sent.length < encodePatchLibrary(IMAGE, TARGET).bytes.length);
  assert.is(codeOf(sent), 'IPBP1010');
  assert.not.ok(isPatch(sent, 'p'));
});

test('what does not fit the library is refused', () => {
  const [first, ...rest] = IMAGE.segments;
  assert.ok(first);
  for (const segment of [
    { ...first, address: first.address + 8 },
    { ...first, size: 2 * PAGE },
    { ...first, size: 100 },
    { ...first, bytes: new Uint8Array(PAGE + 1) },
  ]) {
    assert.throws(() => libraryOf({ ...IMAGE, segments: [segment, ...rest] }, TARGET), /IPBP1011/);
  }
});

for (const [format, whole, target] of [
  ['one format', IMAGE, TARGET],
  ['the other', APPLE_IMAGE, APPLE],
] as const) {
  test(`broken files are refused with a code: ${format}`, () => {
    const { bytes } = encodePatchLibrary(whole, target);
    assert.is(codeOf(new Uint8Array(0)), 'IPBP1010');
    for (let size = 0; size < bytes.length; size += 61) {
      assert.match(codeOf(bytes.subarray(0, size)), /^IPBP10\d\d$/, `cut at ${size}`);
    }
    for (let at = 0; at < bytes.length; at += 7) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      // A bit of the code or of what only others read makes another patch, or the same one.
      assert.match(codeOf(flipped), /^(IPBP10\d\d|none)$/, `bit of byte ${at}`);
    }
  });
}

test.run();
