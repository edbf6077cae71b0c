// __TEXT,__unwind_info as it is written; what it is is in its counterpart, unwind-info.ts.
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError, hex } from '../../codes/error.js';
import {
  HAS_LSDA,
  HEADER_SIZE,
  INDEX_ENTRY_SIZE,
  LSDA_ENTRY_SIZE,
  MOST_PERSONALITIES,
  OFFSET_LIMIT,
  PAGE_COMPRESSED,
  PAGE_REGULAR,
  PERSONALITY_SCALE,
} from './unwind-info.js';

/** Second-level pages are at most so long: an offset in one has 16 bits, and linkers keep to the size of a page. */
const PAGE_SIZE = 4096;
const REGULAR_ENTRIES = (PAGE_SIZE - 8) / 8;
const COMPRESSED_WORDS = (PAGE_SIZE - 12) / 4;
/** Entries name encodings by a byte; most of them are for those that many functions have. */
const MOST_COMMON = 127;
const MOST_ENCODINGS = 256;
/** Code is aligned to this at most places: what lies between a function and the next such place is padding. */
const PADDING_ALIGN = 16;
const MODE_SCALE = 0x100_0000;

/** The modes that are not the same for all machines: a frame record describes it; the code itself is looked at. */
const MODES = { arm64: { dwarf: 3, byCode: null }, x86_64: { dwarf: 4, byCode: 3 } } as const;

type UnwindMachine = keyof typeof MODES;

/** How a function is unwound. Offsets count from the file's header. */
export interface FunctionUnwind {
  readonly start: number;
  readonly length: number;
  /** As the compiler wrote it: bits of personality and language table count for nothing. */
  readonly encoding: number;
  /** Of the word that holds the personality's address. */
  readonly personality: number | null;
  readonly lsda: number | null;
}

/**
 * The encoding of a function that its frame record describes, by the record's offset in __TEXT,__eh_frame. Those that do
 * not fit are left to the unwinder's search.
 */
export function frameRecordEncoding(machine: UnwindMachine, offset: number): number {
  return MODES[machine].dwarf * MODE_SCALE + (offset < MODE_SCALE ? offset : 0);
}

/** True for an encoding by which the compiler says that only the frame record describes the function. */
export function isByFrameRecord(machine: UnwindMachine, encoding: number): boolean {
  return modeOf(encoding) === MODES[machine].dwarf;
}

function modeOf(encoding: number): number {
  return Math.floor(encoding / MODE_SCALE) % 16;
}

interface Row {
  readonly start: number;
  readonly encoding: number;
  readonly lsda: number | null;
}

/**
 * Encodes functions in any order. Code that none of them describes cannot be unwound. Nothing for no functions.
 * @throws IpbpError IPBP2004 where two describe the same code, IPBP2035 for more personalities than the format has
 */
export function encodeUnwindInfo(
  machine: UnwindMachine,
  functions: readonly FunctionUnwind[],
): Uint8Array<ArrayBuffer> {
  const sorted = functions.filter(({ length }) => length > 0).sort((a, b) => a.start - b.start);
  const last = sorted.at(-1);
  if (last === undefined) return new Uint8Array(0);
  const personalities: number[] = [];
  const rows = rowsOf(machine, sorted, personalities);
  const common = commonEncodings(machine, rows);
  const pages = pagesOf(rows, common);
  const lsdas = rows.filter(({ lsda }) => lsda !== null);

  const commonAt = HEADER_SIZE;
  const personalityAt = commonAt + common.length * 4;
  const indexAt = personalityAt + personalities.length * 4;
  const lsdaAt = indexAt + (pages.length + 1) * INDEX_ENTRY_SIZE;
  const pagesAt = lsdaAt + lsdas.length * LSDA_ENTRY_SIZE;
  const w = new ByteWriter(pagesAt + pages.length * PAGE_SIZE);
  w.u32(1).u32(commonAt).u32(common.length).u32(personalityAt).u32(personalities.length);
  w.u32(indexAt).u32(pages.length + 1);
  for (const word of [...common, ...personalities]) w.u32(word);
  let at = pagesAt;
  let before = 0;
  for (const page of pages) {
    w.u32((page.rows[0] as Row).start)
      .u32(at)
      .u32(lsdaAt + before * LSDA_ENTRY_SIZE);
    at += page.bytes.length;
    before += page.rows.filter(({ lsda }) => lsda !== null).length;
  }
  w.u32(last.start + last.length)
    .u32(0)
    .u32(lsdaAt + before * LSDA_ENTRY_SIZE);
  for (const { start, lsda } of lsdas) w.u32(start).u32(lsda ?? 0);
  for (const { bytes } of pages) w.raw(bytes);
  return w.finish();
}

