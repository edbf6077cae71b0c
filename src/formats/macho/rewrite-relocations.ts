// Relocations of a relocatable Mach-O file with edits: the entries of its sections with the symbols' new numbers, those
// that now refer to something else written anew, and entries for new sections. Undoes what relocations.ts folds.
// Apple's <mach-o/reloc.h>.
import { IpbpError, hex } from '../../codes/error.js';
import type { RelocationColumns } from '../columns.js';
import type { Relocation } from '../object-file.js';
import type { MachoSection } from './header.js';
import type { MachoFile } from './read.js';
import * as types from './relocation-types.js';

export const RELOCATION_SIZE = 8;
const TWO_24 = 0x100_0000;
const TWO_32 = 0x1_0000_0000;
const EXTERNAL = 0x800_0000;
/** Type numbers of the model with what the type stands for taken off. */
const FORMS = types.MINUS_PLACE;

/** What a field says, in the terms of an entry: all refer to symbols. */
interface Encoded {
  readonly entries: readonly number[];
  /** What the field's bytes hold; null where they do not matter. */
  readonly field: number | null;
}

/** Something that has relocations: its bytes are changed where fields hold addends. */
export interface RelocatedContent {
  readonly view: DataView;
  /** For messages. */
  readonly where: string;
}

export interface RelocationWriter {
  /** The entry of a symbol of the model; −1 for what is none, as of a section. */
  readonly entryOf: (symbol: number) => number;
  readonly machine: 'x86_64' | 'arm64';
}

const widthOf = types.widthOf;

function infoOf(symbol: number, type: number): number {
  const pcRelative = Math.floor(type / 16) % 2;
  const length = Math.floor(type / 32) % 4;
  return (symbol % TWO_24) + pcRelative * TWO_24 + length * 2 * TWO_24 + EXTERNAL + (type % 16) * 0x1000_0000;
}

/** `placeOf` is the symbol that a place is counted from in its section: its entry, and where it lies. */
function encode(
  relocation: Relocation,
  { entryOf, machine }: RelocationWriter,
  placeOf: (offset: number) => { readonly entry: number; readonly offset: number } | null,
  where: string,
): Encoded {
  const { type, symbol, addend, offset } = relocation;
  const fail = (why: string): never => {
    throw new IpbpError('IPBP2020', `a relocation cannot be written: ${why}`, {
      actual: `type ${type}`,
      where: `${where}+${hex(offset)}`,
    });
  };
  const target = entryOf(symbol);
  if (target < 0) fail('it refers to no symbol of the table');
  const value = addend ?? 0;
  if (type >= FORMS) {
    const from = type < types.PLACE_MINUS ? placeOf(offset) : null;
    if (from === null) return fail('what is taken off has no symbol');
    const plain = type - types.MINUS_PLACE;
    const pointer = types.relocationType(types.X86_64_RELOC_UNSIGNED, false, Math.floor(plain / 32) % 4);
    return { entries: [infoOf(from.entry, plain), infoOf(target, pointer)], field: value - (offset - from.offset) };
  }
  const kind = type % 16;
  const isPointer = kind === types.X86_64_RELOC_UNSIGNED; // the same number for both machines
  if (machine === 'x86_64')
    return { entries: [infoOf(target, type)], field: isPointer ? value : value + widthOf(type) };
  if (isPointer) return { entries: [infoOf(target, type)], field: value };
  if (value === 0) return { entries: [infoOf(target, type)], field: null };
  if (value < -TWO_24 / 2 || value >= TWO_24 / 2) fail('its addend is too large');
  const before = types.relocationType(types.ARM64_RELOC_ADDEND, false, types.LENGTH_4);
  const number = value < 0 ? value + TWO_24 : value;
  return { entries: [infoOf(number, before) - EXTERNAL, infoOf(target, type)], field: null };
}

function writeField({ view }: RelocatedContent, offset: number, width: number, value: number): void {
  if (width === 8) {
    const high = Math.floor(value / TWO_32);
    view.setUint32(offset, value - high * TWO_32, true);
    view.setInt32(offset + 4, high, true);
  } else if (width === 4) view.setInt32(offset, value, true);
  else if (width === 2) view.setInt16(offset, value, true);
  else view.setInt8(offset, value);
}

