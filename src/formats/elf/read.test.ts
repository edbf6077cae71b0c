import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inputs from '../../../tests/format-inputs.js';
import * as readelf from '../../../tests/readelf.js';
import { IpbpError } from '../../codes/error.js';
import { functionRanges, splitEhFrame } from '../dwarf/eh-frame.js';
import type { ObjectSymbol } from '../object-file.js';
import { readElf } from './read.js';
import type { ElfFile } from './read.js';

const TYPES: Record<string, string> = {
  FUNC: 'function',
  OBJECT: 'data',
  COMMON: 'data',
  TLS: 'tls',
  SECTION: 'section',
  FILE: 'file',
  IFUNC: 'ifunc',
  NOTYPE: 'none',
};
const SPECIAL: Record<string, string> = { UND: 'undefined', ABS: 'absolute', COM: 'common' };

const open = (path: string): ElfFile => readElf(inputs.bytesOf(path), path);

function symbolFacts(symbol: ObjectSymbol): unknown[] {
  const name = symbol.kind === 'section' ? '' : symbol.name.trimEnd();
  const { value, size, kind, binding, visibility, section } = symbol;
  return [value, size, kind, binding, visibility, String(section), name];
}

function readelfFacts(symbol: readelf.ReadelfSymbol): unknown[] {
  const kind = TYPES[symbol.type];
  return [
    symbol.value,
    symbol.size,
    kind,
    symbol.binding.toLowerCase(),
    symbol.visibility.toLowerCase(),
    SPECIAL[symbol.section] ?? symbol.section,
    kind === 'section' ? '' : symbol.name.trimEnd(),
  ];
}

/** Compares everything that readelf prints; returns how much there was, so that no test compares nothing. */
function compare(path: string): { symbols: number; relocations: number; frames: number; sections: number } {
  const file = open(path);
  const sections = readelf.readelfSections(path);
  assert.is(file.sections.length, sections.length);
  sections.forEach((want, index) => {
    const section = file.sections[index];
    assert.ok(section);
    assert.equal(
      [section.name, section.address, section.offset, section.size, section.entrySize, section.align],
      [want.name, want.address, want.offset, want.size, want.entrySize, Math.max(1, want.align)],
    );
    // Where the file's OS/ABI field is not set, readelf calls SHF_GNU_RETAIN an unknown flag of the system.
    const flags = want.flags.replace('o', 'R');
    for (const [letter, flag] of [
      ['A', section.alloc],
      ['W', section.writable],
      ['X', section.executable],
      ['M', section.mergeable],
      ['S', section.strings],
      ['R', section.retain],
    ] as const) {
      assert.is(flag, flags.includes(letter), `${section.name} ${letter}`);
    }
    assert.is(section.kind.startsWith('tls'), want.flags.includes('T'), section.name);
    assert.is(section.group !== null, want.flags.includes('G'), section.name);
    assert.is(file.sectionBytes(index).length, want.type === 'NOBITS' || want.type === 'NULL' ? 0 : want.size);
  });

  const symbols = readelf.readelfSymbols(path);
  assert.equal(file.symbols.map(symbolFacts), symbols.map(readelfFacts));

  const relocations = compareRelocations(file, path);
  return { symbols: symbols.length, relocations, frames: compareFrames(file, path), sections: sections.length };
}

function compareRelocations(file: ElfFile, path: string): number {
  const wanted = new Map<number, readelf.ReadelfRelocation[]>();
  const loader: readelf.ReadelfRelocation[] = [];
  let count = 0;
  for (const { offset, entries } of readelf.readelfRelocations(path)) {
    const header = file.headers.sections.find((section) => section.offset === offset && section.size > 0);
    assert.ok(header);
    const isLoaders = file.linked !== null && header.flags % 4 >= 2; // SHF_ALLOC
    if (isLoaders) loader.push(...entries);
    else wanted.set(header.info, [...(wanted.get(header.info) ?? []), ...entries]);
    count += entries.length;
  }
  for (const { index, name } of file.sections) {
    const want = (wanted.get(index) ?? []).sort((a, b) => a.offset - b.offset);
    assert.equal(file.relocations(index), want, name);
  }
  assert.equal(file.dynamicRelocations(), loader);
  return count;
}

