// A shared object put together by hand from the encoders, for their tests: one page of tables and code, one of data.
// It exports `answer`, a function that returns 42, and `words`, two addresses of itself that the loader rebases.
import { gnuHash, encodeGnuHash } from '../src/formats/elf/gnu-hash.js';
import { encodeSysvHash, sysvHash } from '../src/formats/elf/sysv-hash.js';
import { encodeRelr } from '../src/formats/elf/relr.js';
import * as elf from '../src/formats/elf/constants.js';
import {
  encodeDynamic,
  encodeLoaderRelocations,
  encodeNeededVersions,
  encodeNote,
} from '../src/formats/elf/encode-dynamic.js';
import { createStringTable, encodeSymbols, symbolRows } from '../src/formats/elf/encode-symbols.js';
import type { ProgramHeader, SectionHeader } from '../src/formats/elf/header.js';
import { linkedHeaderSize, putLinkedHeaders, sectionHeadersSize } from '../src/formats/elf/write-linked.js';
import { ehFrameHeaderSize, encodeEhFrameHeader } from '../src/formats/dwarf/eh-frame-header.js';
import { alignUp } from '../src/bytes/align.js';
import { encodeText } from '../src/bytes/text.js';
import { ByteWriter } from '../src/bytes/writer.js';
import { BINDING_GLOBAL, BINDING_WEAK, KIND_DATA, KIND_FUNCTION, SECTION_UNDEFINED } from '../src/formats/columns.js';

const PAGE = 0x1000;
/** mov eax, 42; ret */
const CODE = Uint8Array.of(0xb8, 42, 0, 0, 0, 0xc3);
const R_X86_64_64 = 1;

/** The build id of the library. */
export const BUILD_ID = Uint8Array.from({ length: 20 }, (_, index) => index + 1);

/** A CIE as gcc's, and the FDE of the code at `code`; for an .eh_frame at `at`. The FDE is at 24. */
function unwind(at: number, code: number): Uint8Array {
  const bytes = new ByteWriter().u32(20).u32(0).u8(1).cstring('zR').uleb(1).sleb(-8).uleb(16).uleb(1).u8(0x1b);
  bytes.raw(Uint8Array.of(0x0c, 7, 8, 0x90, 1, 0, 0)); // def_cfa rsp+8, offset rip at cfa-8, nops
  bytes
    .u32(16)
    .u32(bytes.length)
    .i32(code - (at + bytes.length))
    .u32(CODE.length)
    .uleb(0)
    .fill(3);
  return bytes.u32(0).finish();
}

