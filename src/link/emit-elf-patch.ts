// A linked patch as an ELF shared object that any loader opens. The patch's pages come first in memory, so that they lie
// in it as they do in the patch's own space; what only the loader, unwinders and debuggers read lies behind them. There are
// no relocations and no needed libraries: words are filled by the process once it is open (docs/protocol.md).
// gABI chapters 4 and 5; LSB Core 5.0 §10.6.
import { alignUp } from '../bytes/align.js';
import { encodeText } from '../bytes/text.js';
import { BINDING_GLOBAL, KIND_FUNCTION } from '../formats/columns.js';
import { encodeEhFrameHeader } from '../formats/dwarf/eh-frame-header.js';
import { functionRanges, recordsUpToEnd, type FunctionRange } from '../formats/dwarf/eh-frame.js';
import * as elf from '../formats/elf/constants.js';
import { encodeDynamic } from '../formats/elf/encode-dynamic.js';
import { createStringTable, encodeSymbols, symbolRows } from '../formats/elf/encode-symbols.js';
import { encodeGnuHash, gnuHash } from '../formats/elf/gnu-hash.js';
import type { ProgramHeader, SectionHeader } from '../formats/elf/header.js';
import { linkedHeaderSize, putLinkedHeaders, sectionHeadersSize } from '../formats/elf/write-linked.js';
import type { MachineName } from '../formats/object-file.js';
import type { ImageSegment } from './linked-image.js';
import { PATCH_SECTION } from './names.js';
import type { PatchLibrary } from './patch-library.js';

const PAGE = 4096;

/** A section of the file, with the bytes it has there. */
interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly header: Omit<SectionHeader, 'nameOffset'>;
}

type Facts = Partial<Omit<SectionHeader, 'nameOffset' | 'address' | 'offset' | 'size'>>;

/** Where things are put, in the file and in memory. */
interface Place {
  readonly offset: number;
  readonly address: number;
}

function partAt({ offset, address }: Place, name: string, facts: Facts, bytes: Uint8Array): Part {
  const usual = { type: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, link: 0, info: 0, align: 1, entrySize: 0 };
  return { name, bytes, header: { ...usual, ...facts, offset, address, size: bytes.length } };
}

function behind(part: Part, align: number): Place {
  const { offset, address } = part.header;
  return { offset: alignUp(offset + part.bytes.length, align), address: alignUp(address + part.bytes.length, align) };
}

const READ = { section: elf.SHF_ALLOC, segment: elf.PF_R };
const WRITE = { section: elf.SHF_ALLOC + elf.SHF_WRITE, segment: elf.PF_R + elf.PF_W };
const RIGHTS = {
  r: READ,
  rx: { section: elf.SHF_ALLOC + elf.SHF_EXECINSTR, segment: elf.PF_R + elf.PF_X },
  rw: WRITE,
} as const;
const SECTION_NAMES = { r: '.rodata', rx: '.text', rw: '.data' } as const;

