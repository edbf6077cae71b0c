// decode(encode(v)) = v for the tables of linked files: whatever stands in their fields, both ends of every range too.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alignUp } from '../../bytes/align.js';
import { LIMITS } from '../../bytes/limits.js';
import { ByteReader } from '../../bytes/reader.js';
import { wholeSource, openWindows } from '../../bytes/source.js';
import * as columns from '../columns.js';
import { readSymbolColumns } from './columns.js';
import * as elf from './constants.js';
import { encodeDynamic, encodeLoaderRelocations, encodeNote, type LoaderRelocations } from './encode-dynamic.js';
import { createStringTable, encodeSymbols, symbolRows } from './encode-symbols.js';
import { readHeaders, type ProgramHeader, type SectionHeader } from './header.js';
import { readNotes } from './notes.js';
import { readElf } from './read.js';
import { linkedHeaderSize, putLinkedHeaders, sectionHeadersSize } from './write-linked.js';

/** Numbers of a field of so many bits, its ends among them; above 53 bits there is none that fits a number. */
function whole(bits: number): fc.Arbitrary<number> {
  const max = 2 ** Math.min(bits, 53) - 1;
  return fc.oneof(
    fc.constantFrom(0, 1, max - 1, max),
    fc.maxSafeNat().map((value) => value % (max + 1)),
  );
}

/** Objects like those that readers make. */
function record<T>(parts: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(parts, { noNullPrototype: true });
}

const UINT16 = whole(16);
const UINT32 = whole(32);
const UINT64 = whole(64);
const INT64 = fc.oneof(
  fc.constantFrom(Number.MIN_SAFE_INTEGER, -1, 0, Number.MAX_SAFE_INTEGER, -0x8000_0000, 0x8000_0000),
  fc.maxSafeInteger(),
);

const symbolArbitrary = record({
  name: fc.constantFrom('', 'a', 'name', 'ähnlich'),
  kind: fc.nat({ max: columns.KIND_IFUNC }),
  binding: fc.nat({ max: columns.SYMBOL_BINDINGS.length - 1 }),
  visibility: fc.nat({ max: columns.SYMBOL_VISIBILITIES.length - 1 }),
  section: fc.oneof(
    fc.constantFrom(columns.SECTION_UNDEFINED, columns.SECTION_ABSOLUTE, columns.SECTION_COMMON),
    fc.constantFrom(1, elf.SHN_LORESERVE - 1, elf.SHN_LORESERVE, elf.SHN_ABS, elf.SHN_XINDEX, 0x1_0000),
    fc.integer({ min: 1, max: LIMITS.sections }),
  ),
  value: UINT64,
  below: INT64,
  size: UINT64,
})
  // Only what is in no section may be below zero.
  .map(({ below, ...one }) => (one.section === columns.SECTION_ABSOLUTE ? { ...one, value: below } : one));

test('symbols are read as they were written, section indexes beyond their field too', () => {
  fc.assert(
    fc.property(fc.array(symbolArbitrary, { maxLength: 40 }), (wanted) => {
      const rows = symbolRows(wanted.length);
      const strings = createStringTable();
      rows.count = wanted.length;
      wanted.forEach((one, row) => {
        rows.name[row] = strings.addText(one.name);
        for (const field of ['kind', 'binding', 'visibility', 'section', 'value', 'size'] as const) {
          rows[field][row] = one[field];
        }
      });
      const { entries, extended } = encodeSymbols(rows);
      const table = readSymbolColumns({
        entries: new ByteReader(entries, 'symbols'),
        strings: new ByteReader(strings.finish(), 'strings'),
        extended: extended === null ? null : new ByteReader(extended, 'indexes'),
        sectionCount: null,
        firstGlobal: 1,
      });
      assert.is(extended === null, !wanted.some(({ section }) => section >= elf.SHN_LORESERVE));
      assert.is(table.count, wanted.length + 1);
      wanted.forEach((one, index) => {
        const row = index + 1;
        assert.equal(
          {
            name: table.nameOf(row),
            kind: table.kind[row],
            binding: table.binding[row],
            visibility: table.visibility[row],
            section: table.section[row],
            value: table.value[row],
            size: table.size[row],
          },
          one,
        );
      });
    }),
    { includeErrorInReport: true },
  );
});

const programArbitrary: fc.Arbitrary<ProgramHeader> = record({
  type: UINT32.filter((type) => type !== elf.PT_NOTE),
  flags: UINT32,
  offset: UINT64,
  address: UINT64,
  fileSize: UINT64,
  memorySize: UINT64,
  align: UINT64,
});

const sectionArbitrary: fc.Arbitrary<SectionHeader> = record({
  nameOffset: UINT32,
  // Those with bytes must have them in the file.
  type: fc.constantFrom(elf.SHT_NOBITS),
  flags: UINT32,
  address: UINT64,
  offset: UINT64,
  size: UINT64,
  link: UINT32,
  info: UINT32,
  align: UINT64,
  entrySize: UINT64,
});

