// Broken input to every reader: whatever the bytes, only IpbpError comes out, in bounded time.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../tests/format-inputs.js';
import { ByteWriter } from '../bytes/writer.js';
import { IpbpError } from '../codes/error.js';
import { openArchive } from './archive.js';
import { describeArchive, describeObject } from './describe.js';
import { splitEhFrame } from './dwarf/eh-frame.js';
import { readElf } from './elf/read.js';
import { demangle, demangleWithHash } from './symbols/demangle.js';

const OPTIONS = { relocationName: () => undefined };

/** Runs a reader; true when it accepted the input. Anything but an IpbpError of the format codes fails the test. */
function survives(read: () => void): boolean {
  const start = performance.now();
  let accepted = true;
  try {
    read();
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
    assert.match(error.code, /^IPBP100[123]$/);
    assert.match(error.message, /offset 0x[0-9a-f]+$/);
    accepted = false;
  }
  assert.ok(performance.now() - start < 3000, 'a broken file took too long');
  return accepted;
}

/** Reads everything there is to read. */
function readAll(bytes: Uint8Array): void {
  const file = readElf(bytes, 'hostile.o');
  file.symbolColumns();
  for (const { index } of file.sections) file.relocationColumns(index);
  file.linked?.dynamicColumns();
  file.linked?.versionOf(1);
  describeObject(file, OPTIONS);
}

function readWholeArchive(bytes: Uint8Array): void {
  const archive = openArchive(bytes, 'hostile.rlib');
  describeArchive(archive);
  archive.definersOf('missing');
  for (const { index } of archive.members) archive.member(index);
}

const small = (): Uint8Array[] => [inputs.cObject(), inputs.assemblyObject()].map((path) => inputs.bytesOf(path));

test('the whole files are accepted', () => {
  for (const bytes of [...small(), inputs.bytesOf(inputs.releaseObject()), inputs.bytesOf(inputs.rustProgram())]) {
    assert.ok(
      survives(() => {
        readAll(bytes);
      }),
    );
  }
  assert.ok(
    survives(() => {
      readWholeArchive(inputs.bytesOf(inputs.debugRlib()));
    }),
  );
});

test('an object cut anywhere is refused', () => {
  for (const bytes of small()) {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        // The section headers stand at the end, so that every cut takes some.
        assert.not(
          survives(() => {
            readAll(bytes.slice(0, length));
          }),
        );
      }),
      { numRuns: 200 },
    );
  }
});

test('an object with changed bytes is read or refused, never more', () => {
  for (const bytes of small()) {
    const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const broken = bytes.slice();
        for (const { at, value } of changes) broken[at] = value;
        survives(() => {
          readAll(broken);
        });
      }),
      { numRuns: 300 },
    );
  }
});

test('changes to headers and tables, where every field means something', () => {
  for (const bytes of small()) {
    const headers = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(40, true));
    const place = fc.oneof(fc.nat(63), fc.integer({ min: headers, max: bytes.length - 8 }));
    const word = fc.oneof(fc.nat(255), fc.constantFrom(0xffff_ffff, 0x7fff_ffff, 0x8000_0000), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(fc.tuple(place, word), { minLength: 1, maxLength: 3 }), (changes) => {
        const broken = bytes.slice();
        const view = new DataView(broken.buffer);
        for (const [at, value] of changes) view.setUint32(at - (at % 4), value, true);
        survives(() => {
          readAll(broken);
        });
      }),
      { numRuns: 600 },
    );
  }
});

test('changes to the headers of a program', () => {
  const bytes = inputs.bytesOf(inputs.rustProgram());
  const file = readElf(bytes, 'program');
  const dynamic = file.sections.find((section) => section.name === '.dynamic')?.offset ?? 0;
  const place = fc.oneof(fc.integer({ min: 0, max: 64 + 12 * 56 }), fc.integer({ min: dynamic, max: dynamic + 400 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
      const broken = bytes.slice();
      for (const [at, value] of changes) broken[at] = value;
      survives(() => {
        const { linked } = readElf(broken, 'program');
        assert.ok(linked === null || linked.dynamicSymbols.length < 1_000_000);
      });
    }),
    { numRuns: 150 },
  );
});

