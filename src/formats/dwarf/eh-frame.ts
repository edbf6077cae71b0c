// Splits .eh_frame into its records: what CIEs and FDEs share and describe, and which relocations lie in each, so that
// the linker can copy them one by one. LSB Core 5.0 §10.6.1 "The .eh_frame section", DWARF 5 §6.4.1. The call frame
// instructions inside stay opaque: nothing here needs them.
import { LIMITS } from '../../bytes/limits.js';
import { ByteReader } from '../../bytes/reader.js';
import type { Relocation } from '../object-file.js';
import { DW_EH_PE_absptr, DW_EH_PE_omit, readEncoded, readEncodedAddress } from './pointer-encoding.js';

/** A pointer inside a record: `offset` counts from the section's start; no relocation where the file is linked. */
export interface UnwindPointer {
  readonly offset: number;
  readonly relocation: Relocation | null;
}

/** A common information entry. `size` includes the length field. */
export interface Cie {
  readonly offset: number;
  readonly size: number;
  readonly version: number;
  readonly augmentation: string;
  /** How FDEs store their LSDA pointer; DW_EH_PE_omit when they have none. */
  readonly lsdaEncoding: number;
  /** How FDEs store `pc_begin`; `pc_range` has the same form without the base. */
  readonly fdeEncoding: number;
  readonly personality: (UnwindPointer & { readonly encoding: number }) | null;
  /** The frame of a signal handler ('S'). */
  readonly signalFrame: boolean;
  /** All relocations in the record, in order; their offsets count from the section's start. */
  readonly relocations: readonly Relocation[];
}

/** A frame description entry: the unwind description of one range of code. */
export interface Fde {
  readonly offset: number;
  readonly size: number;
  /** Index in `cies`. */
  readonly cie: number;
  readonly pcBegin: UnwindPointer;
  /** Bytes of code described. */
  readonly pcRange: number;
  /** Null when the function has no LSDA: in objects, when no relocation points to one. */
  readonly lsda: UnwindPointer | null;
  readonly relocations: readonly Relocation[];
}

export interface EhFrame {
  readonly cies: readonly Cie[];
  readonly fdes: readonly Fde[];
}

/** A function's code in a linked file, by its unwind record; `end` is the first byte after it. */
export interface FunctionRange {
  /** Of its unwind record in the section. */
  readonly offset: number;
  readonly start: number;
  readonly end: number;
  /** Address of the LSDA, 0 when there is none. */
  readonly lsda: number;
}

const NO_RELOCATIONS: readonly Relocation[] = [];

/**
 * Splits the content of an .eh_frame section. `relocations` are those of the section by rising offset; empty for
 * linked files. `where` names file and section in messages. Zero-length records (terminators) are skipped.
 * Throws IPBP1001 or IPBP1002 for broken records, among them a relocation that lies in none.
 */
export function splitEhFrame(bytes: Uint8Array, relocations: readonly Relocation[], where: string): EhFrame {
  const reader: ByteReader = new ByteReader(bytes, where);
  const cies: Cie[] = [];
  const fdes: Fde[] = [];
  const cieIndexes = new Map<number, number>();
  const take = relocationTaker(relocations, reader);
  while (!reader.ended) {
    const record = readRecordHeader(reader);
    if (record === null) continue;
    if (cies.length + fdes.length >= LIMITS.unwindRecords) reader.malformed('too many unwind records');
    const inside = take(record.offset, record.end);
    if (record.id === 0) {
      cieIndexes.set(record.offset, cies.length);
      cies.push(readCie(reader, record, inside));
    } else {
      // The field counts back from itself to the CIE (unlike .debug_frame's, an offset from the section's start).
      const index = cieIndexes.get(record.idOffset - record.id);
      const cie = index === undefined ? undefined : cies[index];
      if (index === undefined || cie === undefined) {
        reader.malformed('an unwind record refers to no CIE', { actual: `${record.id} back` }, record.idOffset);
      }
      fdes.push(readFde(reader, record, index, cie, inside, relocations.length > 0));
    }
    reader.seek(record.end);
  }
  take(bytes.length, bytes.length + 1);
  return { cies, fdes };
}

/**
 * The functions that a linked file's .eh_frame describes, by rising address. `address` is where the section is loaded.
 * Records of no length (of functions that the linker dropped) are left out.
 */
export function functionRanges(bytes: Uint8Array, address: number, where: string): FunctionRange[] {
  const { cies, fdes } = splitEhFrame(bytes, NO_RELOCATIONS, where);
  const reader = new ByteReader(bytes, where);
  const ranges: FunctionRange[] = [];
  for (const fde of fdes) {
    const cie = cies[fde.cie];
    if (cie === undefined || fde.pcRange === 0) continue;
    const { offset } = fde.pcBegin;
    const start = readEncodedAddress(reader.seek(offset), cie.fdeEncoding, address + offset);
    let lsda = 0;
    if (fde.lsda !== null && readEncoded(reader.seek(fde.lsda.offset), cie.lsdaEncoding) !== 0) {
      lsda = readEncodedAddress(reader.seek(fde.lsda.offset), cie.lsdaEncoding, address + fde.lsda.offset);
    }
    ranges.push({ offset: fde.offset, start, end: start + fde.pcRange, lsda });
  }
  return ranges.sort((a, b) => a.start - b.start);
}

interface RecordHeader {
  readonly offset: number;
  readonly end: number;
  readonly id: number;
  readonly idOffset: number;
}