function compareFrames(file: ElfFile, path: string): number {
  const want = readelf.readelfFrames(path);
  const unwind = file.sections.filter((section) => section.kind === 'unwind');
  let at = 0;
  for (const section of unwind) {
    const bytes = file.sectionBytes(section.index);
    const relocations = file.linked === null ? file.relocations(section.index) : [];
    const { cies, fdes } = splitEhFrame(bytes, relocations, path);
    const records = [...cies.map((cie) => [cie.offset, null]), ...fdes.map((fde) => [fde.offset, fde.pcRange])];
    records.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
    const part = want.slice(at, (at += records.length));
    assert.equal(
      records,
      part.map(({ offset, range }) => [offset, range === null ? null : range.end - range.start]),
    );
    const inside = [...cies, ...fdes].flatMap((record) => record.relocations);
    assert.is(inside.length, relocations.length);
    if (file.linked !== null) {
      const ranges = part.map(({ range }) => range).filter((range) => range !== null && range.end > range.start);
      const starts = ranges.map((range) => range?.start ?? 0).sort((a, b) => a - b);
      assert.equal(
        functionRanges(bytes, section.address, path).map(({ start }) => start),
        starts,
      );
    }
  }
  assert.is(at, want.length);
  return want.length;
}

function compareLinked(path: string): void {
  const { linked, dynamic } = open(path);
  assert.ok(linked);
  const want = readelf.readelfDynamic(path).filter(({ tag }) => tag !== 0);
  assert.equal(
    dynamic.map(({ tag }) => tag),
    want.map(({ tag }) => tag),
  );
  const bracketed = (tag: number): string[] =>
    want.filter((entry) => entry.tag === tag).map(({ text }) => /\[(.*)\]/.exec(text)?.[1] ?? '');
  assert.equal(linked.needed, bracketed(1));
  assert.is(linked.soname, bracketed(14)[0] ?? null);
  assert.is(linked.buildId === null ? null : Buffer.from(linked.buildId).toString('hex'), readelf.readelfBuildId(path));
  assert.equal(linked.dynamicSymbols.map(symbolFacts), readelf.readelfDynamicSymbols(path).map(readelfFacts));
  const segments = readelf.readelfSegments(path);
  assert.equal(
    linked.segments.map((s) => [s.offset, s.address, s.fileSize, s.memorySize, s.align]),
    segments.filter(({ type }) => type === 'LOAD').map(({ numbers }) => numbers),
  );
  assert.equal(
    linked.segments.map((s) => `${s.readable ? 'R' : ' '}${s.writable ? 'W' : ' '}${s.executable ? 'E' : ' '}`),
    segments.filter(({ type }) => type === 'LOAD').map(({ flags }) => flags),
  );
  const tls = segments.find(({ type }) => type === 'TLS')?.numbers;
  assert.equal(
    linked.tls && [linked.tls.address, linked.tls.fileSize, linked.tls.memorySize, linked.tls.align],
    tls === undefined ? null : tls.slice(1),
  );
}

test('objects of an unoptimised rlib read as readelf reads them', () => {
  const objects = inputs.unpacked(inputs.debugRlib()).filter((path) => path.endsWith('.o'));
  assert.ok(objects.length >= 4);
  let relocations = 0;
  for (const path of objects) relocations += compare(path).relocations;
  assert.ok(relocations > 500);
});

test('an optimised object reads as readelf reads it', () => {
  const seen = compare(inputs.releaseObject());
  assert.ok(seen.symbols > 50 && seen.relocations > 100 && seen.frames > 5);
});

test('the object of libstd reads as readelf reads it', () => {
  const path = inputs.unpacked(inputs.standardRlib('std')).find((member) => member.endsWith('.o'));
  assert.ok(path);
  const seen = compare(path);
  assert.ok(seen.symbols > 3000 && seen.relocations > 50_000 && seen.frames > 1000);
});

test('a program reads as readelf reads it', () => {
  const path = inputs.rustProgram();
  const seen = compare(path);
  assert.ok(seen.symbols > 1000 && seen.frames > 500);
  compareLinked(path);
  const file = open(path);
  assert.is(file.kind, 'executable');
  assert.is(file.linked?.positionIndependent, true);
});

test('the C library reads as readelf reads it, and is no program although it has an interpreter', () => {
  const path = inputs.cLibrary();
  const seen = compare(path);
  assert.ok(seen.relocations > 100 && seen.frames > 1000);
  compareLinked(path);
  assert.is(open(path).kind, 'shared');
});

