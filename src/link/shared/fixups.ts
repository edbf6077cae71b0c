// Pass: computes every relocation's value and writes it, or hands the place to the loader. The letters are the psABI's:
// S symbol, A addend, P place, G slot of the table, L stub, GOT the table.
import type { RelocationColumns } from '../../formats/columns.js';
import { IpbpError } from '../../codes/error.js';
import { applyField } from '../../reloc/apply.js';
import { pageOf, type FixupRow } from '../../reloc/fixup.js';
import { TO_ADDRESS, TO_CONSTANT, TO_DYNAMIC } from './bindings.js';
import { placeIn, report, type TakenFile } from './link-state.js';
import {
  addLoaderWork,
  isPacked,
  WORK_ABSOLUTE,
  WORK_MARKED,
  WORK_PACKED,
  WORK_RELATIVE,
  type LoaderWork,
} from './loader-work.js';
import * as rows from './lowered-rows.js';
import type { Scanning } from './scan.js';
import { STATE_COMMON } from './symbols.js';
import { stubAddress, type TableAddresses } from './tables.js';
import { localAddress, type Values } from './values.js';

/** Everything that fixups look up. */
export interface FixupContext extends Scanning {
  readonly values: Values;
  readonly addresses: TableAddresses;
  readonly loader: LoaderWork;
  /** The address of a veneer for a branch from an address to a target that it does not reach; null without veneers. */
  readonly detour: ((from: number, to: number) => number | undefined) | null;
}

/** What is fixed up: relocations [first, end) of a section, a copy of which, or of a part, stands in `bytes`. */
export interface FixupRange {
  readonly file: TakenFile;
  /** For messages. */
  readonly section: number;
  readonly relocations: RelocationColumns;
  readonly first: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  /** Over `bytes`. */
  readonly view: DataView;
  /** Where in `bytes` the copy starts, and how long it is. */
  readonly start: number;
  readonly size: number;
  /** Of the copy. */
  readonly address: number;
  /** Offset in the section at which the copy starts. */
  readonly from: number;
  /** See `isPackable`. */
  readonly packable: boolean;
}

