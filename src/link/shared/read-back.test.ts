// write ∘ read = identity, for linked files: what our readers see of a library that we wrote, encoded again, is the same
// bytes. Libraries of all kinds of options, from compiled objects; one of the standard library's own objects.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { standardRlib } from '../../../tests/format-inputs.js';
import { encodeText } from '../../bytes/text.js';
import type { SymbolColumns } from '../../formats/columns.js';
import { functionRanges } from '../../formats/dwarf/eh-frame.js';
import { encodeEhFrameHeader } from '../../formats/dwarf/eh-frame-header.js';
import * as elf from '../../formats/elf/constants.js';
import {
  encodeDynamic,
  encodeLoaderRelocations,
  encodeNeededVersions,
  encodeNote,
} from '../../formats/elf/encode-dynamic.js';
import { encodeSymbols, symbolRows } from '../../formats/elf/encode-symbols.js';
import { encodeGnuHash, gnuHash } from '../../formats/elf/gnu-hash.js';
import { readElf, type ElfFile } from '../../formats/elf/read.js';
import { decodeRelr, encodeRelr } from '../../formats/elf/relr.js';
import { encodeSysvHash, sysvHash } from '../../formats/elf/sysv-hash.js';
import { linkedHeaderSize, putLinkedHeaders, sectionHeadersSize } from '../../formats/elf/write-linked.js';
import { openWorkshop } from './link.test-support.js';
import type { SharedOptions } from './options.js';

const workshop = openWorkshop();

/** A section's bytes by its name, and its address; null where there is none. */
function sectionOf(file: ElfFile, name: string): { readonly bytes: Uint8Array; readonly address: number } | null {
  const section = file.sections.find((one) => one.name === name);
  return section === undefined ? null : { bytes: file.sectionBytes(section.index), address: section.address };
}

function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

function encodedColumns(table: SymbolColumns): Uint8Array {
  const rows = symbolRows(table.count - 1);
  rows.count = table.count - 1;
  rows.name.set(table.names.offset.subarray(1));
  rows.kind.set(table.kind.subarray(1));
  rows.binding.set(table.binding.subarray(1));
  rows.visibility.set(table.visibility.subarray(1));
  rows.section.set(table.section.subarray(1));
  rows.value.set(table.value.subarray(1));
  rows.size.set(table.size.subarray(1));
  return encodeSymbols(rows).entries;
}

/** The file with its headers written anew over others. */
function withHeaders(file: ElfFile): Uint8Array {
  const { headers, machine, bytes } = file;
  const sectionsAt = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(40, true));
  const copy = bytes.slice();
  copy.fill(0xa5, 0, linkedHeaderSize(headers.programs.length));
  copy.fill(0xa5, sectionsAt, sectionsAt + sectionHeadersSize(headers.sections.length - 1));
  putLinkedHeaders(copy, { ...headers, machine, sections: headers.sections.slice(1), sectionsAt });
  return copy;
}

