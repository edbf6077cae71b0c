// Parts of files laid over each other, a thousand times: refused, in the time and memory that the file's size is worth.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../bytes/writer.js';
import { openArchive } from './archive.js';
import { splitEhFrame } from './dwarf/eh-frame.js';
import * as elf from './elf/constants.js';
import { readElf, type ElfFile } from './elf/read.js';

interface Header {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link?: number;
  readonly info?: number;
}

/** An ELF file of `content` behind its header, with these section or program headers behind that. */
function elfOf(content: Uint8Array, sections: readonly Header[], programs: readonly Header[] = []): Uint8Array {
  const sectionsAt = 64 + content.length;
  const programsAt = sectionsAt + 64 * (sections.length + 1);
  const writer = new ByteWriter(programsAt + 56 * programs.length);
  writer.raw(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0)).u64(0);
  writer
    .u16(programs.length === 0 ? elf.ET_REL : elf.ET_DYN)
    .u16(elf.EM_X86_64)
    .u32(1)
    .u64(0);
  writer.u64(programs.length === 0 ? 0 : programsAt).u64(programs.length === 0 ? sectionsAt : 0);
  writer.u32(0).u16(64).u16(56).u16(programs.length).u16(64);
  writer
    .u16(sections.length + 1)
    .u16(0)
    .raw(content);
  for (const { type, offset, size, link, info } of [{ type: 0, offset: 0, size: 0 } as Header, ...sections]) {
    writer
      .u32(0)
      .u32(type)
      .u64(0)
      .u64(0)
      .u64(offset)
      .u64(size)
      .u32(link ?? 0)
      .u32(info ?? 0)
      .u64(1)
      .u64(0);
  }
  for (const { type, offset, size } of programs) {
    writer.u32(type).u32(4).u64(offset).u64(offset).u64(offset).u64(size).u64(size).u64(4);
  }
  return writer.finish();
}

const many = (count: number, header: Header): Header[] => Array.from({ length: count }, () => header);

/** Refused with IPBP1002 and these words, at once. */
function refused(read: () => unknown, words: RegExp): void {
  const start = performance.now();
  assert.throws(read, (error: Error) => /^IPBP1002/.test(error.message) && words.test(error.message));
  assert.ok(performance.now() - start < 1000);
}

const read = (bytes: Uint8Array): ElfFile => readElf(bytes, 'overlaps.o');
const CONTENT = new Uint8Array(60_000);
const WHOLE = { offset: 64, size: CONTENT.length };

test('note sections over the same bytes: five million notes of 120 KB', () => {
  refused(() => read(elfOf(CONTENT, many(1000, { type: elf.SHT_NOTE, ...WHOLE }))).notes(), /sections overlap/);
});

test('relocation sections of one section over the same bytes', () => {
  const bytes = elfOf(CONTENT, [
    { type: elf.SHT_PROGBITS, offset: 64, size: 8 },
    ...many(1000, { type: elf.SHT_RELA, ...WHOLE, info: 1 }),
  ]);
  refused(() => read(bytes).relocations(1), /sections overlap/);
});

test('note segments over the same bytes', () => {
  const bytes = elfOf(CONTENT, [], many(1000, { type: elf.PT_NOTE, ...WHOLE }));
  refused(() => read(bytes).notes(), /note segments overlap/);
});

test('sections that lie side by side are read, those without bytes do not count', () => {
  const sections = [
    ...Array.from({ length: 600 }, (_, index) => ({ type: elf.SHT_PROGBITS, offset: 64 + 100 * index, size: 100 })),
    ...many(600, { type: elf.SHT_NOBITS, offset: 64, size: 2 ** 40 }),
  ];
  assert.is(read(elfOf(CONTENT, sections)).sections.length, 1201);
});

test('names of symbols that each begin one byte later in one long string', () => {
  const count = 40_000;
  const content = new ByteWriter(25 * count + 2);
  for (let index = 0; index < count; index++) content.u32(index).u8(0x10).u8(0).u16(0).u64(0).u64(0);
  content.u8(0).raw(new Uint8Array(count).fill(0x61)).u8(0);
  const bytes = elfOf(content.finish(), [
    { type: elf.SHT_SYMTAB, offset: 64, size: 24 * count, link: 2 },
    { type: elf.SHT_STRTAB, offset: 64 + 24 * count, size: count + 2 },
  ]);
  refused(() => read(bytes).symbols, /overlap/);
  refused(() => read(bytes).symbolColumns(), /overlap/);
});

test('names of archive members that all end at the end of the table of long names', () => {
  const names = 'a'.repeat(60_000);
  const header = (name: string, size: number): string => `${name.padEnd(48)}${String(size).padEnd(10)}\`\n`;
  const members = Array.from({ length: 1000 }, (_, index) => header(`/${index}`, 0));
  const bytes = new TextEncoder().encode(`!<arch>\n${header('//', names.length)}${names}${members.join('')}`);
  refused(() => openArchive(bytes, 'overlaps.a'), /names of members overlap/);
});

test('needed versions of which every library has the same: the square of the table', () => {
  // A record at every sixteenth byte is a library, whose list of versions begins with the table, and a version.
  const records = 4000;
  const tables = 64;
  const versions = tables + 8 * 16;
  const content = new ByteWriter(versions + 16 * records);
  const dynamic: readonly (readonly [number, number])[] = [
    [elf.DT_STRTAB, tables],
    [elf.DT_STRSZ, 1],
    [elf.DT_VERSYM, tables],
    [elf.DT_VERNEED, versions],
    [elf.DT_VERNEEDNUM, records],
    [elf.DT_NULL, 0],
  ];
  content.raw(new Uint8Array(16));
  for (const [tag, value] of dynamic) content.u64(tag).u64(value);
  content.raw(new Uint8Array(versions - tables - content.length));
  // vn_version 0, vn_cnt 65535, vn_file 0, vn_aux back to none: 0 is the record itself, vn_next 16.
  for (let index = 0; index < records; index++) content.u16(0).u16(0xffff).u32(0).u32(0).u32(16);
  const bytes = elfOf(
    content.finish(),
    [],
    [
      { type: elf.PT_LOAD, offset: 0, size: 64 + content.length },
      { type: elf.PT_DYNAMIC, offset: tables + 16, size: 16 * dynamic.length },
    ],
  );
  refused(() => read(bytes).linked?.versionOf(0), /needed versions overlap/);
});

test('an unwind record that names its personality ten thousand times', () => {
  const augmentation = `z${'P'.repeat(10_000)}`;
  const content = new ByteWriter(30_000).u8(1).cstring(augmentation).u8(1).u8(1).u8(16);
  content.u8(0x80 + (10_000 % 128)).u8(Math.floor(10_000 / 128));
  for (let index = 0; index < 10_000; index++) content.u8(0xff);
  const body = content.finish();
  const section = new ByteWriter(30_000)
    .u32(body.length + 4)
    .u32(0)
    .raw(body)
    .finish();
  const relocations = Array.from({ length: 20_000 }, () => ({ offset: 8, type: 1, symbol: 0, addend: 0 }));
  refused(() => splitEhFrame(section, relocations, 'overlaps.o'), /repeats itself/);
});

test.run();
