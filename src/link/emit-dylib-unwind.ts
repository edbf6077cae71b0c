// How the code of a Mach-O library is unwound: the rows of the objects' __compact_unwind with their personalities and
// tables, functions that only a frame record describes, and __unwind_info made of both.
// Apple's <mach-o/compact_unwind_encoding.h>.
import { ByteReader } from '../bytes/reader.js';
import { IpbpError, hex } from '../codes/error.js';
import { readEncoded } from '../formats/dwarf/pointer-encoding.js';
import {
  encodeUnwindInfo,
  frameRecordEncoding,
  isByFrameRecord,
  type FunctionUnwind,
} from '../formats/macho/encode-unwind-info.js';
import type { Relocation } from '../formats/object-file.js';
import { splitUnwindTable } from '../formats/unwind-table.js';
import { TO_NOTHING } from './shared/bindings.js';
import type { Companions } from './shared/emitter.js';
import type { Link, TakenFile } from './shared/link-state.js';
import { needAddressSlot } from './shared/needs.js';
import { sectionOf } from './shared/references.js';
import { noteUndefined, type Scanning } from './shared/scan.js';
import { SECTION_KEPT } from './shared/sections.js';
import { setFlag, USED } from './shared/symbols.js';
import { codeOf, type UnwindInput, type UnwindSection } from './shared/unwind.js';
import { localAddress } from './shared/values.js';
import type { PlacedLink } from './shared/veneers.js';

export type DylibMachine = 'arm64' | 'x86_64';

/** A row of an object's table, by the section whose code it describes. */
interface CompactRow {
  readonly file: TakenFile;
  /** In the code's section. */
  readonly offset: number;
  readonly length: number;
  readonly encoding: number;
  readonly personality: Relocation | null;
  readonly lsda: Relocation | null;
  /** The table's section and where in it, for messages. */
  readonly table: number;
  readonly at: number;
}

/** Rows by number of the code's section, rising. */
export type CompactUnwind = ReadonlyMap<number, readonly CompactRow[]>;

/** Reads the tables of all objects of the link. */
export function collectCompactUnwind(link: Link): CompactUnwind {
  const rows = new Map<number, CompactRow[]>();
  for (const file of link.files) {
    for (const section of file.file.sections) {
      if (section.kind !== 'unwind-table') continue;
      const bytes = file.file.sectionBytes(section.index);
      const where = `${file.file.name}: ${section.name}`;
      for (const row of splitUnwindTable(bytes, file.file.relocations(section.index), where)) {
        const { start, length, encoding, personality, lsda, offset: at } = row;
        const code = (file.columns.section[start.symbol] as number) + file.base;
        // What another object's definition won is not this code.
        if (sectionOf(link, file, start.symbol) !== code || link.sections.fate[code] !== SECTION_KEPT) continue;
        const offset = (file.columns.value[start.symbol] as number) + (start.addend ?? 0);
        const one = { file, offset, length, encoding, personality, lsda, table: file.base + section.index, at };
        const before = rows.get(code);
        if (before === undefined) rows.set(code, [one]);
        else before.push(one);
      }
    }
  }
  return rows;
}

/** Personalities and tables live with the code. */
export function companionsOf(compact: CompactUnwind): Companions {
  return (section, visit) => {
    for (const { file, personality, lsda } of compact.get(section) ?? []) {
      if (personality !== null) visit(file.number, personality.symbol);
      if (lsda !== null) visit(file.number, lsda.symbol);
    }
  };
}

/** Is the code described without a frame record? */
export function isDescribedBy(machine: DylibMachine, compact: CompactUnwind, section: number, offset: number): boolean {
  const row = compact.get(section)?.find((one) => one.offset === offset);
  return row !== undefined && !isByFrameRecord(machine, row.encoding);
}

/** Personalities are named by the word that holds their address. */
export function scanPersonalities(scanning: Scanning, machine: DylibMachine, compact: CompactUnwind): void {
  const { link, bound, needs } = scanning;
  for (const [section, rows] of compact) {
    if (link.sections.fate[section] !== SECTION_KEPT) continue;
    for (const { file, personality, encoding, table, at } of rows) {
      if (personality === null || isByFrameRecord(machine, encoding)) continue;
      const symbol = symbolOf(scanning, file, personality);
      if (symbol < needs.firstLocal) {
        setFlag(link.symbols, symbol, USED);
        if (bound[symbol] === TO_NOTHING) {
          noteUndefined(scanning, table, at, symbol);
          continue;
        }
      }
      needAddressSlot(needs, symbol);
    }
  }
}