/** .rela.dyn and .rela.plt, one behind the other. */
function encodedRelocations(file: ElfFile): Uint8Array {
  const rows = file.dynamicRelocations();
  return encodeLoaderRelocations({
    count: rows.length,
    offset: Float64Array.from(rows, ({ offset }) => offset),
    type: Uint32Array.from(rows, ({ type }) => type),
    symbol: Uint32Array.from(rows, ({ symbol }) => symbol),
    addend: Float64Array.from(rows, ({ addend }) => addend ?? Number.NaN),
  });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** The place of a text in a string table, as whole entry. */
function placeOf(strings: Uint8Array, text: string): number {
  const wanted = encodeText(`\0${text}\0`);
  const found = Buffer.from(strings.buffer, strings.byteOffset, strings.length).indexOf(wanted);
  assert.ok(found >= 0, text);
  return found + 1;
}

/** .gnu.version_r from what is said of the symbols; `more` are versions that no symbol has. */
function encodedNeeds(file: ElfFile, numbers: Uint8Array, strings: Uint8Array): Uint8Array {
  const { linked } = file;
  assert.ok(linked);
  const libraries = new Map<string, Map<number, string>>();
  let last = elf.VER_NDX_GLOBAL;
  linked.dynamicSymbols.forEach((_, index) => {
    const version = linked.versionOf(index);
    if (version?.library == null) return;
    const number = numbers[index * 2]! + numbers[index * 2 + 1]! * 256;
    const versions = libraries.get(version.library) ?? new Map<number, string>();
    libraries.set(version.library, versions.set(number, version.name));
    last = Math.max(last, number);
  });
  // The one that no symbol has: packed rebases are asked for by it.
  if (file.dynamic.some(({ tag }) => tag === elf.DT_RELR))
    libraries.get('libc.so.6')?.set(last + 1, 'GLIBC_ABI_DT_RELR');
  const needed = file.dynamic.filter(({ tag }) => tag === elf.DT_NEEDED).map(({ value }) => value);
  return encodeNeededVersions(
    [...libraries].map(([name, versions]) => ({
      fileName: needed[linked.needed.indexOf(name)] ?? Number.NaN,
      versions: [...versions].map(([index, version]) => ({
        name: version,
        nameOffset: placeOf(strings, version),
        index,
        weak: false,
      })),
    })),
  );
}

function encodedUnwindHeader(file: ElfFile, at: number): Uint8Array {
  const frame = sectionOf(file, '.eh_frame');
  assert.ok(frame);
  const ranges = functionRanges(frame.bytes, frame.address, file.name);
  return encodeEhFrameHeader(at, frame.address, {
    count: ranges.length,
    code: Float64Array.from(ranges, ({ start }) => start),
    fde: Float64Array.from(ranges, ({ offset }) => frame.address + offset),
  });
}

/** Reads a library that we wrote and encodes what was read; names of what was compared. Fails where bytes differ. */
function readBack(library: Uint8Array): string[] {
  const file = readElf(library, 'linked.so');
  const { linked } = file;
  assert.ok(linked);
  const names = linked.dynamicSymbols.map(({ name }) => encodeText(name));
  const seen: string[] = [];
  const compare = (name: string, written: Uint8Array, again: Uint8Array): void => {
    assert.equal(Buffer.from(again).toString('hex'), Buffer.from(written).toString('hex'), name);
    seen.push(name);
  };
  const table = (name: string, encode: (bytes: Uint8Array, address: number) => Uint8Array): void => {
    const section = sectionOf(file, name);
    if (section !== null) compare(name, section.bytes, encode(section.bytes, section.address));
  };
  const again = withHeaders(file);
  const differs = library.findIndex((byte, at) => again[at] !== byte);
  assert.is(differs, -1, `headers at ${differs}`);
  table('.dynamic', () => encodeDynamic(file.dynamic));
  table('.dynsym', () => encodedColumns(linked.dynamicColumns()));
  table('.symtab', () => encodedColumns(file.symbolColumns()));
  const relocations = ['.rela.dyn', '.rela.plt'].flatMap((name) => sectionOf(file, name)?.bytes ?? []);
  compare('relocations', joined(relocations), encodedRelocations(file));
  table('.hash', () => encodeSysvHash(Uint32Array.from(names, (name) => sysvHash(name))));
  table('.gnu.hash', (bytes) => {
    const first = word(bytes, 4);
    const { bytes: again, order } = encodeGnuHash(
      Uint32Array.from(names.slice(first), (name) => gnuHash(name)),
      first,
    );
    // The symbols stand in the order that the table wants.
    assert.equal([...order], [...order.keys()]);
    return again;
  });
  const numbers = sectionOf(file, '.gnu.version')?.bytes ?? new Uint8Array(0);
  const strings = sectionOf(file, '.dynstr')?.bytes ?? new Uint8Array(0);
  table('.gnu.version_r', () => encodedNeeds(file, numbers, strings));
  table('.relr.dyn', (bytes) => {
    const again = encodeRelr(decodeRelr(bytes, 'relr'));
    // Bitmaps of no word fill what was planned too large.
    const filler = new BigUint64Array((bytes.length - again.length) / 8).fill(1n);
    return joined([again, new Uint8Array(filler.buffer)]);
  });
  table('.eh_frame_hdr', (_, address) => encodedUnwindHeader(file, address));
  table('.note.gnu.build-id', () =>
    joined(
      file
        .notes()
        .filter(({ type }) => type === elf.NT_GNU_BUILD_ID)
        .map((note) => encodeNote(note.owner, note.type, note.description)),
    ),
  );
  return seen;
}

const SOURCES = [
  `
    #include <stdio.h>
    #include <stdlib.h>
    int shared_block[8]; __thread int own = 3; static __thread char zeros[40];
    __attribute__((weak)) int maybe(void); extern int elsewhere(int);
    int value(void) { zeros[own] = 1; return printf("%d", elsewhere(maybe ? maybe() : abs(own))) + shared_block[1]; }
    const char *texts[] = { "one", "two", "three" }; void *functions[] = { value, elsewhere, printf, texts };`,
  `
    int shared_block[12]; extern const char *texts[];
    __attribute__((visibility("hidden"))) int helper(int n) { return n * 7; }
    __attribute__((visibility("protected"))) int guarded(int n) { return helper(n) + shared_block[n]; }
    __attribute__((constructor(150))) static void begin(void) { shared_block[0]++; }
    __attribute__((destructor)) static void end(void) { shared_block[0]--; }
    int elsewhere(int n) { return guarded(n) + texts[n % 3][0]; }`,
];

const OBJECTS = [
  ...SOURCES.map((source) => workshop.compile(source, '-fcommon', '-ffunction-sections')),
  workshop.compilePlus(`
    #include <stdexcept>
    #include <string>
    struct Base { virtual ~Base() = default; virtual int get() = 0; }; struct Child : Base { int get() override { return 4; } };
    Base *make() { return new Child; } inline int &count() { static int n; return n; }
    int thrower(int n) { ++count(); if (n > 2) throw std::runtime_error(std::string("many")); return n; }
    int caught() { try { return thrower(5); } catch (const std::exception &e) { return e.what()[0]; } }`),
];
const ARM64_OBJECTS = SOURCES.map((source) => workshop.compileArm64(source, '-fcommon', '-ffunction-sections'));
const LIBRARIES = ['libc.so.6', 'libstdc++.so.6'].map((name) =>
  execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim(),
);

const optionsArbitrary: fc.Arbitrary<Partial<SharedOptions>> = fc.record({
  soname: fc.constantFrom(null, 'libread.so.2'),
  rpath: fc.constantFrom(null, '$ORIGIN/lib'),
  hashStyle: fc.constantFrom('gnu', 'sysv', 'both'),
  symbolic: fc.constantFrom('none', 'functions', 'all'),
  strip: fc.constantFrom('none', 'debug', 'all'),
  discard: fc.constantFrom('none', 'temporary', 'all'),
  gc: fc.boolean(),
  packRelative: fc.boolean(),
  unwindHeader: fc.boolean(),
  now: fc.boolean(),
  relro: fc.boolean(),
  textAddress: fc.constantFrom(null, 0x40_0000),
  maxPageSize: fc.constantFrom(null, 0x1_0000),
  buildId: fc.constantFrom(null, { bytes: Uint8Array.from({ length: 20 }, (_, index) => index * 7) }),
});

/** Links subsets of the objects with all kinds of options; names of all that was compared. */
function readBackAll(objects: readonly string[], libraries: readonly string[], numRuns: number): Set<string> {
  const seen = new Set<string>();
  const inputs = new Map([...objects, ...libraries].map((path) => [path, workshop.input(path)]));
  const property = fc.property(
    fc.subarray([...objects], { minLength: 1 }),
    fc.subarray([...libraries]),
    optionsArbitrary,
    (some, used, options) => {
      const { bytes, errors } = workshop.link(
        [...some, ...used].flatMap((path) => inputs.get(path) ?? []),
        options,
      );
      assert.equal(errors, []);
      for (const name of readBack(bytes as Uint8Array)) seen.add(name);
    },
  );
  fc.assert(property, { numRuns, includeErrorInReport: true });
  return seen;
}

test('what was written is read, and encoded again is the same bytes', () => {
  // Every encoder was asked.
  assert.equal([...readBackAll(OBJECTS, LIBRARIES, 60)].sort(), [
    '.dynamic',
    '.dynsym',
    '.eh_frame_hdr',
    '.gnu.hash',
    '.gnu.version_r',
    '.hash',
    '.note.gnu.build-id',
    '.relr.dyn',
    '.symtab',
    'relocations',
  ]);
});

test('so it is for arm64', () => {
  assert.is(readBackAll(ARM64_OBJECTS, [], 40).size, 9);
});

test("so it is with the standard library's own objects", () => {
  const inputs = ['core', 'alloc', 'std'].map((name) => workshop.input(standardRlib(name), { whole: true }));
  const { bytes, errors } = workshop.link(inputs, { unwindHeader: true, gc: true, packRelative: true });
  assert.equal(errors, []);
  assert.ok(readBack(bytes as Uint8Array).length >= 7);
});

test.after(() => workshop.remove());

test.run();
