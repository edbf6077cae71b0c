// Chained fixups as they are written; what they are is in their counterpart, chained-fixups.ts.
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError, hex } from '../../codes/error.js';
import { IMPORT, IMPORT_ADDEND, IMPORT_ADDEND64, NO_PAGE_START, POINTER_64, STRIDE } from './chained-fixups.js';
import type { LoadedRange, LoaderBind, LoaderFixups, LoaderImport, LoaderRebase } from './loader-fixups.js';
import { createTextPool } from './text-pool.js';

const HEADER_SIZE = 28;
/** Behind it come the starts of the pages, 2 bytes each. */
const SEGMENT_HEADER = 22;
const TWO_32 = 0x1_0000_0000;
/** A target has 36 bits. */
const TARGET_END = 2 ** 36;

/** What is to be written as chains. */
export interface ChainRequest extends LoaderFixups {
  /** Where the file's header is loaded. */
  readonly base: number;
  /** Size of a page of the machine, at most 16 KiB. */
  readonly pageSize: number;
  /** The file's segments in order, but for the last, __LINKEDIT, in which nothing is fixed up. */
  readonly segments: readonly LoadedRange[];
}

/**
 * Writes the chains into `file`, which holds the segments, and gives what LC_DYLD_CHAINED_FIXUPS points to.
 * @throws IpbpError IPBP2004 for a place that no chain can reach, IPBP2002 for a target too far away
 */
export function encodeChainedFixups(file: Uint8Array, request: ChainRequest): Uint8Array<ArrayBuffer> {
  const { segments } = request;
  const names = importTable(request);
  const places = sortedPlaces(request);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const w = new ByteWriter(HEADER_SIZE + 4 + places.length / 64);
  w.u32(0)
    .fill(HEADER_SIZE - 4)
    .align(8);
  const startsAt = w.length;
  w.u32(segments.length + 1).fill((segments.length + 1) * 4);
  let next = 0;
  segments.forEach((segment, index) => {
    const first = next;
    while (next < places.length && (places[next] as Place).address < segment.address + segment.fileSize) next++;
    const inside = places.slice(first, next);
    if (inside[0] === undefined) return;
    if (inside[0].address < segment.address) outside(inside[0]);
    w.align(8);
    w.setU32(startsAt + 4 + index * 4, w.length - startsAt);
    writeStarts(w, segment, inside, request);
    inside.forEach((place, i) => writePointer(view, segment, place, inside[i + 1], request.pageSize, names));
  });
  if (next < places.length) outside(places[next] as Place);
  w.align(4);
  const importsAt = w.length;
  w.raw(names.entries);
  const symbolsAt = w.length;
  w.raw(names.strings).align(8);
  for (const [at, value] of [startsAt, importsAt, symbolsAt, names.count, names.format, 0].entries()) {
    w.setU32(4 + at * 4, value);
  }
  return w.finish();
}

interface Place {
  readonly address: number;
  readonly rebase: LoaderRebase | null;
  readonly bind: LoaderBind | null;
}

function outside({ address }: Place): never {
  throw new IpbpError('IPBP2004', 'a pointer to be fixed up lies in no segment', { where: `address ${hex(address)}` });
}

function sortedPlaces({ rebases, binds }: LoaderFixups): readonly Place[] {
  const places: Place[] = rebases.map((rebase) => ({ address: rebase.address, rebase, bind: null }));
  for (const bind of binds) places.push({ address: bind.address, rebase: null, bind });
  places.sort((a, b) => a.address - b.address);
  places.forEach(({ address }, index) => {
    const before = places[index - 1];
    if (address % STRIDE === 0 && (before === undefined || address - before.address >= 8)) return;
    throw new IpbpError('IPBP2004', 'a pointer cannot be part of a chain of fixups', {
      expected: `a multiple of ${STRIDE}, 8 bytes from the one before`,
      where: `address ${hex(address)}`,
    });
  });
  return places;
}