/** Number of the symbol that a relocation names, global or local. */
function symbolOf({ needs }: Scanning, file: TakenFile, { symbol }: Relocation): number {
  const global = file.globals[symbol] as number;
  return global >= 0 ? global : needs.firstLocal + file.localBase + symbol;
}

/** What __unwind_info is made of. */
export interface UnwindSources {
  readonly scanning: Scanning;
  readonly machine: DylibMachine;
  readonly compact: CompactUnwind;
  readonly frames: UnwindSection | null;
}

/** A code's section and a place in it, as a key. */
const keyOf = (section: number, offset: number): string => `${section} ${offset}`;

/** Encodes __unwind_info; nothing for code of which nothing is known. */
export function encodeUnwind(sources: UnwindSources, placed: PlacedLink): Uint8Array {
  const { scanning, machine, compact } = sources;
  const { link, needs } = scanning;
  const { sections } = link;
  const { addresses, values } = placed;
  const frames = framesOf(sources);
  const word = link.machine.pointerSize;
  const functions: FunctionUnwind[] = [];
  for (const [section, rows] of compact) {
    if (sections.fate[section] !== SECTION_KEPT) continue;
    for (const { file, offset, length, encoding, personality, lsda } of rows) {
      const start = (sections.address[section] as number) + offset;
      if (isByFrameRecord(machine, encoding)) {
        const frame = frames.get(keyOf(section, offset));
        frames.delete(keyOf(section, offset));
        const byRecord = frame === undefined ? 0 : frameRecordEncoding(machine, frame.offset);
        functions.push({ start, length, encoding: byRecord, personality: null, lsda: null });
        continue;
      }
      const slot = personality === null ? -1 : (needs.addressSlot[symbolOf(scanning, file, personality)] as number);
      functions.push({
        start,
        length,
        encoding,
        personality: slot < 0 ? null : addresses.slots + slot * word,
        lsda: lsda === null ? null : addressOf(placed, file, lsda),
      });
    }
  }
  for (const { section, start: offset, length, offset: record } of frames.values()) {
    const start = (values.sectionAddress[section] as number) + offset;
    const encoding = frameRecordEncoding(machine, record);
    functions.push({ start, length, encoding, personality: null, lsda: null });
  }
  for (const { start, length, lsda } of functions) {
    checkPlace(start);
    checkPlace(start + length);
    checkPlace(lsda ?? 0);
  }
  return encodeUnwindInfo(machine, functions);
}

/** Rows of broken objects can lead anywhere; the table has 32 bits for each place. */
function checkPlace(place: number): void {
  if (place >= 0 && place < 2 ** 32) return;
  throw new IpbpError('IPBP2035', 'a row of unwind information leads out of the image', {
    expected: 'less than 4 GiB',
    actual: hex(place),
    where: '__TEXT,__unwind_info',
  });
}

/** S + A of a relocation in an object, of what this file defines. */
export function addressOf({ values }: PlacedLink, file: TakenFile, { symbol, addend }: Relocation): number {
  const global = file.globals[symbol] as number;
  if (global >= 0) return (values.symbolAddress[global] as number) + (addend ?? 0);
  return localAddress(values, file, symbol, addend ?? 0);
}

interface Frame {
  readonly section: number;
  /** In it. */
  readonly start: number;
  readonly length: number;
  /** In __eh_frame. */
  readonly offset: number;
}

/** The frame records that are kept, by the code that they describe. */
function framesOf({ scanning, frames }: UnwindSources): Map<string, Frame> {
  const found = new Map<string, Frame>();
  for (const { input, record, cieOffset, offset, encoding } of frames?.records ?? []) {
    const from = frames?.inputs[input];
    if (cieOffset < 0 || from === undefined) continue;
    const code = codeOf(scanning.link, from, record);
    if (code === null) continue;
    const length = codeLength(from, record, encoding);
    found.set(keyOf(code.section, code.offset), { section: code.section, start: code.offset, length, offset });
  }
  return found;
}

/** Bytes of code that an FDE describes: the field behind the code's address, of the same size. */
function codeLength({ bytes, records }: UnwindInput, record: number, encoding: number): number {
  const reader = new ByteReader(bytes, 'unwind records').seek((records.offset[record] as number) + 8);
  readEncoded(reader, encoding);
  return readEncoded(reader, encoding % 0x10);
}
