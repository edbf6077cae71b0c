// The segments and sections of a patch that is a Mach-O library: the patch's pages, one segment each, and what of the file
// is not the patch's. mach-o/loader.h.
import { alignUp } from '../bytes/align.js';
import { IpbpError } from '../codes/error.js';
import * as macho from '../formats/macho/constants.js';
import {
  pageSizeOf,
  type LinkedHeader,
  type LinkedSection,
  type LinkedSegment,
} from '../formats/macho/write-linked.js';
import type { ImageSegment } from './linked-image.js';
import { PATCH_SEGMENT_SECTION } from './names.js';
import type { PatchLibrary } from './patch-library.js';

const CODE = macho.S_ATTR_PURE_INSTRUCTIONS + macho.S_ATTR_SOME_INSTRUCTIONS;

/** The machine, of which there are such libraries. */
export function machineOf({ machine }: Pick<PatchLibrary, 'machine'>): LinkedHeader['machine'] {
  if (machine === 'arm64' || machine === 'x86_64') return machine;
  throw new Error(`internal: no such library for ${machine}`);
}

/** Does the segment hold what is at this address of the patch? */
export function holds({ address, size }: ImageSegment, at: number): boolean {
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

/** A table of the library's own: where, counted from the file's start, and what. */
export interface OwnTable {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** The library's own pages, with the tables that unwinders look for; null while those are to be made. */
export function textSegment(size: number, tables: { readonly [name: string]: OwnTable } | null): LinkedSegment {
  const made = tables ?? { __unwind_info: NO_TABLE, __eh_frame: NO_TABLE };
  // As long as they are to be made, both count.
  const sections = Object.entries(made)
    .filter(([, { bytes }]) => tables === null || bytes.length > 0)
    .map(([name, { at, bytes }]) => section('__TEXT', name, { address: at, offset: at, size: bytes.length }));
  const place = { address: 0, offset: 0, memorySize: size, fileSize: size };
  return { name: '__TEXT', ...place, protection: 'rx', readOnlyLater: false, sections };
}

const NO_TABLE: OwnTable = { at: 0, bytes: new Uint8Array(0) };

/** What is kept for whoever reads the file. It is behind all that is the patch's: nobody reads it in memory. */
export function descriptionSegment(address: number, offset: number, size: number): LinkedSegment {
  const [name, called] = PATCH_SEGMENT_SECTION;
  const sections = [section(name, called, { address, offset, size }, { align: 1 })];
  return { name, address, offset, memorySize: size, fileSize: size, protection: 'r', readOnlyLater: false, sections };
}

/** The same in whole pages. */
export function wholePages(segment: LinkedSegment, page: number): LinkedSegment {
  const { memorySize, fileSize } = segment;
  return { ...segment, memorySize: alignUp(memorySize, page), fileSize: alignUp(fileSize, page) };
}

/** The patch's pages, one segment each. `offset` is where the first lies in the file. */
export function patchSegments(library: PatchLibrary, offset: number): readonly LinkedSegment[] {
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
  ].flatMap(({ range, ...one }) => {
    if (range == null || range.size === 0) return [];
    const from = range.at - address;
    const to = from + range.size;
    // What a patch file says need not be so.
    if (from < 0 || to > size) throw new IpbpError('IPBP2004', 'thread-locals of a patch are not in its data');
    return { ...one, from, to };
  });
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
