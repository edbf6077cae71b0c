// Relocations of a section of the file, folded into the model's: what Mach-O says by two entries (a difference, an addend
// before what it belongs to) is one, addends are taken from the fields, places are found in the pieces of sections.
// Apple's <mach-o/reloc.h>, <mach-o/x86_64/reloc.h> and <mach-o/arm64/reloc.h>.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { hex } from '../../codes/error.js';
import * as macho from './constants.js';
import {
  ADDEND,
  FOLDED_ROW,
  MINUS,
  NO_RELOCATIONS,
  OFFSET,
  sortedRows,
  SYMBOL,
  TYPE,
  type FoldedRelocations,
} from './folded-relocations.js';
import { isZeroFill, type MachoHeaders, type MachoSection } from './header.js';
import * as types from './relocation-types.js';
import { pieceAt, type Pieces } from './subsections.js';
import { sectionSymbol } from './symbols.js';
import { whereOf, type NlistTable } from './symbol-table.js';

const TWO_24 = 0x100_0000;
const TWO_32 = 0x1_0000_0000;

/** What the relocations of a file look into. */
export interface RelocationFile {
  readonly file: Windows;
  readonly headers: MachoHeaders;
  readonly table: NlistTable;
  readonly pieces: Pieces;
}

/** One entry of the table. */
interface Entry {
  /** Of the entry in the table. */
  readonly at: number;
  readonly address: number;
  /** Number of a symbol, or of a section from 1, or an addend. */
  readonly number: number;
  readonly pcRelative: boolean;
  readonly length: number;
  readonly external: boolean;
  readonly type: number;
}

/** A place that is referred to: an offset from the model's symbol. */
interface Referent {
  readonly symbol: number;
  readonly offset: number;
}

/** Reads and folds the relocations of a section. IPBP1001 and IPBP1002 for broken ones. */
export function foldRelocations(parts: RelocationFile, section: MachoSection): FoldedRelocations {
  const { relocationCount: count, relocationOffset } = section;
  if (count === 0) return NO_RELOCATIONS;
  if (count > LIMITS.relocations)
    parts.file.malformed('too many relocations', { actual: `${count}` }, relocationOffset);
  const table = parts.file.window(relocationOffset, count * 8);
  if (isZeroFill(section.type)) table.malformed('a section without content has relocations', {}, 0);
  const folder = createFolder(parts, section, table);
  const rows = new Float64Array(count * FOLDED_ROW);
  let folded = 0;
  for (let index = 0; index < count;) {
    index = folder(index, rows, folded * FOLDED_ROW);
    folded++;
  }
  return sortedRows(rows, folded);
}

/** Folds the entry at `index`, with the next where they are a pair, to where a row starts; gives the index behind them. */
type Folder = (index: number, into: Float64Array, row: number) => number;

