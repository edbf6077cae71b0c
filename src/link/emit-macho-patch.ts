// A linked patch as a Mach-O library, signed ad hoc, that dyld opens. The patch's pages lie in it as they do in the patch's
// own space, behind pages of the library's own with its header and with what unwinders read, which have to be in __TEXT.
// Only new thread-locals are the loader's work: words are filled by the process once it is open (docs/protocol.md).
// mach-o/loader.h, mach-o/compact_unwind_encoding.h.
import { alignUp } from '../bytes/align.js';
import { IpbpError, hex } from '../codes/error.js';
import { functionRanges, recordsUpToEnd } from '../formats/dwarf/eh-frame.js';
import { movedEhFrame } from '../formats/dwarf/move-eh-frame.js';
import * as macho from '../formats/macho/constants.js';
import { debugMapRows, type DebugMapFunction } from '../formats/macho/debug-map.js';
import { encodeDyldInfo } from '../formats/macho/encode-dyld-info.js';
import { encodeSymbols, type EncodedSymbols, type SymbolRow } from '../formats/macho/encode-symbols.js';
import {
  encodeUnwindInfo,
  frameRecordEncoding,
  isByFrameRecord,
  type FunctionUnwind,
} from '../formats/macho/encode-unwind-info.js';
import { encodeFunctionStarts } from '../formats/macho/function-starts.js';
import { fileName } from '../formats/macho/names.js';
import {
  linkedHeaderSize,
  pageSizeOf,
  writeLinked,
  type LinkedHeader,
  type LinkedSection,
  type LinkedSegment,
} from '../formats/macho/write-linked.js';
import type { ImageSegment, UnwindEntry } from './linked-image.js';
import { PATCH_SEGMENT_SECTION } from './names.js';
import type { PatchLibrary } from './patch-library.js';

type Content = Omit<PatchLibrary, 'at' | 'size' | 'description'>;
type Machine = LinkedHeader['machine'];

/** By which name dyld and the signature know every patch: it is opened by a path. */
const NAME = 'ipbp-patch.dylib';
const SYSTEM = '/usr/lib/libSystem.B.dylib';
/** What gives threads their copies: dyld binds the first word of every descriptor to it. */
const BOOTSTRAP = '__tlv_bootstrap';
const DESCRIPTOR_SIZE = 24;
/** Where nothing says which system the program is for: the first macOS of both machines. */
const MACOS_11 = { platform: macho.PLATFORM_MACOS, minimum: 0xb_0000, sdk: 0xb_0000 };
const CODE = macho.S_ATTR_PURE_INSTRUCTIONS + macho.S_ATTR_SOME_INSTRUCTIONS;

function machineOf({ machine }: Content): Machine {
  if (machine === 'arm64' || machine === 'x86_64') return machine;
  throw new Error(`internal: no such library for ${machine}`);
}

/** Bytes of the pages that the library has in front of the patch's. */
export function machoPatchFront(content: Content): number {
  const at = content.segments[0]?.address ?? 0;
  // Everywhere the tables have the same size.
  const library = { ...content, at, size: 0, description: new Uint8Array(0) };
  const { end } = frontOf(library, [
    textSegment(0, NO_TABLES),
    ...patchSegments(library, 0),
    descriptionSegment(0, 0, 0),
  ]);
  return alignUp(end, pageSizeOf(machineOf(content)));
}