/** The file's bytes. It needs version GLIBC_2.2.5 of `exit` in libc.so.6. */
export function handmadeLibrary(): Uint8Array<ArrayBuffer> {
  const strings = createStringTable();
  const rows = symbolRows(3);
  const exported = ['answer', 'words'];
  const hash = encodeGnuHash(
    Uint32Array.from(exported, (name) => gnuHash(encodeText(name))),
    2,
  );
  const names = ['exit', ...Array.from(hash.order, (index) => exported[index] as string)];
  const soname = strings.addText('libhand.so.1');
  const needed = strings.addText('libc.so.6');
  const version = strings.addText('GLIBC_2.2.5');
  const packed = strings.addText('GLIBC_ABI_DT_RELR');
  names.forEach((name, row) => (rows.name[row] = strings.addText(name)));
  rows.count = names.length;

  const sections: { header: SectionHeader; bytes: Uint8Array; name: string }[] = [];
  let end = linkedHeaderSize(7);
  const place = (
    name: string,
    facts: Partial<SectionHeader>,
    size: number,
    align = 8,
  ): { at: number; bytes: Uint8Array } => {
    const at = alignUp(end, align);
    end = at + size;
    const bytes = new Uint8Array(size);
    const header = { nameOffset: 0, type: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, address: at, offset: at, size };
    sections.push({ header: { ...header, link: 0, info: 0, align, entrySize: 0, ...facts }, bytes, name });
    return { at, bytes };
  };
  const note = encodeNote('GNU', elf.NT_GNU_BUILD_ID, BUILD_ID);
  const dynsymIndex = 2;
  const dynstrIndex = 3;
  const noteAt = place('.note.gnu.build-id', { type: elf.SHT_NOTE }, note.length, 4);
  const symbolsAt = place(
    '.dynsym',
    { type: elf.SHT_DYNSYM, link: dynstrIndex, info: 1, entrySize: elf.SYM_SIZE },
    4 * elf.SYM_SIZE,
  );
  const stringsAt = place('.dynstr', { type: elf.SHT_STRTAB }, strings.size, 1);
  const hashAt = place('.gnu.hash', { type: elf.SHT_GNU_HASH, link: dynsymIndex }, hash.bytes.length);
  const sysv = encodeSysvHash(Uint32Array.from(['', ...names], (name) => sysvHash(encodeText(name))));
  const sysvAt = place('.hash', { type: elf.SHT_HASH, link: dynsymIndex, entrySize: 4 }, sysv.length);
  const versions = new ByteWriter().u16(0).u16(2).u16(1).u16(1).finish();
  const versionsAt = place('.gnu.version', { type: elf.SHT_GNU_VERSYM, link: dynsymIndex, entrySize: 2 }, 8, 2);
  const needs = encodeNeededVersions([
    {
      fileName: needed,
      versions: [
        { name: 'GLIBC_2.2.5', nameOffset: version, index: 2, weak: false },
        // Without it glibc refuses what has DT_RELR.
        { name: 'GLIBC_ABI_DT_RELR', nameOffset: packed, index: 3, weak: false },
      ],
    },
  ]);
  const needsAt = place('.gnu.version_r', { type: elf.SHT_GNU_VERNEED, link: dynstrIndex, info: 1 }, needs.length);
  const relaAt = place('.rela.dyn', { type: elf.SHT_RELA, link: dynsymIndex, entrySize: 24 }, elf.RELA_SIZE);
  const relrAt = place('.relr.dyn', { type: elf.SHT_RELR, entrySize: 8 }, 16);
  const codeAt = place('.text', { flags: elf.SHF_ALLOC + elf.SHF_EXECINSTR }, CODE.length, 16);
  const headerAt = place('.eh_frame_hdr', {}, ehFrameHeaderSize(1), 4);
  const frameAt = place('.eh_frame', {}, 52);
  const readable = end;
  end = PAGE;
  const dynamicAt = place(
    '.dynamic',
    { type: elf.SHT_DYNAMIC, flags: elf.SHF_ALLOC + elf.SHF_WRITE, link: dynstrIndex, entrySize: elf.DYN_SIZE },
    20 * elf.DYN_SIZE,
  );
  const dataAt = place('.data', { flags: elf.SHF_ALLOC + elf.SHF_WRITE }, 24);
  const loaded = end;

  noteAt.bytes.set(note);
  hashAt.bytes.set(hash.bytes);
  sysvAt.bytes.set(sysv);
  versionsAt.bytes.set(versions);
  needsAt.bytes.set(needs);
  codeAt.bytes.set(CODE);
  stringsAt.bytes.set(strings.finish());
  names.forEach((name, row) => {
    const [kind, section, value, size] =
      name === 'answer'
        ? [KIND_FUNCTION, 10, codeAt.at, CODE.length]
        : name === 'words'
          ? [KIND_DATA, 14, dataAt.at, 24]
          : [KIND_FUNCTION, SECTION_UNDEFINED, 0, 0];
    rows.kind[row] = kind;
    rows.binding[row] = name === 'exit' ? BINDING_WEAK : BINDING_GLOBAL;
    rows.section[row] = section;
    rows.value[row] = value;
    rows.size[row] = size;
  });
  symbolsAt.bytes.set(encodeSymbols(rows).entries);
  const words = new DataView(dataAt.bytes.buffer);
  words.setUint32(0, codeAt.at, true);
  words.setUint32(8, dataAt.at, true);
  relrAt.bytes.set(encodeRelr([dataAt.at, dataAt.at + 8]));
  relaAt.bytes.set(
    encodeLoaderRelocations({
      count: 1,
      offset: Float64Array.of(dataAt.at + 16),
      type: Uint32Array.of(R_X86_64_64),
      symbol: Uint32Array.of(1),
      addend: Float64Array.of(0),
    }),
  );
  const frame = unwind(frameAt.at, codeAt.at);
  frameAt.bytes.set(frame);
  headerAt.bytes.set(
    encodeEhFrameHeader(headerAt.at, frameAt.at, {
      count: 1,
      code: Float64Array.of(codeAt.at),
      fde: Float64Array.of(frameAt.at + 24),
    }),
  );
  dynamicAt.bytes.set(
    encodeDynamic(
      [
        [elf.DT_NEEDED, needed],
        [elf.DT_SONAME, soname],
        [elf.DT_HASH, sysvAt.at],
        [elf.DT_GNU_HASH, hashAt.at],
        [elf.DT_STRTAB, stringsAt.at],
        [elf.DT_STRSZ, strings.size],
        [elf.DT_SYMTAB, symbolsAt.at],
        [elf.DT_SYMENT, elf.SYM_SIZE],
        [elf.DT_RELA, relaAt.at],
        [elf.DT_RELASZ, elf.RELA_SIZE],
        [elf.DT_RELAENT, elf.RELA_SIZE],
        [elf.DT_RELR, relrAt.at],
        [elf.DT_RELRSZ, 16],
        [elf.DT_RELRENT, 8],
        [elf.DT_VERSYM, versionsAt.at],
        [elf.DT_VERNEED, needsAt.at],
        [elf.DT_VERNEEDNUM, 1],
        [elf.DT_FLAGS, elf.DF_BIND_NOW],
        [elf.DT_FLAGS_1, elf.DF_1_NOW],
      ].map(([tag, value]) => ({ tag: tag ?? 0, value: value ?? 0 })),
    ),
  );

  const sectionNames = createStringTable();
  const headers = sections.map(({ header, name }) => ({ ...header, nameOffset: sectionNames.addText(name) }));
  const tableName = sectionNames.addText('.shstrtab');
  const nameBytes = sectionNames.finish();
  const namesAt = loaded;
  const shstrtab = { nameOffset: tableName, type: elf.SHT_STRTAB, flags: 0, address: 0, offset: namesAt };
  headers.push({ ...shstrtab, size: nameBytes.length, link: 0, info: 0, align: 1, entrySize: 0 });
  const sectionsAt = alignUp(namesAt + nameBytes.length, 8);
  const program = (type: number, flags: number, at: number, size: number, align: number): ProgramHeader => ({
    type,
    flags,
    offset: at,
    address: at,
    fileSize: size,
    memorySize: size,
    align,
  });
  const file = new Uint8Array(sectionsAt + sectionHeadersSize(headers.length));
  for (const { header, bytes } of sections) file.set(bytes, header.offset);
  file.set(nameBytes, namesAt);
  putLinkedHeaders(file, {
    osAbi: elf.ELFOSABI_NONE,
    machine: 'x86_64',
    type: elf.ET_DYN,
    entry: 0,
    programs: [
      program(elf.PT_LOAD, elf.PF_R + elf.PF_X, 0, readable, PAGE),
      program(elf.PT_LOAD, elf.PF_R + elf.PF_W, PAGE, loaded - PAGE, PAGE),
      program(elf.PT_DYNAMIC, elf.PF_R + elf.PF_W, dynamicAt.at, dynamicAt.bytes.length, 8),
      program(elf.PT_NOTE, elf.PF_R, noteAt.at, note.length, 4),
      program(elf.PT_GNU_EH_FRAME, elf.PF_R, headerAt.at, headerAt.bytes.length, 4),
      program(elf.PT_GNU_STACK, elf.PF_R + elf.PF_W, 0, 0, 16),
      program(elf.PT_GNU_RELRO, elf.PF_R, PAGE, dynamicAt.bytes.length, 1),
    ],
    sections: headers,
    sectionsAt,
    nameTable: headers.length,
  });
  return file;
}