/** The file's bytes: the same for the same patch. */
export function emitElfPatch(library: PatchLibrary): Uint8Array<ArrayBuffer> {
  const { at, size, segments, unwind, description } = library;
  const ranges = rangesOf(library);
  const pageSections = segments.flatMap((segment) => sectionsOf(segment, library));
  const textIndex = 1 + pageSections.findIndex(({ name }) => name === SECTION_NAMES.rx);
  const symbols = symbolsOf(library, ranges, textIndex);

  // In the file the tables come first, with the headers; in memory last.
  const programCount = segments.length + 4 + (unwind === null ? 0 : 1);
  const headers = linkedHeaderSize(programCount);
  const stringsIndex = pageSections.length + 1;
  const strings = partAt(
    { offset: headers, address: size + headers },
    '.dynstr',
    { type: elf.SHT_STRTAB },
    symbols.strings,
  );
  const tables: Part[] = [strings];
  const add = (name: string, facts: Facts, bytes: (address: number) => Uint8Array): Part => {
    const place = behind(tables.at(-1) ?? strings, 8);
    const part = partAt(place, name, { align: 8, ...facts }, bytes(place.address));
    tables.push(part);
    return part;
  };
  const dynsymFacts = { type: elf.SHT_DYNSYM, link: stringsIndex, info: 1, entrySize: elf.SYM_SIZE };
  const dynsym = add('.dynsym', dynsymFacts, () => symbols.entries);
  const hash = add('.gnu.hash', { type: elf.SHT_GNU_HASH, link: stringsIndex + 1 }, () => symbols.hash);
  const unwindHeader =
    unwind === null
      ? null
      : add('.eh_frame_hdr', {}, (address) =>
          encodeEhFrameHeader(address, unwind - at, {
            count: ranges.length,
            code: Float64Array.from(ranges, ({ start }) => start - at),
            fde: Float64Array.from(ranges, ({ offset }) => unwind + offset - at),
          }),
        );
  const dynamicBytes = encodeDynamic([
    { tag: elf.DT_GNU_HASH, value: hash.header.address },
    { tag: elf.DT_STRTAB, value: strings.header.address },
    { tag: elf.DT_STRSZ, value: symbols.strings.length },
    { tag: elf.DT_SYMTAB, value: dynsym.header.address },
    { tag: elf.DT_SYMENT, value: elf.SYM_SIZE },
  ]);
  const dynamicFacts = {
    type: elf.SHT_DYNAMIC,
    flags: WRITE.section,
    link: stringsIndex,
    align: 8,
    entrySize: elf.DYN_SIZE,
  };
  const tablesEnd = behind(tables.at(-1) ?? strings, 1);
  const dynamic = partAt(behind(tables.at(-1) ?? strings, PAGE), '.dynamic', dynamicFacts, dynamicBytes);

  let offset = behind(dynamic, PAGE).offset;
  const pages: Part[] = [];
  const programs: ProgramHeader[] = [];
  for (const segment of segments) {
    const start = { offset, address: segment.address - at };
    programs.push(loading(rightsOf(segment, library).segment, start, segment.bytes.length, segment.size));
    for (const section of pageSections.filter((one) => one.segment === segment)) {
      const place = { offset: offset + section.from, address: start.address + section.from };
      const part = partAt(place, section.name, section.facts, section.bytes);
      pages.push({ ...part, header: { ...part.header, size: section.size } });
    }
    offset = alignUp(offset + segment.bytes.length, PAGE);
  }
  programs.push(loading(READ.segment, { offset: 0, address: size }, tablesEnd.offset, tablesEnd.offset));
  programs.push(loading(WRITE.segment, dynamic.header, dynamicBytes.length, dynamicBytes.length));
  programs.push(pointing(elf.PT_DYNAMIC, WRITE.segment, dynamic));
  if (unwindHeader !== null) programs.push(pointing(elf.PT_GNU_EH_FRAME, READ.segment, unwindHeader));
  const nothing = { offset: 0, address: 0, fileSize: 0, memorySize: 0, align: 16 };
  programs.push({ type: elf.PT_GNU_STACK, flags: WRITE.segment, ...nothing });

  const parts = [...pages, ...tables, dynamic];
  if (description !== null) parts.push(partAt({ offset, address: 0 }, PATCH_SECTION, { flags: 0 }, description));
  return fileOf(library.machine, programs, parts, offset + (description?.length ?? 0));
}

function loading(flags: number, { offset, address }: Place, fileSize: number, memorySize: number): ProgramHeader {
  return { type: elf.PT_LOAD, flags, offset, address, fileSize, memorySize, align: PAGE };
}

function pointing(type: number, flags: number, { header, bytes }: Part): ProgramHeader {
  const { offset, address, align } = header;
  return { type, flags, offset, address, fileSize: bytes.length, memorySize: bytes.length, align };
}

function holds({ address, size }: ImageSegment, at: number): boolean {
  return at >= address && at < address + size;
}

/** Data that holds words is the loader's to map writable; code is written by the process in another way. */
function rightsOf(segment: ImageSegment, { words }: PatchLibrary): typeof READ {
  const filled = segment.protection === 'r' && words.some((word) => holds(segment, word));
  return filled ? WRITE : RIGHTS[segment.protection];
}