/** The file's bytes: the same for the same patch. */
export function emitMachoPatch(library: PatchLibrary): Uint8Array<ArrayBuffer> {
  const machine = machineOf(library);
  const page = pageSizeOf(machine);
  const { at, description, threadLocals } = library;
  const textSize = (library.segments[0]?.address ?? at) - at;
  const pages = patchSegments(library, textSize);
  const last = pages.at(-1);
  const filled = last === undefined ? textSize : last.offset + last.fileSize;
  const behind = alignUp(last === undefined ? textSize : last.address + last.memorySize, page);
  const extra = description === null ? [] : [descriptionSegment(behind, filled, description.length)];
  const others = [...pages, ...extra.map((segment) => wholePages(segment, page))];
  const front = frontOf(library, [textSegment(textSize, NO_TABLES), ...others]);
  if (front.end > textSize) throw new Error('internal: the room in front of a library is too small');

  const segments = [textSegment(textSize, front), ...others];
  const body = new Uint8Array(Math.max(...segments.map(({ offset, fileSize }) => offset + fileSize)));
  body.set(front.unwindInfo.bytes, front.unwindInfo.at);
  body.set(front.frames.bytes, front.frames.at);
  library.segments.forEach(({ bytes }, i) => body.set(bytes, (pages[i] as LinkedSegment).offset));
  for (const { offset } of extra) body.set(description ?? [], offset);
  const starts = (threadLocals?.descriptors ?? []).flatMap((range) => {
    // Its last word holds the offset, so there are bytes for all of it.
    if (range.size > body.length) throw new IpbpError('IPBP2004', 'thread-locals of a patch are not in it');
    return Array.from({ length: range.size / DESCRIPTOR_SIZE }, (_, i) => range.at + i * DESCRIPTOR_SIZE - at);
  });
  const { lazyOffsets: _, ...programs } = encodeDyldInfo(body, {
    imports: [{ name: BOOTSTRAP, library: 1, weak: false }],
    rebases: [],
    binds: starts.map((address) => ({ address, symbol: 0, addend: 0 })),
    lazyBinds: [],
    strongDefinitions: [],
    segments,
  });
  const functions = library.functions.map(({ address }) => address - at).sort((a, b) => a - b);
  return writeLinked(body, headerOf(library, segments), {
    fixups: { kind: 'opcodes', ...programs },
    exports: new Uint8Array(0),
    functionStarts: encodeFunctionStarts(functions),
    dataInCode: new Uint8Array(0),
    symbols: symbolsOf(library, segments, front.lengths, starts.length > 0),
    indirect: [],
    identifier: NAME,
  });
}

function headerOf(library: PatchLibrary, segments: readonly LinkedSegment[]): LinkedHeader {
  const flags = macho.MH_NOUNDEFS + macho.MH_DYLDLINK + macho.MH_TWOLEVEL;
  const version = { currentVersion: 0x1_0000, compatibilityVersion: 0x1_0000 };
  return {
    machine: machineOf(library),
    fileType: macho.MH_DYLIB,
    flags: flags + (library.threadLocals === null ? 0 : macho.MH_HAS_TLV_DESCRIPTORS),
    identity: { name: `@rpath/${NAME}`, ...version },
    needed: [{ name: SYSTEM, kind: 'needed', ...version }],
    searchPaths: [],
    build: library.platform ?? MACOS_11,
    segments,
    // Older systems than those that know chains open it, too; there is next to nothing to fix up.
    fixups: 'opcodes',
  };
}

/** What stands in the library's own pages behind the load commands: where, counted from the file's start, and what. */
interface Front {
  readonly unwindInfo: Table;
  readonly frames: Table;
  readonly end: number;
  /** How long functions are, by their address in the patch. */
  readonly lengths: ReadonlyMap<number, number>;
}

interface Table {
  readonly at: number;
  readonly bytes: Uint8Array;
}

const NO_TABLE: Table = { at: 0, bytes: new Uint8Array(0) };
const NO_TABLES: Pick<Front, 'unwindInfo' | 'frames'> = { unwindInfo: NO_TABLE, frames: NO_TABLE };

function frontOf(library: PatchLibrary, segments: readonly LinkedSegment[]): Front {
  const { at, unwind } = library;
  const holder = library.segments.find((segment) => unwind !== null && holds(segment, unwind));
  const records =
    unwind === null || holder === undefined
      ? new Uint8Array(0)
      : recordsUpToEnd(holder.bytes.subarray(unwind - holder.address));
  const entries = library.unwindEntries.length > 0 ? library.unwindEntries : entriesOf(records, unwind ?? 0);
  const unwindInfo: Table = {
    at: alignUp(linkedHeaderSize(headerOf(library, segments)), 8),
    bytes: encodeUnwindInfo(machineOf(library), functionsOf(library, entries)),
  };
  const framesAt = alignUp(unwindInfo.at + unwindInfo.bytes.length, 8);
  // The length of zero that ends them stays: readers of the section stop there.
  const moved = records.length === 0 ? records : movedEhFrame(records, (unwind ?? 0) - at, framesAt, 'patch');
  const bytes = new Uint8Array(moved.length === 0 ? 0 : moved.length + 4);
  bytes.set(moved);
  const lengths = new Map(entries.map(({ start, length }) => [start, length]));
  return { unwindInfo, frames: { at: framesAt, bytes }, end: framesAt + bytes.length, lengths };
}