function createFolder(parts: RelocationFile, section: MachoSection, table: ByteReader): Folder {
  const { file, headers, pieces } = parts;
  const x86 = headers.machine === 'x86_64';
  const subtractor = x86 ? types.X86_64_RELOC_SUBTRACTOR : types.ARM64_RELOC_SUBTRACTOR;
  const content = file.window(section.offset, section.size);
  const fields = new DataView(content.bytes.buffer, content.bytes.byteOffset, content.length);
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.length);
  const count = table.length / 8;

  const entryAt = (index: number): Entry => {
    const at = index * 8;
    const address = view.getInt32(at, true);
    const info = view.getUint32(at + 4, true);
    const length = (info >>> 25) & 3;
    // A negative one would be a scattered relocation, which these machines do not have.
    if (address < 0 || address + (types.WIDTHS[length] as number) > section.size) {
      const facts = { expected: `below ${hex(section.size)}`, actual: hex(address >>> 0) };
      table.malformed('a relocation lies outside its section', facts, at);
    }
    return {
      at,
      address,
      number: info & 0xff_ffff,
      pcRelative: (info & TWO_24) !== 0,
      length,
      external: (info & 0x800_0000) !== 0,
      type: info >>> 28,
    };
  };

  /** The number in the field, as far as it is one: what is wider than four bytes has a sign too. */
  const fieldOf = ({ at, address, length }: Entry): number => {
    if (length === 0) return fields.getInt8(address);
    if (length === 1) return fields.getInt16(address, true);
    if (length === 2) return fields.getInt32(address, true);
    const value = fields.getInt32(address + 4, true) * TWO_32 + fields.getUint32(address, true);
    if (!Number.isSafeInteger(value)) table.malformed('an addend is too large', { expected: 'within ±2^53' }, at);
    return value;
  };

  const symbolOf = ({ at, number }: Entry): number => {
    const symbol = parts.table.symbolOf[number] ?? 0;
    if (symbol === 0) {
      const facts = { actual: `${number} of ${parts.table.count}` };
      table.malformed('a relocation has an unknown symbol', facts, at);
    }
    return symbol;
  };

  const sectionOf = ({ at, number }: Entry): MachoSection => {
    const found = headers.sections[number - 1];
    if (found !== undefined) return found;
    const facts = { actual: `${number} of ${headers.sections.length}` };
    return table.malformed('a relocation has an unknown section', facts, at);
  };

  /** The place at an address of the file, which the entry says to be in which section. */
  const placeAt = (entry: Entry, address: number): Referent => {
    const found = sectionOf(entry);
    return referentAt(parts, found.index, address - found.address);
  };

  const needsSymbol = (entry: Entry): number => {
    if (entry.external) return symbolOf(entry);
    return table.malformed(
      'a relocation by section where there must be a symbol',
      { actual: `type ${entry.type}` },
      entry.at,
    );
  };

  const put = (into: Float64Array, row: number, entry: Entry, number: number, { symbol, offset }: Referent): void => {
    into[row + OFFSET] = entry.address;
    into[row + TYPE] = number;
    into[row + SYMBOL] = symbol;
    into[row + ADDEND] = offset;
  };

  const plain = ({ type, pcRelative, length }: Entry): number => types.relocationType(type, pcRelative, length);

  /** A pointer: its field is the addend, or the address in the file. */
  const pointer = (entry: Entry, value: number): Referent =>
    entry.external ? { symbol: symbolOf(entry), offset: value } : placeAt(entry, value);

  const foldX86: Folder = (index, into, row) => {
    const entry = entryAt(index);
    if (entry.type === types.X86_64_RELOC_UNSIGNED) {
      foldUnsigned(entry, into, row);
      return index + 1;
    }
    const width = types.WIDTHS[entry.length] as number;
    const behind = bytesBehind(entry.type);
    // What is stored counts from behind the instruction, or with a symbol from behind the field.
    const target: Referent = entry.external
      ? { symbol: symbolOf(entry), offset: fieldOf(entry) - width }
      : fromNextInstruction(entry, width + behind);
    put(into, row, entry, plain(entry), target);
    return index + 1;
  };

  const fromNextInstruction = (entry: Entry, distance: number): Referent => {
    switch (entry.type) {
      case types.X86_64_RELOC_GOT:
      case types.X86_64_RELOC_GOT_LOAD:
      case types.X86_64_RELOC_TLV:
        needsSymbol(entry);
        break;
      default:
    }
    const place = placeAt(entry, section.address + entry.address + distance + fieldOf(entry));
    return { symbol: place.symbol, offset: place.offset - distance };
  };

  const foldArm64: Folder = (index, into, row) => {
    let entry = entryAt(index);
    let next = index + 1;
    let addend = 0;
    switch (entry.type) {
      case types.ARM64_RELOC_UNSIGNED:
        foldUnsigned(entry, into, row);
        return next;
      case types.ARM64_RELOC_AUTHENTICATED_POINTER:
        // The other half of the field says how it is signed.
        put(into, row, entry, plain(entry), pointer(entry, fields.getInt32(entry.address, true)));
        return next;
      case types.ARM64_RELOC_ADDEND: {
        const signed = entry.number >= TWO_24 / 2 ? entry.number - TWO_24 : entry.number;
        const pair = next < count ? entryAt(next) : null;
        if (pair?.address !== entry.address || pair.type === types.ARM64_RELOC_ADDEND) {
          return table.malformed('an addend has no relocation behind it', {}, entry.at);
        }
        addend = signed;
        entry = pair;
        next++;
        break;
      }
      default:
    }
    // What stands in the field counts for nothing: immediates of instructions are overwritten as a whole, and in a distance
    // to a GOT slot LLVM leaves how far the place is behind its symbol.
    put(into, row, entry, plain(entry), { symbol: needsSymbol(entry), offset: addend });
    return next;
  };

  const foldUnsigned = (entry: Entry, into: Float64Array, row: number): void => {
    if (entry.length === types.LENGTH_8 && fields.getUint8(entry.address + 7) === 0x80) {
      const low = fields.getUint32(entry.address, true);
      const value = (fields.getUint32(entry.address + 4, true) % TWO_24) * TWO_32 + low;
      if (!Number.isSafeInteger(value)) table.malformed('an addend is too large', { actual: hex(value) }, entry.at);
      put(into, row, entry, plain(entry) + types.MARKED, pointer(entry, value));
      return;
    }
    const target = pointer(entry, fieldOf(entry));
    const inTemplate = section.type === macho.S_THREAD_LOCAL_VARIABLES && isThreadLocal(parts, target.symbol);
    put(into, row, entry, plain(entry) + (inTemplate ? types.IN_TEMPLATE : 0), target);
  };

  /** A − B + what is in the field. */
  const foldDifference = (index: number, into: Float64Array, row: number): number => {
    const minus = entryAt(index);
    const plus = index + 1 < count ? entryAt(index + 1) : null;
    if (plus?.address !== minus.address || plus.length !== minus.length || plus.type !== types.X86_64_RELOC_UNSIGNED) {
      return table.malformed('a subtracted symbol has no symbol behind it', {}, minus.at);
    }
    const { target, taken } = difference(minus, plus);
    const own = pieceAt(pieces, section.index, minus.address);
    const place = minus.address - (pieces.start[own] as number);
    const number = plain(minus);
    const a = locate(parts, target.symbol);
    const b = locate(parts, taken.symbol);
    if (b?.piece === own) {
      const offset = target.offset - taken.offset - b.offset + place;
      put(into, row, minus, number + types.MINUS_PLACE, { symbol: target.symbol, offset });
    } else if (a?.piece === own) {
      const offset = target.offset + a.offset - place - taken.offset;
      put(into, row, minus, number + types.PLACE_MINUS, { symbol: taken.symbol, offset });
    } else {
      const offset = target.offset - taken.offset;
      put(into, row, minus, number + types.MINUS_SYMBOL, { symbol: target.symbol, offset });
      into[row + MINUS] = taken.symbol;
    }
    return index + 2;
  };

  /** What a pair refers to; the field's number is shared among the two. */
  const difference = (minus: Entry, plus: Entry): { target: Referent; taken: Referent } => {
    const value = fieldOf(plus);
    if (minus.external) return { target: pointer(plus, value), taken: { symbol: symbolOf(minus), offset: 0 } };
    // The field holds the difference of what is known of both: where sections are whole, that is enough.
    const taken = wholeSection(minus);
    if (plus.external)
      return { target: { symbol: symbolOf(plus), offset: value + taken.address }, taken: taken.referent };
    const target = wholeSection(plus);
    return {
      target: { symbol: target.referent.symbol, offset: value + taken.address - target.address },
      taken: taken.referent,
    };
  };

  const wholeSection = (entry: Entry): { referent: Referent; address: number } => {
    const found = sectionOf(entry);
    const first = pieces.first[found.index] as number;
    if (pieces.first[found.index + 1] !== first + 1) {
      table.malformed('a difference of places that no symbol names', { expected: 'a symbol' }, entry.at);
    }
    return { referent: { symbol: sectionSymbol(parts.table, first), offset: 0 }, address: found.address };
  };

  const foldOne = x86 ? foldX86 : foldArm64;
  return (index, into, row) =>
    view.getUint32(index * 8 + 4, true) >>> 28 === subtractor
      ? foldDifference(index, into, row)
      : foldOne(index, into, row);
}