/** Applies the relocations of something that is loaded. Errors are collected. */
export function applyLoaded(context: FixupContext, range: FixupRange): void {
  const { link, lowered, bound, needs, values, addresses } = context;
  const { file, relocations, bytes, view } = range;
  const { globals, columns } = file;
  const word = link.machine.pointerSize;
  /** Known once something asks for it. */
  let pairs: boolean | null = null;
  let copy: Uint8Array | null = null;
  for (let index = range.first; index < range.end; index++) {
    const type = relocations.type[index] as number;
    const term = lowered.term[type] as number;
    if (term === rows.TERM_NONE) continue;
    const row = relocations.symbol[index] as number;
    const offset = (relocations.offset[index] as number) - range.from;
    if (offset + (lowered.width[type] as number) > range.size) {
      writeChecked(context, range, index, lowered.row[type] as FixupRow, offset, 0);
      continue;
    }
    const at = range.start + offset;
    const place = range.address + offset;
    const addend = relocations.implicit
      ? (lowered.row[type] as FixupRow).field.decode(bytes, at)
      : (relocations.addend[index] as number);
    const global = globals[row] as number;
    const binding =
      global >= 0 ? (bound[global] as number) : (columns.section[row] as number) >= 0 ? TO_ADDRESS : TO_CONSTANT;
    const symbol = global >= 0 ? global : needs.firstLocal + file.localBase + row;
    let value: number;
    switch (term) {
      case rows.TERM_SYMBOL: {
        value =
          global >= 0 ? (values.symbolAddress[global] as number) + addend : localAddress(values, file, row, addend);
        if (lowered.base[type] === rows.BASE_NOTHING && lowered.modulo[type] === 0 && binding !== TO_CONSTANT) {
          if (binding === TO_DYNAMIC) {
            addLoaderWork(context.loader, WORK_ABSOLUTE, place, global, addend);
            value = 0;
          } else {
            const packed = isPacked(range.packable, relocations.offset[index] as number) ? WORK_PACKED : WORK_RELATIVE;
            const kind = lowered.writer[type] === rows.WRITE_MARKED ? WORK_MARKED : packed;
            addLoaderWork(context.loader, kind, place, -1, value);
          }
        } else if (binding === TO_CONSTANT) value += absentSymbol(context, type, global, place);
        break;
      }
      case rows.TERM_STUB:
        if (binding === TO_DYNAMIC) value = stubAddress(link, addresses, needs.stubOf[global] as number) + addend;
        else if (global >= 0) value = (values.symbolAddress[global] as number) + addend;
        else value = localAddress(values, file, row, addend);
        if (binding === TO_CONSTANT) value += absentSymbol(context, type, global, place);
        break;
      case rows.TERM_SLOT: {
        const slot = needs.addressSlot[symbol] as number;
        if (
          lowered.relaxable[type] === 1 &&
          binding === TO_ADDRESS &&
          addend === link.machine.shared.slotAddend &&
          (lowered.partner[type] === 0 || (pairs ??= rows.standInPairs(lowered, relocations, range.first, range.end)))
        ) {
          copy ??= copyOf(range);
          const rewrite = link.machine.rewrite(lowered.row[type] as FixupRow, 'direct', copy, offset);
          if (rewrite !== null) {
            bytes.set(rewrite.bytes, at + rewrite.from);
            const target = global >= 0 ? (values.symbolAddress[global] as number) : localAddress(values, file, row, 0);
            for (const field of rewrite.fields) {
              const sum = target + addend + field.addend;
              const found = offBase(context, lowered.base[field.row.type] as number, sum, place + field.at);
              writeChecked(context, range, index, field.row, offset + field.at, found);
            }
            index += rewrite.swallow;
            continue;
          }
        }
        value = addresses.slots + slot * word + addend;
        break;
      }
      case rows.TERM_PLACE:
        value = place + addend;
        break;
      case rows.TERM_TABLE:
        value = addresses.table + addend;
        break;
      case rows.TERM_SIZE:
        value = (global >= 0 ? (link.symbols.size[global] as number) : (columns.size[row] as number)) + addend;
        break;
      case rows.TERM_MODULE_OFFSET:
        value =
          (global >= 0 ? (values.symbolAddress[global] as number) + addend : localAddress(values, file, row, addend)) -
          values.templateStart;
        break;
      case rows.TERM_THREAD_SLOT:
        value = addresses.slots + (needs.threadSlot.get(symbol) ?? 0) * word + addend;
        break;
      case rows.TERM_GENERAL:
        value = addresses.slots + (needs.generalSlot.get(symbol) ?? 0) * word + addend;
        break;
      case rows.TERM_LOCAL:
        value = addresses.slots + needs.localSlot * word + addend;
        break;
      case rows.TERM_DESCRIPTOR:
        value = addresses.slots + (needs.descriptorSlot.get(symbol) ?? 0) * word + addend;
        break;
      default: // a call through a descriptor stays as it is
        continue;
    }
    const base = lowered.base[type] as number;
    if (base === rows.BASE_PLACE) value -= place;
    else if (base === rows.BASE_SYMBOL) value -= ownAddress(context, file, row);
    else if (base === rows.BASE_OTHER) value -= ownAddress(context, file, relocations.minus?.[index] ?? 0);
    else if (base !== rows.BASE_NOTHING) value = offBase(context, base, value, place);
    const multiple = lowered.multiple[type] as number;
    if (
      value < (lowered.min[type] as number) ||
      value > (lowered.max[type] as number) ||
      (multiple !== 1 && value % multiple !== 0) ||
      Number.isNaN(value)
    ) {
      const detour = term === rows.TERM_STUB ? context.detour?.(place, value + place) : undefined;
      writeChecked(
        context,
        range,
        index,
        lowered.row[type] as FixupRow,
        offset,
        detour === undefined ? value : detour - place,
      );
      continue;
    }
    switch (lowered.writer[type]) {
      case rows.WRITE_32:
        view.setInt32(at, value, true);
        break;
      case rows.WRITE_64: {
        const high = Math.floor(value / 0x1_0000_0000);
        view.setUint32(at, value - high * 0x1_0000_0000, true);
        view.setInt32(at + 4, high, true);
        break;
      }
      default:
        (lowered.row[type] as FixupRow).field.encode(bytes, at, value);
    }
  }
}

/** Of a symbol by its row in an object, which this module defines. */
function ownAddress({ values }: FixupContext, file: TakenFile, row: number): number {
  const global = file.globals[row] as number;
  return global >= 0 ? (values.symbolAddress[global] as number) : localAddress(values, file, row, 0);
}

/** S of a constant that may be a weak symbol which nothing defines: of those some rows say another address than 0. */
function absentSymbol({ link, lowered }: FixupContext, type: number, global: number, place: number): number {
  const distance = lowered.absent[type] as number;
  if (distance < 0 || global < 0 || (link.symbols.state[global] as number) >= STATE_COMMON) return 0;
  return place + distance;
}