/** Of code that only has frame records. */
function entriesOf(records: Uint8Array, unwind: number): readonly UnwindEntry[] {
  return functionRanges(records, unwind, 'patch').map(({ offset, start, end }) => {
    const nothing = { encoding: 0, personalityWord: null, lsda: null };
    return { start, length: end - start, ...nothing, frameRecord: unwind + offset };
  });
}

function functionsOf(library: PatchLibrary, entries: readonly UnwindEntry[]): readonly FunctionUnwind[] {
  const machine = machineOf(library);
  const inFile = (address: number | null): number | null => (address === null ? null : placeIn(library, address));
  return entries.flatMap(({ start, length, encoding, personalityWord, lsda, frameRecord }) => {
    const compact = encoding !== 0 && !isByFrameRecord(machine, encoding);
    if (!compact && frameRecord === null) return [];
    placeIn(library, start + Math.max(length, 1) - 1);
    const record = Math.max((frameRecord ?? 0) - (library.unwind ?? 0), 0);
    return {
      ...{ start: placeIn(library, start), length, personality: inFile(personalityWord), lsda: inFile(lsda) },
      encoding: compact ? encoding : frameRecordEncoding(machine, record),
    };
  });
}

/** An address of the patch as one of the file: what a patch file says need not be so. */
function placeIn({ at, segments }: PatchLibrary, address: number): number {
  if (segments.some((segment) => holds(segment, address))) return address - at;
  throw new IpbpError('IPBP2004', 'a table of a patch refers to what is not in it', { actual: hex(address) });
}

function holds({ address, size }: ImageSegment, at: number): boolean {
  return at >= address && at < address + size;
}

function section(segment: string, name: string, place: Place, facts: Partial<LinkedSection> = {}): LinkedSection {
  return { segment, name, ...place, align: 8, flags: 0, indirect: 0, stubSize: 0, ...facts };
}

