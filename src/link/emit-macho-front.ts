// What a patch that is a Mach-O library has in front of the patch's pages, behind the load commands: tables that unwinders
// look for in __TEXT and nowhere else. Frame records are moved there. mach-o/compact_unwind_encoding.h.
import { alignUp } from '../bytes/align.js';
import { IpbpError, hex } from '../codes/error.js';
import { functionRanges, recordsUpToEnd } from '../formats/dwarf/eh-frame.js';
import { movedEhFrame } from '../formats/dwarf/move-eh-frame.js';
import {
  encodeUnwindInfo,
  frameRecordEncoding,
  isByFrameRecord,
  type FunctionUnwind,
} from '../formats/macho/encode-unwind-info.js';
import { holds, machineOf, type OwnTable } from './emit-macho-segments.js';
import type { UnwindEntry } from './linked-image.js';
import type { PatchLibrary } from './patch-library.js';

/** What stands in the library's own pages behind the load commands: where, counted from the file's start, and what. */
export interface Front {
  readonly unwindInfo: OwnTable;
  readonly frames: OwnTable;
  readonly end: number;
  /** How long functions are, by their address in the patch. */
  readonly lengths: ReadonlyMap<number, number>;
}

const NO_RECORDS = new Uint8Array(0);

/** What comes behind a header of this size. */
export function frontOf(library: PatchLibrary, headerSize: number): Front {
  const { at, unwind } = library;
  const holder = library.segments.find((segment) => unwind !== null && holds(segment, unwind));
  const records =
    unwind === null || holder === undefined
      ? NO_RECORDS
      : recordsUpToEnd(holder.bytes.subarray(unwind - holder.address));
  const entries = library.unwindEntries.length > 0 ? library.unwindEntries : entriesOf(records, unwind ?? 0);
  const unwindInfo: OwnTable = {
    at: alignUp(headerSize, 8),
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