/** A row for each function and each gap; the same as the one before is left out where that means the same. */
function rowsOf(machine: UnwindMachine, sorted: readonly FunctionUnwind[], personalities: number[]): Row[] {
  const rows: Row[] = [];
  const add = (row: Row): void => {
    const previous = rows.at(-1);
    const same = previous?.encoding === row.encoding && previous.lsda === null && row.lsda === null;
    // What the code says is read from the function's start, so that must be its own.
    if (!same || modeOf(row.encoding) === MODES[machine].byCode) rows.push(row);
  };
  let end = sorted[0]?.start ?? 0;
  for (const { start, length, encoding, personality, lsda } of sorted) {
    if (start < end) {
      throw new IpbpError('IPBP2004', 'two functions lie over one another in unwind information', {
        where: `address ${hex(start)}`,
      });
    }
    if (start > Math.ceil(end / PADDING_ALIGN) * PADDING_ALIGN) add({ start: end, encoding: 0, lsda: null });
    const bare = encoding % PERSONALITY_SCALE;
    const which = personality === null ? 0 : personalityIndex(personality, personalities);
    add({ start, encoding: bare + which * PERSONALITY_SCALE + (lsda === null ? 0 : HAS_LSDA), lsda });
    end = start + length;
  }
  return rows;
}

function personalityIndex(word: number, personalities: number[]): number {
  const known = personalities.indexOf(word);
  if (known >= 0) return known + 1;
  if (personalities.length === MOST_PERSONALITIES) {
    throw new IpbpError('IPBP2035', 'more personalities than unwind information can tell apart', {
      expected: `at most ${MOST_PERSONALITIES}`,
      actual: `another one, whose word is at ${hex(word)}`,
    });
  }
  return personalities.push(word);
}

/** Those of several rows, the most frequent first. A frame record's is of one function. */
function commonEncodings(machine: UnwindMachine, rows: readonly Row[]): number[] {
  const counts = new Map<number, number>();
  for (const { encoding } of rows) {
    if (!isByFrameRecord(machine, encoding)) counts.set(encoding, (counts.get(encoding) ?? 0) + 1);
  }
  const several = [...counts].filter(([, count]) => count > 1);
  several.sort(([a, x], [b, y]) => y - x || a - b);
  return several.slice(0, MOST_COMMON).map(([encoding]) => encoding);
}

interface Page {
  readonly rows: readonly Row[];
  readonly bytes: Uint8Array;
}

function pagesOf(rows: readonly Row[], common: readonly number[]): Page[] {
  const commonIndex = new Map(common.map((encoding, index) => [encoding, index]));
  const pages: Page[] = [];
  for (let from = 0; from < rows.length;) {
    const { count, own } = compressible(rows, from, commonIndex);
    // Where few fit because their encodings differ, a page of whole entries holds more.
    const regular = count < REGULAR_ENTRIES && from + count < rows.length;
    const inside = rows.slice(from, from + (regular ? REGULAR_ENTRIES : count));
    pages.push({ rows: inside, bytes: regular ? regularPage(inside) : compressedPage(inside, commonIndex, own) });
    from += inside.length;
  }
  return pages;
}

/** How many rows from here on fit a compressed page, and which encodings it needs of its own. */
function compressible(
  rows: readonly Row[],
  from: number,
  common: ReadonlyMap<number, number>,
): { readonly count: number; readonly own: ReadonlyMap<number, number> } {
  const own = new Map<number, number>();
  const first = (rows[from] as Row).start;
  let count = 0;
  for (; from + count < rows.length; count++) {
    const { start, encoding } = rows[from + count] as Row;
    const isNew = !common.has(encoding) && !own.has(encoding);
    const encodings = own.size + (isNew ? 1 : 0);
    if (start - first >= OFFSET_LIMIT || common.size + encodings > MOST_ENCODINGS) break;
    if (count + 1 + encodings > COMPRESSED_WORDS) break;
    if (isNew) own.set(encoding, common.size + own.size);
  }
  return { count, own };
}

function regularPage(rows: readonly Row[]): Uint8Array {
  const w = new ByteWriter(PAGE_SIZE).u32(PAGE_REGULAR).u16(8).u16(rows.length);
  for (const { start, encoding } of rows) w.u32(start).u32(encoding);
  return w.finish();
}

function compressedPage(
  rows: readonly Row[],
  common: ReadonlyMap<number, number>,
  own: ReadonlyMap<number, number>,
): Uint8Array {
  const w = new ByteWriter(PAGE_SIZE).u32(PAGE_COMPRESSED).u16(12).u16(rows.length);
  w.u16(12 + rows.length * 4).u16(own.size);
  const first = (rows[0] as Row).start;
  for (const { start, encoding } of rows) {
    const which = common.get(encoding) ?? own.get(encoding) ?? 0;
    w.u32(start - first + which * OFFSET_LIMIT);
  }
  for (const encoding of own.keys()) w.u32(encoding);
  return w.finish();
}