/** Reads length and id; null at a terminator. */
function readRecordHeader(reader: ByteReader): RecordHeader | null {
  const offset = reader.position;
  let length = reader.u32();
  if (length === 0) return null;
  if (length === 0xffff_ffff) length = reader.u64();
  reader.need(length);
  const idOffset = reader.position;
  const end = idOffset + length;
  if (length < 4) reader.malformed('an unwind record is too short', { actual: `${length} bytes` }, offset);
  return { offset, end, id: reader.u32(), idOffset };
}

function readCie(all: ByteReader, record: RecordHeader, relocations: readonly Relocation[]): Cie {
  const reader = within(all, record);
  const version = reader.u8();
  if (version !== 1 && version !== 3) {
    reader.malformed('unknown version of an unwind record', { expected: '1 or 3', actual: `${version}` });
  }
  const augmentation = reader.cstring();
  if (augmentation === 'eh') reader.skip(8); // a pointer of GCC 2
  reader.uleb(); // code alignment factor
  reader.sleb(); // data alignment factor
  if (version === 1) reader.u8();
  else reader.uleb(); // return address register
  let lsdaEncoding = DW_EH_PE_omit;
  let fdeEncoding = DW_EH_PE_absptr;
  let personality: Cie['personality'] = null;
  if (augmentation.startsWith('z')) {
    const size = reader.uleb();
    reader.need(size);
    const end = reader.position + size;
    // Each letter says one thing: a personality a thousand times over would be looked up as often.
    if (new Set(augmentation).size < augmentation.length) repeated(reader, augmentation);
    for (const letter of augmentation.slice(1)) {
      if (letter === 'L') lsdaEncoding = reader.u8();
      else if (letter === 'R') fdeEncoding = reader.u8();
      else if (letter === 'P') {
        const encoding = reader.u8();
        const offset = record.offset + reader.position;
        readEncoded(reader, encoding);
        personality = { offset, encoding, relocation: relocationAt(relocations, offset) };
      } else if (letter !== 'S' && letter !== 'B' && letter !== 'G') {
        // 'S' signal frame, 'B' pointer authentication and 'G' memory tagging of AArch64 have no data.
        reader.malformed('unknown augmentation of an unwind record', { actual: JSON.stringify(augmentation) });
      }
    }
    if (reader.position > end) reader.malformed('the augmentation data of an unwind record is too short');
  } else if (augmentation !== '' && augmentation !== 'eh') {
    reader.malformed('unknown augmentation of an unwind record', { actual: JSON.stringify(augmentation) });
  }
  return {
    offset: record.offset,
    size: record.end - record.offset,
    version,
    augmentation,
    lsdaEncoding,
    fdeEncoding,
    personality,
    signalFrame: augmentation.includes('S'),
    relocations,
  };
}

function repeated(reader: ByteReader, augmentation: string): never {
  const actual = JSON.stringify(augmentation.slice(0, 20));
  return reader.malformed('an augmentation of an unwind record repeats itself', { actual });
}

function readFde(
  all: ByteReader,
  record: RecordHeader,
  cieIndex: number,
  cie: Cie,
  relocations: readonly Relocation[],
  relocatable: boolean,
): Fde {
  const reader = within(all, record);
  const beginOffset = record.offset + reader.position;
  readEncoded(reader, cie.fdeEncoding);
  const pcRange = readEncoded(reader, cie.fdeEncoding & 0x0f);
  if (pcRange < 0) reader.malformed('an unwind record has a negative length', { actual: `${pcRange}` });
  let lsda: UnwindPointer | null = null;
  if (cie.augmentation.startsWith('z')) {
    const size = reader.uleb();
    reader.need(size);
    if (cie.lsdaEncoding !== DW_EH_PE_omit && size > 0) {
      const offset = record.offset + reader.position;
      const relocation = relocationAt(relocations, offset);
      if (relocation !== null || !relocatable) lsda = { offset, relocation };
    }
  }
  return {
    offset: record.offset,
    size: record.end - record.offset,
    cie: cieIndex,
    pcBegin: { offset: beginOffset, relocation: relocationAt(relocations, beginOffset) },
    pcRange,
    lsda,
    relocations,
  };
}

/** Records up to the one of no length that ends a block; other data may follow. All of it where none does. */
export function recordsUpToEnd(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 0;
  while (end + 4 <= bytes.length && view.getUint32(end, true) !== 0) end += 4 + view.getUint32(end, true);
  return bytes.subarray(0, end);
}

/** A reader that cannot leave the record, standing behind its id. */
function within(all: ByteReader, record: RecordHeader): ByteReader {
  const reader = all.window(record.offset, record.end - record.offset);
  return reader.seek(record.idOffset + 4 - record.offset);
}

function relocationAt(relocations: readonly Relocation[], offset: number): Relocation | null {
  return relocations.find((relocation) => relocation.offset === offset) ?? null;
}

/** Hands out the relocations record by record; both go by rising offset, so one pass is enough. */
function relocationTaker(relocations: readonly Relocation[], reader: ByteReader) {
  let next = 0;
  return (start: number, end: number): readonly Relocation[] => {
    const first = next;
    while (next < relocations.length && (relocations[next] as Relocation).offset < end) next++;
    const outside = relocations[first];
    if (outside !== undefined && outside.offset < start) {
      reader.malformed('a relocation of an unwind table lies in no record', {}, outside.offset);
    }
    return first === next ? NO_RELOCATIONS : relocations.slice(first, next);
  };
}