test('objects of gcc and of the assembler read as readelf reads them', () => {
  assert.ok(compare(inputs.cObject()).relocations > 20);
  assert.ok(compare(inputs.assemblyObject()).frames >= 3);
});

test('an AArch64 object reads as readelf reads it', () => {
  const path = inputs.arm64Object();
  const seen = compare(path);
  assert.ok(seen.relocations >= 3 && seen.frames >= 2);
  assert.is(open(path).machine, 'arm64');
});

test('sections have the kind of their content', () => {
  const kinds = (path: string): Map<string, string> =>
    new Map(open(path).sections.map(({ name, kind }) => [name, kind]));
  const c = kinds(inputs.cObject());
  for (const [name, kind] of [
    ['.text', 'code'],
    ['.data', 'data'],
    ['.bss', 'zero'],
    ['.tdata', 'tls-data'],
    ['.tbss', 'tls-zero'],
    ['.init_array', 'init'],
    ['.eh_frame', 'unwind'],
    ['.debug_info', 'debug'],
    ['.rodata.str1.1', 'readonly'],
    ['.comment', 'other'],
    ['.symtab', 'other'],
    ['.note.GNU-stack', 'note'],
  ]) {
    assert.is(c.get(name ?? ''), kind, name);
  }
  const assembly = kinds(inputs.assemblyObject());
  assert.is(assembly.get('.ctors.65500'), 'init');
  assert.is(assembly.get('.data.rel.ro.local'), 'relro');
  const release = open(inputs.releaseObject()).sections;
  assert.ok(release.some(({ kind, name }) => kind === 'lsda' && name.startsWith('.gcc_except_table.')));
});

test('COMDAT groups, retained sections and odd symbols', () => {
  const file = open(inputs.assemblyObject());
  const section = (name: string) => file.sections.find((candidate) => candidate.name === name);
  assert.is(section('.text.once')?.group, 'signature');
  assert.is(section('.rodata.once')?.group, 'signature');
  assert.is(section('.kept')?.retain, true);
  assert.is(section('.text')?.group, null);
  const symbol = (name: string) => file.symbols.find((candidate) => candidate.name === name);
  assert.is(symbol('absolute')?.section, 'absolute');
  assert.is(symbol('absolute')?.value, 0x1234);
  assert.is(symbol('shared')?.section, 'common');
  assert.is(symbol('guarded')?.kind, 'ifunc');
  assert.is(symbol('guarded')?.visibility, 'protected');
  assert.is(symbol('undefined')?.section, 'undefined');
});

test('more sections than sixteen bits can count', () => {
  const file = open(inputs.manySectionsObject());
  assert.ok(file.sections.length > 66_000);
  const named = (name: string) => file.symbols.find((symbol) => symbol.name === name);
  const sectionOf = (name: string) => file.sections[Number(named(name)?.section)];
  assert.is(sectionOf('last')?.name, '.last');
  assert.is(sectionOf('first')?.name, '.t.0');
  assert.is(file.relocations(sectionOf('last')?.index ?? 0)[0]?.symbol, named('last')?.index);
});

test('notes of unlike padding in one segment', () => compareLinked(inputs.moldProgram()));

test('an object cut anywhere is refused: its section headers stand at the end', () => {
  for (const path of [inputs.cObject(), inputs.assemblyObject()]) {
    const bytes = inputs.bytesOf(path);
    const cut = (error: unknown): boolean => error instanceof IpbpError && /^IPBP100[123]$/.test(error.code);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        assert.throws(() => readElf(bytes.slice(0, length), 'cut.o'), cut);
      }),
      { numRuns: 200 },
    );
  }
});

test('a linked file without section headers still has its dynamic symbols', () => {
  const whole = open(inputs.cLibrary());
  const bytes = whole.bytes.slice();
  bytes.fill(0, 40, 48); // e_shoff
  bytes.fill(0, 60, 64); // e_shnum, e_shstrndx
  const bare = readElf(bytes, 'bare.so');
  assert.is(bare.sections.length, 0);
  assert.equal(bare.linked?.dynamicSymbols.map(symbolFacts), whole.linked?.dynamicSymbols.map(symbolFacts));
  assert.equal(bare.linked?.buildId, whole.linked?.buildId);
});

test.run();