/** Of one segment: in which of its pages chains begin, and where. */
function writeStarts(w: ByteWriter, segment: LoadedRange, inside: readonly Place[], request: ChainRequest): void {
  const { pageSize, base } = request;
  const pages = Math.ceil(segment.fileSize / pageSize);
  const at = w.length;
  // The size counts from here; a largest valid pointer is for 32 bits.
  w.u32(SEGMENT_HEADER + pages * 2)
    .u16(pageSize)
    .u16(POINTER_64)
    .u64(segment.address - base);
  w.u32(0).u16(pages);
  for (let page = 0; page < pages; page++) w.u16(NO_PAGE_START);
  for (const { address } of inside.toReversed()) {
    const offset = address - segment.address;
    w.setU16(at + SEGMENT_HEADER + Math.floor(offset / pageSize) * 2, offset % pageSize);
  }
}

function writePointer(
  view: DataView,
  segment: LoadedRange,
  { address, rebase, bind }: Place,
  following: Place | undefined,
  pageSize: number,
  names: ImportTable,
): void {
  const page = (place: number): number => Math.floor((place - segment.address) / pageSize);
  const chained = following !== undefined && page(following.address) === page(address);
  const next = chained ? ((following.address - address) / STRIDE) * 2 ** 19 : 0;
  const offset = segment.offset + address - segment.address;
  if (page(address) !== page(address + 7)) {
    const where = `address ${hex(address)}`;
    throw new IpbpError('IPBP2004', 'a pointer to be fixed up reaches over the end of a page', { where });
  }
  if (bind !== null) {
    const { ordinal, addend } = names.of(bind);
    view.setUint32(offset, ordinal + (addend % 256) * 2 ** 24, true);
    view.setUint32(offset + 4, 0x8000_0000 + next, true);
    return;
  }
  const target = rebase?.target ?? 0;
  if (!(target >= 0 && target < TARGET_END)) {
    throw new IpbpError('IPBP2002', 'the target of a pointer is too far away', {
      expected: `less than ${hex(TARGET_END)}`,
      actual: hex(target),
      where: `address ${hex(address)}`,
    });
  }
  view.setUint32(offset, target % TWO_32, true);
  view.setUint32(offset + 4, Math.floor(target / TWO_32) + (rebase?.tag ?? 0) * 16 + next, true);
}

interface ImportTable {
  readonly format: number;
  readonly count: number;
  readonly entries: Uint8Array;
  readonly strings: Uint8Array;
  /** The index of the import that this is, and what of its addend is in the pointer. */
  of(bind: LoaderBind): { readonly ordinal: number; readonly addend: number };
}

/** Addends of a byte stand in the pointer; where there is any other, all imports have one, as `ld64.lld` does. */
function importTable({ imports, binds }: LoaderFixups): ImportTable {
  const own = binds.filter(({ addend }) => addend < 0 || addend > 255);
  const wide = own.some(({ addend }) => addend < -0x8000_0000 || addend > 0x7fff_ffff);
  const rows: { readonly entry: LoaderImport; readonly addend: number }[] = imports.map((entry) => ({
    entry,
    addend: 0,
  }));
  const rowOf = new Map<string, number>();
  for (const { symbol, addend } of own) {
    const key = `${symbol} ${addend}`;
    if (rowOf.has(key)) continue;
    rowOf.set(key, rows.length);
    rows.push({ entry: imports[symbol] as LoaderImport, addend });
  }
  const pool = createTextPool();
  const names = rows.map(({ entry }) => pool.add(entry.name));
  const strings = pool.finish();
  const far = wide || strings.length >= 2 ** 23 || imports.some(({ library }) => library > 0xf0);
  const format = far ? IMPORT_ADDEND64 : own.length > 0 ? IMPORT_ADDEND : IMPORT;
  const w = new ByteWriter(rows.length * 16);
  rows.forEach(({ entry, addend }, index) => {
    const { library, weak } = entry;
    const name = names[index] as number;
    if (format === IMPORT_ADDEND64) {
      w.u16(library < 0 ? library + 0x1_0000 : library)
        .u16(weak ? 1 : 0)
        .u32(name)
        .i64(addend);
      return;
    }
    w.u32((library < 0 ? library + 0x100 : library) + (weak ? 0x100 : 0) + name * 2 ** 9);
    if (format === IMPORT_ADDEND) w.i32(addend);
  });
  return {
    format,
    count: rows.length,
    entries: w.finish(),
    strings,
    of: ({ symbol, addend }) => {
      const ordinal = rowOf.get(`${symbol} ${addend}`);
      return ordinal === undefined ? { ordinal: symbol, addend } : { ordinal, addend: 0 };
    },
  };
}