function offBase(context: FixupContext, base: number, value: number, place: number): number {
  switch (base) {
    case rows.BASE_PLACE:
      return value - place;
    case rows.BASE_TABLE:
      return value - context.addresses.table;
    case rows.BASE_PLACE_PAGE:
      return pageOf(value) - pageOf(place);
    case rows.BASE_TABLE_PAGE:
      return value - pageOf(context.addresses.table);
    default:
      return value;
  }
}

/** The copy alone. */
function copyOf({ bytes, start, size }: FixupRange): Uint8Array {
  return bytes.subarray(start, start + size);
}

/** Writes by the field's own checks at an offset in the copy, and collects what they say. */
function writeChecked(
  context: FixupContext,
  range: FixupRange,
  index: number,
  row: FixupRow,
  offset: number,
  value: number,
): void {
  const where = placeIn(context.link, range.section, range.relocations.offset[index] as number);
  const name = range.file.columns.nameOf(range.relocations.symbol[index] as number);
  try {
    applyField(row.field, copyOf(range), offset, value, {
      what: `${row.name} of ${name === '' ? 'a section' : name}`,
      where,
    });
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
    report(context.link, error);
  }
}

/** Ranges end at a pair of zeros there: what is gone gets 1, so that the list goes on. */
const PAIR_LISTS = new Set(['.debug_loc', '.debug_ranges']);

/** Applies the relocations of what is not loaded (debug information). What refers to dropped code says 0. */
export function applyUnloaded(context: FixupContext, range: FixupRange): void {
  const { link, lowered, values } = context;
  const { file, relocations, bytes, view } = range;
  const { globals, columns, base } = file;
  const gone = PAIR_LISTS.has(link.sections.section[range.section]?.name ?? '') ? 1 : 0;
  for (let index = range.first; index < range.end; index++) {
    const type = relocations.type[index] as number;
    const term = type < lowered.size ? (lowered.term[type] as number) : rows.UNKNOWN_TYPE;
    if (term === rows.TERM_NONE) continue;
    if (term !== rows.TERM_SYMBOL && term !== rows.TERM_MODULE_OFFSET && term !== rows.TERM_SIZE) {
      reportUnloaded(context, range, index);
      continue;
    }
    const row = relocations.symbol[index] as number;
    const offset = (relocations.offset[index] as number) - range.from;
    if (offset + (lowered.width[type] as number) > range.size) {
      writeChecked(context, range, index, lowered.row[type] as FixupRow, offset, 0);
      continue;
    }
    const at = range.start + offset;
    const addend = relocations.implicit
      ? (lowered.row[type] as FixupRow).field.decode(bytes, at)
      : (relocations.addend[index] as number);
    const global = globals[row] as number;
    const own = columns.section[row] as number;
    const section = global >= 0 ? (link.symbols.section[global] as number) : own < 0 ? own : base + own;
    let value: number;
    if (term === rows.TERM_SIZE) value = (columns.size[row] as number) + addend;
    else if (section >= 0 && values.alive[section] === 0) value = gone;
    else {
      value = global >= 0 ? (values.symbolAddress[global] as number) + addend : localAddress(values, file, row, addend);
      if (term === rows.TERM_MODULE_OFFSET) value -= values.templateStart;
      else if (lowered.base[type] === rows.BASE_PLACE) value -= offset;
    }
    const writer = lowered.writer[type];
    if (writer === rows.WRITE_32 && value >= (lowered.min[type] as number) && value <= (lowered.max[type] as number)) {
      view.setInt32(at, value, true);
    } else if (writer === rows.WRITE_64 && Number.isSafeInteger(value)) {
      const high = Math.floor(value / 0x1_0000_0000);
      view.setUint32(at, value - high * 0x1_0000_0000, true);
      view.setInt32(at + 4, high, true);
    } else writeChecked(context, range, index, lowered.row[type] as FixupRow, offset, value);
  }
}

function reportUnloaded(context: FixupContext, range: FixupRange, index: number): void {
  const type = range.relocations.type[index] as number;
  const row = context.lowered.row[type];
  const what = row?.name ?? `relocation type ${type}`;
  const where = placeIn(context.link, range.section, range.relocations.offset[index] as number);
  const code = row === undefined ? 'IPBP2001' : 'IPBP2004';
  report(context.link, new IpbpError(code, `${what} stands in what is not loaded`, { where }));
}