/** Bytes of an immediate between the field and the instruction's end. */
function bytesBehind(type: number): number {
  switch (type) {
    case types.X86_64_RELOC_SIGNED_1:
      return 1;
    case types.X86_64_RELOC_SIGNED_2:
      return 2;
    case types.X86_64_RELOC_SIGNED_4:
      return 4;
    default:
      return 0;
  }
}

/** The place at an offset in a section of the file, by the symbol of the piece that it is in. */
export function referentAt({ table, pieces }: RelocationFile, section: number, offset: number): Referent {
  const piece = pieceAt(pieces, section, offset);
  return { symbol: sectionSymbol(table, piece), offset: offset - (pieces.start[piece] as number) };
}

/** The piece that a symbol of the model is in, and where in it; null for one that is in none. */
export function locate(
  { headers, table, pieces }: RelocationFile,
  symbol: number,
): { readonly piece: number; readonly offset: number } | null {
  const own = table.rows.length + 1;
  if (symbol >= own) return { piece: symbol - own, offset: 0 };
  const row = table.rows[symbol - 1] as number;
  if (whereOf(table, row) !== macho.N_SECT) return null;
  const section = headers.sections[(table.section[row] as number) - 1] as MachoSection;
  const offset = (table.value[row] as number) - section.address;
  const piece = pieceAt(pieces, section.index, offset);
  return { piece, offset: offset - (pieces.start[piece] as number) };
}

/** Is it in the template of thread-locals? */
function isThreadLocal(parts: RelocationFile, symbol: number): boolean {
  const found = locate(parts, symbol);
  if (found === null) return false;
  const type = parts.headers.sections[parts.pieces.section[found.piece] as number]?.type;
  return type === macho.S_THREAD_LOCAL_REGULAR || type === macho.S_THREAD_LOCAL_ZEROFILL;
}
