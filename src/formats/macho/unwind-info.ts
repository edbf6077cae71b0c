// __TEXT,__unwind_info as it is read: how to unwind from any address of a linked file, in two levels of sorted pages.
// mach-o/compact_unwind_encoding.h. What an encoding means is the unwinder's. Its counterpart is encode-unwind-info.ts.
import { ByteReader } from '../../bytes/reader.js';

export const HEADER_SIZE = 28;
export const INDEX_ENTRY_SIZE = 12;
export const LSDA_ENTRY_SIZE = 8;
/** Kinds of second-level pages. */
export const PAGE_REGULAR = 2;
export const PAGE_COMPRESSED = 3;
/** Bits of every encoding: a language table belongs to it; which personality, from 1. */
export const HAS_LSDA = 0x4000_0000;
export const PERSONALITY_SCALE = 0x1000_0000;
/** The personalities that two bits tell apart. */
export const MOST_PERSONALITIES = 3;
/** How far a compressed entry may be from its page's first. */
export const OFFSET_LIMIT = 2 ** 24;

/** How code is unwound, up to where the next row begins. Offsets count from the file's header. */
export interface UnwindInfoRow {
  readonly start: number;
  readonly end: number;
  /** All 32 bits; 0 for what cannot be unwound. */
  readonly encoding: number;
  /** Of the word that holds the personality's address. */
  readonly personality: number | null;
  readonly lsda: number | null;
}

/**
 * All rows, rising. `offset` is where `bytes` lie in the file that messages call `name`.
 * @throws IpbpError IPBP1001, IPBP1002
 */
export function readUnwindInfo(bytes: Uint8Array, name: string, offset: number): UnwindInfoRow[] {
  const r: ByteReader = new ByteReader(bytes, name, offset);
  if (r.u32() !== 1) r.malformed('unknown version of unwind information', {}, 0);
  const [commonAt, commonCount, personalityAt, personalityCount, indexAt, indexCount] = [
    ...[r.u32(), r.u32(), r.u32()],
    ...[r.u32(), r.u32(), r.u32()],
  ] as [number, number, number, number, number, number];
  const common = words(r, commonAt, commonCount);
  const personalities = words(r, personalityAt, personalityCount);
  const index = r.window(indexAt, indexCount * INDEX_ENTRY_SIZE);
  const found: { start: number; encoding: number; lsda: number | null }[] = [];
  // Tables lie side by side: read once each, they are not longer than all of it.
  let room = bytes.length;
  const spend = (size: number): void => {
    room -= size;
    if (room < 0) r.malformed('tables of unwind information lie over one another', {}, indexAt);
  };
  let end = 0;
  for (let page = 0; page < indexCount; page++) {
    const first = index.u32();
    const pageAt = index.u32();
    const lsdaAt = index.u32();
    if (pageAt === 0) {
      end = first;
      continue;
    }
    const lsdaEnd = page + 1 < indexCount ? index.window(index.position + 8, 4).u32() : lsdaAt;
    spend(Math.max(lsdaEnd - lsdaAt, 0));
    const lsdas = lsdaTable(r, lsdaAt, lsdaEnd);
    for (const { start, encoding } of pageRows(r, pageAt, first, common, spend)) {
      if (start < (found.at(-1)?.start ?? 0)) r.malformed('unwind information is not sorted', {}, pageAt);
      const hasLsda = Math.floor(encoding / HAS_LSDA) % 2 === 1;
      const lsda = hasLsda ? (lsdas.get(start) ?? r.malformed('a function has no language table', {}, pageAt)) : null;
      found.push({ start, encoding, lsda });
    }
  }
  return found.map(({ start, encoding, lsda }, i) => {
    const which = Math.floor(encoding / PERSONALITY_SCALE) % (MOST_PERSONALITIES + 1);
    const personality = which === 0 ? null : personalities[which - 1];
    if (personality === undefined) r.malformed('a function has an unknown personality', { actual: String(which) }, 0);
    return { start, end: found[i + 1]?.start ?? Math.max(end, start), encoding, personality, lsda };
  });
}

function words(r: ByteReader, at: number, count: number): number[] {
  const table = r.window(at, count * 4);
  return Array.from({ length: count }, () => table.u32());
}

/** Language tables by the functions that they belong to. */
function lsdaTable(r: ByteReader, at: number, end: number): ReadonlyMap<number, number> {
  const table = r.window(at, end - at);
  const found = new Map<number, number>();
  while (table.remaining >= LSDA_ENTRY_SIZE) found.set(table.u32(), table.u32());
  return found;
}

function pageRows(
  r: ByteReader,
  at: number,
  first: number,
  common: readonly number[],
  spend: (size: number) => void,
): { readonly start: number; readonly encoding: number }[] {
  const head = r.window(at, 8);
  const kind = head.u32();
  const entriesAt = at + head.u16();
  const count = head.u16();
  spend(8 + count * 4);
  if (kind === PAGE_REGULAR) {
    const entries = r.window(entriesAt, count * 8);
    return Array.from({ length: count }, () => ({ start: entries.u32(), encoding: entries.u32() }));
  }
  if (kind !== PAGE_COMPRESSED) r.malformed('unknown kind of unwind page', { actual: String(kind) }, at);
  const more = r.window(at + 8, 4);
  const [ownAt, ownCount] = [at + more.u16(), more.u16()];
  spend(ownCount * 4);
  const own = words(r, ownAt, ownCount);
  const entries = r.window(entriesAt, count * 4);
  return Array.from({ length: count }, () => {
    const entry = entries.u32();
    const which = Math.floor(entry / OFFSET_LIMIT);
    const encoding = common[which] ?? own[which - common.length];
    if (encoding === undefined) r.malformed('a function has an unknown encoding', { actual: String(which) }, at);
    return { start: first + (entry % OFFSET_LIMIT), encoding };
  });
}