interface Place {
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

/** The library's own pages, with the tables that unwinders look for. */
function textSegment(size: number, tables: Pick<Front, 'unwindInfo' | 'frames'>): LinkedSegment {
  const table = (name: string, { at, bytes }: Table): LinkedSection =>
    section('__TEXT', name, { address: at, offset: at, size: bytes.length });
  // As long as they are to be made, both count.
  const all = [table('__unwind_info', tables.unwindInfo), table('__eh_frame', tables.frames)];
  const sections = tables === NO_TABLES ? all : all.filter((one) => one.size > 0);
  const place = { address: 0, offset: 0, memorySize: size, fileSize: size };
  return { name: '__TEXT', ...place, protection: 'rx', readOnlyLater: false, sections };
}

/** What is kept for whoever reads the file. It is behind all that is the patch's: nobody reads it in memory. */
function descriptionSegment(address: number, offset: number, size: number): LinkedSegment {
  const [name, called] = PATCH_SEGMENT_SECTION;
  const sections = [section(name, called, { address, offset, size }, { align: 1 })];
  return { name, address, offset, memorySize: size, fileSize: size, protection: 'r', readOnlyLater: false, sections };
}

function wholePages(segment: LinkedSegment, page: number): LinkedSegment {
  const { memorySize, fileSize } = segment;
  return { ...segment, memorySize: alignUp(memorySize, page), fileSize: alignUp(fileSize, page) };
}

/** The patch's pages, one segment each. `offset` is where the first lies in the file. */
function patchSegments(library: PatchLibrary, offset: number): readonly LinkedSegment[] {
  const page = pageSizeOf(machineOf(library));
  let next = offset;
  return library.segments.map((segment) => {
    const place = { address: segment.address - library.at, offset: next };
    const fileSize = alignUp(segment.bytes.length, page);
    next += fileSize;
    const { name, protection } = rightsOf(segment, library);
    const sections = sectionsOf(name, segment, place, library);
    return { name, ...place, memorySize: segment.size, fileSize, protection, readOnlyLater: false, sections };
  });
}

/** Constants that hold words are data until the process has filled them, and stay it: there is no sign for dyld when. */
function rightsOf(segment: ImageSegment, { words }: PatchLibrary): Pick<LinkedSegment, 'name' | 'protection'> {
  const filled = words.some((word) => holds(segment, word));
  switch (segment.protection) {
    case 'r':
      return filled ? { name: '__DATA_CONST', protection: 'rw' } : { name: '__CONST', protection: 'r' };
    case 'rw':
      return { name: '__DATA', protection: 'rw' };
    case 'rx':
      if (filled) throw new IpbpError('IPBP2004', 'code of a library cannot have words that the process fills');
      return { name: '__TEXT_EXEC', protection: 'rx' };
  }
}

function sectionsOf(
  name: string,
  { address, size, bytes, protection }: ImageSegment,
  place: { readonly address: number; readonly offset: number },
  { threadLocals }: PatchLibrary,
): readonly LinkedSection[] {
  const part = (called: string, from: number, to: number, facts: Partial<LinkedSection> = {}): LinkedSection =>
    section(name, called, { address: place.address + from, offset: place.offset + from, size: to - from }, facts);
  if (protection === 'rx') return [part('__text', 0, bytes.length, { align: 16, flags: CODE })];
  if (protection === 'r') return bytes.length === 0 ? [] : [part('__const', 0, bytes.length, { align: 16 })];
  const own = [
    ...(threadLocals?.descriptors ?? []).map((range) => ({
      range,
      name: '__thread_vars',
      flags: macho.S_THREAD_LOCAL_VARIABLES,
    })),
    { range: threadLocals?.template, name: '__thread_data', flags: macho.S_THREAD_LOCAL_REGULAR },
    { range: threadLocals?.zero, name: '__thread_bss', flags: macho.S_THREAD_LOCAL_ZEROFILL },
  ].flatMap(({ range, ...one }) =>
    range == null || range.size === 0 ? [] : { ...one, from: range.at - address, to: range.at - address + range.size },
  );
  own.sort((a, b) => a.from - b.from);
  const sections: LinkedSection[] = [];
  let end = 0;
  // What lies between is data, as far as there is content, and zeros behind that.
  const fill = (to: number): void => {
    const content = Math.min(to, bytes.length);
    if (content > end) sections.push(part('__data', end, content, { align: alignOf(place.address + end) }));
    const zeros = Math.max(end, content);
    if (to > zeros)
      sections.push(
        part('__bss', zeros, to, { offset: 0, align: alignOf(place.address + zeros), flags: macho.S_ZEROFILL }),
      );
    end = to;
  };
  for (const { from, to, name: called, flags } of own) {
    fill(from);
    const zero = flags === macho.S_THREAD_LOCAL_ZEROFILL ? { offset: 0 } : {};
    sections.push(part(called, from, to, { ...zero, flags, align: alignOf(place.address + from) }));
    end = to;
  }
  fill(size);
  return sections;
}

/** What an address is aligned to, up to what vectors want. */
function alignOf(address: number): number {
  let align = 1;
  while (align < 64 && address % (align * 2) === 0) align *= 2;
  return align;
}

/** Names of functions, for backtraces, with what leads to their objects' debug information. */
function symbolsOf(
  library: PatchLibrary,
  segments: readonly LinkedSegment[],
  lengths: ReadonlyMap<number, number>,
  bootstrap: boolean,
): EncodedSymbols {
  const sections = segments.flatMap((segment) => segment.sections);
  /** Its number and where the address is in the file; nothing for what is in none. */
  const placesOf = (address: number): { readonly section: number; readonly value: number }[] => {
    const value = address - library.at;
    const number = 1 + sections.findIndex((one) => value >= one.address && value < one.address + one.size);
    return number === 0 ? [] : [{ section: number, value }];
  };
  const known = new Set<string>();
  const functions = library.functions.toSorted((a, b) => a.address - b.address || (a.name < b.name ? -1 : 1));
  const locals = functions.flatMap(({ name, address }): SymbolRow[] => {
    if (known.has(`${address} ${name}`)) return [];
    known.add(`${address} ${name}`);
    return placesOf(address).map((place) => ({ name: fileName(name), type: macho.N_SECT, description: 0, ...place }));
  });
  const map = library.sources.map(({ object, functions: inside }) => {
    const described = inside.flatMap(({ name, address }): DebugMapFunction[] =>
      placesOf(address).map(({ section: number, value }) => {
        return { name: fileName(name), address: value, size: lengths.get(address) ?? 0, section: number };
      }),
    );
    return { source: object, object, modified: 0, functions: described, data: [] };
  });
  // N_UNDF of the first library, in which dyld looks for it.
  const missing = { name: BOOTSTRAP, type: macho.N_UNDF + macho.N_EXT, section: 0, description: 0x100, value: 0 };
  const undefinedRows = bootstrap ? [missing] : [];
  return encodeSymbols({ locals: [...debugMapRows(map), ...locals], defined: [], undefined: undefinedRows });
}