/**
 * Entries of a new section, behind those in `entries`, where each is two numbers: its address and what it says. `base` is
 * where the section begins in `content`, the file's section.
 */
export function writeNewRelocations(
  relocations: readonly Relocation[],
  base: number,
  content: RelocatedContent,
  writer: RelocationWriter,
  own: { readonly entry: number; readonly offset: number } | null,
  entries: number[],
): void {
  const placeOf = (): typeof own => own;
  for (const relocation of relocations) {
    const encoded = encode(relocation, writer, placeOf, content.where);
    const address = base + relocation.offset;
    if (encoded.field !== null) writeField(content, address, widthOf(relocation.type), encoded.field);
    for (const info of encoded.entries) entries.push(address, info);
  }
}

/** The table of one section as bytes, of such entries. */
export function relocationBytes(entries: readonly number[]): Uint8Array {
  const words = (RELOCATION_SIZE / 4) * (entries.length / 2);
  const bytes = new Uint8Array(words * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < words; index++) view.setUint32(index * 4, entries[index] as number, true);
  return bytes;
}

/** The same entries, with their symbols' new numbers. In place. */
export function renumber(table: Uint8Array, moved: Uint32Array): void {
  if (table.length === 0) return;
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  for (let at = 4; at < table.length; at += RELOCATION_SIZE) {
    const info = view.getUint32(at, true);
    if ((info & EXTERNAL) === 0) continue;
    const number = info & (TWO_24 - 1);
    view.setUint32(at, info - number + (moved[number] as number), true);
  }
}

/** What is to be written anew in the table of a section of the file. */
export interface Retargeted {
  /** In the file's section. */
  readonly start: number;
  readonly relocation: Relocation;
}

/**
 * Makes entries refer to something else, after they were renumbered; in place, also the fields in `content`. None of them
 * is a pair, before or after.
 * @throws IpbpError IPBP2020 for those that are
 */
export function retarget(
  table: Uint8Array,
  retargeted: readonly Retargeted[],
  content: RelocatedContent,
  writer: RelocationWriter,
): void {
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const byAddress = new Map<number, number>();
  for (let at = 0; at < table.length; at += RELOCATION_SIZE) {
    const address = view.getUint32(at, true);
    byAddress.set(address, byAddress.has(address) ? -1 : at);
  }
  for (const { start, relocation } of retargeted) {
    const address = start + relocation.offset;
    const { entries, field } = encode(relocation, writer, () => null, content.where);
    const at = byAddress.get(address) ?? -1;
    const [info] = entries;
    if (at < 0 || info === undefined || entries.length !== 1) {
      throw new IpbpError('IPBP2020', 'a pair of relocations cannot be changed', {
        actual: `type ${relocation.type}`,
        where: `${content.where}+${hex(address)}`,
      });
    }
    view.setUint32(at + 4, info, true);
    if (field !== null) writeField(content, address, widthOf(relocation.type), field);
  }
}

/** Those of a section's relocations that are others than before; they are as many, at the same places. */
export function changedRelocations(
  before: RelocationColumns,
  after: readonly Relocation[],
  start: number,
  where: string,
): readonly Retargeted[] {
  if (before.count !== after.length) {
    throw new IpbpError('IPBP2020', 'relocations cannot be added to a section of this format', { where });
  }
  const changed: Retargeted[] = [];
  for (let row = 0; row < before.count; row++) {
    const relocation = after[row] as Relocation;
    if (relocation.symbol === before.symbol[row] && relocation.addend === before.addend[row]) continue;
    changed.push({ start, relocation });
  }
  return changed;
}

const NO_TABLE = new Uint8Array(0);

/** The raw table of a section, a copy. */
export function tableOf(file: MachoFile, { relocationOffset, relocationCount }: MachoSection): Uint8Array {
  if (relocationCount === 0) return NO_TABLE;
  return file.range(relocationOffset, relocationCount * RELOCATION_SIZE).slice();
}