test('headers are read as they were written', () => {
  const property = fc.property(
    fc.array(programArbitrary, { maxLength: 12 }),
    fc.array(sectionArbitrary, { maxLength: 12 }),
    record({
      entry: UINT64,
      osAbi: whole(8),
      machine: fc.constantFrom('x86_64', 'arm64'),
      type: fc.constantFrom(elf.ET_DYN, elf.ET_EXEC),
    }),
    UINT16,
    (programs, sections, facts, nameTable) => {
      const sectionsAt = alignUp(linkedHeaderSize(programs.length), 8);
      const file = new Uint8Array(sectionsAt + sectionHeadersSize(sections.length));
      const headers = { ...facts, programs, sections, nameTable: nameTable % (sections.length + 1) };
      putLinkedHeaders(file, { ...headers, sectionsAt });
      const { table, sections: read, ...rest } = readHeaders(openWindows(wholeSource(file), 'headers'));
      assert.is(table.count, read.length);
      assert.equal({ ...rest, sections: read.slice(1) }, headers);
    },
  );
  fc.assert(property, { includeErrorInReport: true });
});

/** A library of nothing but a dynamic table and the loader's relocations. */
function library(dynamic: Uint8Array, relocations: Uint8Array, symbols: number): Uint8Array {
  const start = linkedHeaderSize(2);
  const symbolsAt = start + dynamic.length;
  const relocationsAt = symbolsAt + symbols * elf.SYM_SIZE;
  const namesAt = relocationsAt + relocations.length;
  const end = namesAt + 8;
  const section = (type: number, offset: number, size: number): SectionHeader => ({
    ...{ nameOffset: 0, type, flags: elf.SHF_ALLOC, address: offset, offset, size },
    ...{ link: 1, info: 0, align: 8, entrySize: 0 },
  });
  const program = (type: number, offset: number, size: number): ProgramHeader => ({
    ...{ type, flags: elf.PF_R, offset, address: offset, fileSize: size, memorySize: size, align: 8 },
  });
  const sections = [
    section(elf.SHT_STRTAB, namesAt, 8),
    section(elf.SHT_DYNSYM, symbolsAt, symbols * elf.SYM_SIZE),
    section(elf.SHT_RELA, relocationsAt, relocations.length),
  ];
  const file = new Uint8Array(end + sectionHeadersSize(sections.length));
  file.set(dynamic, start);
  file.set(relocations, relocationsAt);
  const programs = [program(elf.PT_LOAD, 0, end), program(elf.PT_DYNAMIC, start, dynamic.length)];
  const facts = { osAbi: elf.ELFOSABI_NONE, machine: 'x86_64', type: elf.ET_DYN, entry: 0 } as const;
  putLinkedHeaders(file, { ...facts, programs, sections, sectionsAt: end, nameTable: 1 });
  return file;
}

/** Tags that lead to other tables, which are not there. */
const LEADING = new Set([elf.DT_NULL, elf.DT_SONAME, elf.DT_NEEDED, elf.DT_SYMTAB, elf.DT_STRTAB, elf.DT_STRSZ]);

test('the dynamic table and loader relocations are read as they were written', () => {
  const entries = fc.array(record({ tag: UINT64.filter((tag) => !LEADING.has(tag)), value: UINT64 }));
  const rows = fc.array(record({ offset: UINT64, type: UINT32, symbol: fc.nat({ max: 9 }), addend: INT64 }), {
    maxLength: 40,
  });
  const property = fc.property(entries, rows, (dynamic, wanted) => {
    const table: LoaderRelocations = {
      count: wanted.length,
      offset: Float64Array.from(wanted, ({ offset }) => offset),
      type: Uint32Array.from(wanted, ({ type }) => type),
      symbol: Uint32Array.from(wanted, ({ symbol }) => symbol),
      addend: Float64Array.from(wanted, ({ addend }) => addend),
    };
    // The reader takes its names from the string table, which these leave out.
    const strings = [
      { tag: elf.DT_STRTAB, value: 0 },
      { tag: elf.DT_STRSZ, value: 8 },
    ];
    const written = library(encodeDynamic([...dynamic, ...strings]), encodeLoaderRelocations(table), 10);
    const file = readElf(written, 'library');
    assert.equal(file.dynamic, [...dynamic, ...strings]);
    assert.equal(file.dynamicRelocations(), wanted);
  });
  fc.assert(property, { includeErrorInReport: true });
});

test('notes are read as they were written', () => {
  const note = record({
    owner: fc.constantFrom('', 'GNU', 'stapsdt', 'owner'),
    type: UINT32,
    description: fc.uint8Array({ maxLength: 30 }),
  });
  const property = fc.property(fc.array(note, { maxLength: 5 }), (wanted) => {
    const parts = wanted.map(({ owner, type, description }) => encodeNote(owner, type, description));
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
    assert.equal(readNotes(new ByteReader(bytes, 'notes'), 4), wanted);
  });
  fc.assert(property, { includeErrorInReport: true });
});

test.run();