/** A stretch of a segment that is a section of its own. */
interface PageSection {
  readonly segment: ImageSegment;
  readonly name: string;
  readonly facts: Facts;
  readonly from: number;
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** The block of frame records is a section, as debuggers look for it; zero-filled ends of data are another. */
function sectionsOf(segment: ImageSegment, library: PatchLibrary): readonly PageSection[] {
  const { bytes, protection } = segment;
  const { unwind } = library;
  const flags = rightsOf(segment, library).section;
  const end = unwind !== null && holds(segment, unwind) ? unwind - segment.address : bytes.length;
  const name = protection === 'r' && flags === WRITE.section ? '.data.rel.ro' : SECTION_NAMES[protection];
  const section = (called: string, facts: Facts, from: number, to: number, size = to - from): PageSection => {
    return { segment, name: called, facts: { align: 16, ...facts }, from, bytes: bytes.subarray(from, to), size };
  };
  const sections = end > 0 ? [section(name, { flags }, 0, end)] : [];
  if (end < bytes.length) sections.push(section('.eh_frame', { align: 8, flags }, end, bytes.length));
  const zeros = segment.size - bytes.length;
  if (protection === 'rw' && zeros > 0) {
    sections.push(section('.bss', { type: elf.SHT_NOBITS, flags }, bytes.length, bytes.length, zeros));
  }
  return sections;
}

/** Code that frame records describe. */
function rangesOf({ segments, unwind }: PatchLibrary): readonly FunctionRange[] {
  const segment = segments.find((one) => unwind !== null && holds(one, unwind));
  if (unwind === null || segment === undefined) return [];
  return functionRanges(recordsUpToEnd(segment.bytes.subarray(unwind - segment.address)), unwind, 'patch');
}

/** .dynsym, its hash table and its names. A function's size is what its frame record says. */
function symbolsOf(
  { functions, at }: PatchLibrary,
  ranges: readonly FunctionRange[],
  section: number,
): { readonly entries: Uint8Array; readonly hash: Uint8Array; readonly strings: Uint8Array } {
  const sizes = new Map(ranges.map(({ start, end }) => [start, end - start]));
  const hashes = Uint32Array.from(functions, ({ name }) => gnuHash(encodeText(name)));
  const { bytes: hash, order } = encodeGnuHash(hashes, 1);
  const strings = createStringTable();
  const rows = symbolRows(functions.length);
  order.forEach((index, row) => {
    const { name, address } = functions[index] ?? { name: '', address: at };
    rows.name[row] = strings.addText(name);
    rows.kind[row] = KIND_FUNCTION;
    rows.binding[row] = BINDING_GLOBAL;
    rows.section[row] = section;
    rows.value[row] = address - at;
    rows.size[row] = sizes.get(address) ?? 0;
  });
  rows.count = functions.length;
  return { entries: encodeSymbols(rows).entries, hash, strings: strings.finish() };
}

function fileOf(
  machine: MachineName,
  programs: readonly ProgramHeader[],
  parts: readonly Part[],
  end: number,
): Uint8Array<ArrayBuffer> {
  const names = createStringTable();
  const sections = parts.map(({ name, header }) => ({ ...header, nameOffset: names.addText(name) }));
  const nameOffset = names.addText('.shstrtab');
  const nameBytes = names.finish();
  const table = partAt({ offset: end, address: 0 }, '.shstrtab', { type: elf.SHT_STRTAB, flags: 0 }, nameBytes);
  const all = [...sections, { ...table.header, nameOffset }];
  const sectionsAt = alignUp(end + nameBytes.length, 8);
  const file = new Uint8Array(sectionsAt + sectionHeadersSize(all.length));
  for (const { header, bytes } of [...parts, table]) file.set(bytes, header.offset);
  const entries = { programs, sections: all, sectionsAt, nameTable: all.length };
  putLinkedHeaders(file, { osAbi: elf.ELFOSABI_NONE, machine, type: elf.ET_DYN, entry: 0, ...entries });
  return file;
}