test('unwind tables with changed bytes', () => {
  const file = readElf(inputs.bytesOf(inputs.releaseObject()), 'release.o');
  const section = file.sections.find(({ kind }) => kind === 'unwind');
  assert.ok(section);
  const bytes = file.sectionBytes(section.index);
  const relocations = file.relocations(section.index);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
      const broken = bytes.slice(0, length);
      if (at < length) broken[at] = value;
      survives(() => {
        splitEhFrame(broken, relocations, 'release.o: .eh_frame');
      });
    }),
    { numRuns: 500 },
  );
});

test('an archive cut or changed anywhere', () => {
  const bytes = inputs.bytesOf(inputs.debugRlib());
  const place = fc.oneof(fc.nat(2000), fc.nat(bytes.length - 1));
  fc.assert(
    fc.property(place, fc.nat(255), fc.boolean(), (at, value, cut) => {
      const broken = cut ? bytes.slice(0, at) : bytes.slice();
      if (!cut) broken[at] = value;
      survives(() => {
        readWholeArchive(broken);
      });
    }),
    { numRuns: 150 },
  );
});

test('names that overlap cannot cost more than a multiple of the file', () => {
  // A symbol table of which every name starts one byte later in one long string: n symbols, n² bytes of names.
  const count = 40_000;
  const strings = new Uint8Array(count + 2).fill(0x61);
  strings[0] = 0;
  strings[count + 1] = 0;
  const writer = new ByteWriter(8_000_000);
  const header = (type: number, offset: number, size: number, link: number): void => {
    writer.u32(0).u32(type).u64(0).u64(0).u64(offset).u64(size).u32(link).u32(0).u64(1).u64(0);
  };
  const symbolsAt = 64 + 3 * 64;
  const stringsAt = symbolsAt + count * 24;
  writer.raw(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0)).u64(0);
  writer.u16(1).u16(62).u32(1).u64(0).u64(0).u64(64).u32(0).u16(64).u16(0).u16(0).u16(64).u16(3).u16(0);
  header(0, 0, 0, 0);
  header(2, symbolsAt, count * 24, 2);
  header(3, stringsAt, strings.length, 0);
  for (let index = 0; index < count; index++) writer.u32(index).u8(0x10).u8(0).u16(0).u64(0).u64(0);
  writer.raw(strings);
  const bytes = writer.finish();
  assert.not(
    survives(() => {
      readAll(bytes);
    }),
  );
});

test('demangling never throws and ends', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'_RNvCsIBMXYTSKpEFDLu0123456789abh$.'), maxLength: 80 });
  fc.assert(
    fc.property(letters, fc.constantFrom('_R', '_ZN', '__R', '_RNvC1a', '_RINvC1a1b'), (tail, head) => {
      assert.type(demangle(head + tail), 'string');
      assert.type(demangleWithHash(head + tail), 'string');
    }),
    { numRuns: 3000 },
  );
});

test('a name whose back references double at each step is given back as it is', () => {
  // Each tuple holds the one before twice: 2^n types.
  let name = '_RINvC1a1b';
  const places: number[] = [];
  let body = 'INvC1a1b';
  for (let level = 0; level < 60; level++) {
    places.push(body.length);
    const before = level === 0 ? 'uu' : `B${base62(places[level - 1] ?? 0)}`.repeat(2);
    body += `T${before}E`;
  }
  body += 'E';
  name = `_R${body}`;
  const start = performance.now();
  assert.is(demangle(name), name);
  assert.ok(performance.now() - start < 2000);
  assert.is(demangle(`_R${'INvC1a1b'.repeat(400)}`), `_R${'INvC1a1b'.repeat(400)}`);
  assert.is(demangle(`_RIC1a${'R'.repeat(5000)}uE`), `_RIC1a${'R'.repeat(5000)}uE`);
});

function base62(value: number): string {
  if (value === 0) return '_';
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  let rest = value - 1;
  let text = '';
  do {
    text = digits.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return `${text}_`;
}

test.run();
