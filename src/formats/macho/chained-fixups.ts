// Chained fixups (LC_DYLD_CHAINED_FIXUPS) as they are read: every pointer that dyld has to fill tells how far the next one
// is, so only the first of each page is written down. mach-o/fixup-chains.h. The plain pointers of 64 bits, not those of
// arm64e. Its counterpart is encode-chained-fixups.ts.
import { LIMITS } from '../../bytes/limits.js';
import { ByteReader } from '../../bytes/reader.js';
import { IpbpError, hex } from '../../codes/error.js';
import type { LoadedRange, LoaderBind, LoaderFixups, LoaderImport, LoaderRebase } from './loader-fixups.js';

/** Forms of imports: none has an addend, all have one of 32 bits, of 64 bits. */
export const IMPORT = 1;
export const IMPORT_ADDEND = 2;
export const IMPORT_ADDEND64 = 3;
/** Forms of pointers: targets are addresses of the file, or count from the file's start. */
export const POINTER_64 = 2;
const POINTER_64_OFFSET = 6;
/** Distances to the next pointer are in units of this, in twelve bits from bit 51 on. */
export const STRIDE = 4;
/** Of a page without a pointer. */
export const NO_PAGE_START = 0xffff;
const MULTIPLE_STARTS = 0x8000;
const TWO_32 = 0x1_0000_0000;

/** Bytes of what is pointed to, and the segments that the chains lie in. */
export interface ChainSource {
  /** The whole file. */
  readonly file: Uint8Array;
  readonly name: string;
  /** Where LC_DYLD_CHAINED_FIXUPS says that its data are. */
  readonly offset: number;
  readonly size: number;
  readonly base: number;
  readonly segments: readonly LoadedRange[];
}

/**
 * Reads all chains of a file.
 * @throws IpbpError IPBP1001, IPBP1002, IPBP1003 for pointers of a form that is not read
 */
export function readChainedFixups(source: ChainSource): LoaderFixups {
  const { file, name, offset, size, segments } = source;
  const r: ByteReader = new ByteReader(file, name).window(offset, size);
  if (r.u32() !== 0) r.malformed('unknown version of chained fixups', {}, 0);
  const [startsAt, importsAt, symbolsAt, count, format, packing] = [
    r.u32(),
    r.u32(),
    r.u32(),
    r.u32(),
    r.u32(),
    r.u32(),
  ];
  if (packing !== 0) unsupported(r, 24, `packed names of imports (${packing})`);
  const entries = readImports(r, { importsAt, symbolsAt, count, format });
  const rebases: LoaderRebase[] = [];
  const binds: LoaderBind[] = [];
  r.seek(startsAt);
  const segmentCount = r.u32();
  if (segmentCount > LIMITS.segments) r.malformed('too many segments', { actual: String(segmentCount) }, startsAt);
  const reached = new Set<number>();
  for (let index = 0; index < segmentCount; index++) {
    const relative = r.seek(startsAt + 4 + index * 4).u32();
    if (relative === 0) continue;
    const segment = segments[index];
    if (segment === undefined || reached.has(relative)) {
      r.malformed('chained fixups of no segment', { actual: String(index) }, startsAt + 4 + index * 4);
    }
    reached.add(relative);
    readSegment(r.seek(startsAt + relative), segment, source, { entries, rebases, binds });
  }
  return { imports: entries.map(({ entry }) => entry), rebases, binds };
}

interface ImportEntry {
  readonly entry: LoaderImport;
  readonly addend: number;
}

function unsupported(r: ByteReader, position: number, actual: string): never {
  throw new IpbpError('IPBP1003', 'chained fixups of a form that is not read', { actual, where: r.where(position) });
}

interface ImportPlaces {
  readonly importsAt: number;
  readonly symbolsAt: number;
  readonly count: number;
  readonly format: number;
}

function readImports(r: ByteReader, { importsAt, symbolsAt, count, format }: ImportPlaces): readonly ImportEntry[] {
  const widths = new Map([
    [IMPORT, 4],
    [IMPORT_ADDEND, 8],
    [IMPORT_ADDEND64, 16],
  ]);
  const width = widths.get(format) ?? unsupported(r, 20, `imports of form ${format}`);
  const table = r.window(importsAt, count * width);
  const names = r.window(symbolsAt, r.length - symbolsAt);
  // Names may share bytes, but not so that a small file takes much memory.
  let room = names.length * LIMITS.nameReuse;
  return Array.from({ length: count }, () => {
    const at = table.position;
    const far = format === IMPORT_ADDEND64;
    const low = far ? table.u16() : table.u32();
    const weak = far ? table.u16() % 2 === 1 : Math.floor(low / 256) % 2 === 1;
    const nameAt = far ? table.u32() : Math.floor(low / 512);
    const addend = far ? table.i64() : format === IMPORT_ADDEND ? table.i32() : 0;
    const raw = far ? low : low % 256;
    // The highest ordinals are the special ones, counted down.
    const library = far ? (raw > 0xfff0 ? raw - 0x1_0000 : raw) : raw > 0xf0 ? raw - 0x100 : raw;
    const text = names.seek(nameAt).cstring();
    room -= names.position - nameAt;
    if (room < 0) table.malformed('too many names of imports share their bytes', {}, at);
    return { entry: { name: text, library, weak }, addend };
  });
}

interface Found {
  readonly entries: readonly ImportEntry[];
  readonly rebases: LoaderRebase[];
  readonly binds: LoaderBind[];
}

function readSegment(r: ByteReader, segment: LoadedRange, source: ChainSource, found: Found): void {
  const at = r.position;
  r.skip(4);
  const pageSize = r.u16();
  const pointerFormat = r.u16();
  const start = r.u64();
  r.skip(4);
  const pages = r.u16();
  if (pointerFormat !== POINTER_64 && pointerFormat !== POINTER_64_OFFSET) {
    unsupported(r, at + 6, `pointers of form ${pointerFormat}`);
  }
  if (pageSize === 0 || start !== segment.address - source.base) {
    r.malformed('chained fixups lie in another segment than they say', { actual: hex(start) }, at);
  }
  const content = new ByteReader(source.file, source.name).window(segment.offset, segment.fileSize);
  const toAddress = pointerFormat === POINTER_64_OFFSET ? source.base : 0;
  for (let page = 0; page < pages; page++) {
    const first = r.u16();
    if (first === NO_PAGE_START) continue;
    if (first >= MULTIPLE_STARTS) unsupported(r, r.position - 2, 'several chains in one page');
    const end = (page + 1) * pageSize;
    for (let place = page * pageSize + first; ;) {
      const skip = readPointer(content.seek(Math.min(place, content.length)), segment, toAddress, found);
      if (skip === 0) break;
      place += skip * STRIDE;
      if (place + 8 > end) content.malformed('a chain of fixups leaves its page', {}, place - skip * STRIDE);
    }
  }
}

/** Reads one pointer; how far the next one is, in strides. */
function readPointer(content: ByteReader, segment: LoadedRange, toAddress: number, found: Found): number {
  const at = content.position;
  const low = content.u32();
  const high = content.u32();
  const address = segment.address + at;
  const next = Math.floor(high / 2 ** 19) % 2 ** 12;
  if (high >= 0x8000_0000) {
    const symbol = low % 2 ** 24;
    const entry = found.entries[symbol];
    if (entry === undefined) content.malformed('a fixup has no import', { actual: String(symbol) }, at);
    found.binds.push({ address, symbol, addend: Math.floor(low / 2 ** 24) + entry.addend });
    return next;
  }
  const tag = Math.floor(high / 16) % 256;
  const target = (high % 16) * TWO_32 + low + toAddress;
  found.rebases.push(tag === 0 ? { address, target } : { address, target, tag });
  return next;
}
