// Symbol tables to bytes (gABI "Symbol Table"): entries that stay are copied as they are, changed and new ones are
// encoded, and locals come first as sh_info demands. The counterpart of symbols.ts.
import type { ObjectSymbol } from '../object-file.js';
import type { ObjectEdits } from '../object-edits.js';
import * as elf from './constants.js';
import { BINDING_FIELDS, KIND_FIELDS, VISIBILITY_FIELDS } from './symbol-fields.js';
import type { GrowingNames } from './write-names.js';

const TWO_32 = 0x1_0000_0000;

/** A table as it stands in a file: the entries, and the section indexes that do not fit them, if any. */
export interface SymbolTableBytes {
  readonly entries: Uint8Array;
  readonly extended: Uint8Array | null;
}

/** A table that was written. */
export interface WrittenSymbols extends SymbolTableBytes {
  /** sh_info: one more than the index of the last local symbol. */
  readonly firstGlobal: number;
  /** Where each symbol is now, by its old index, new ones counted on from the last old one. */
  readonly indexes: Uint32Array;
}

/** Writes the table `before` with the symbols' edits; their names go to `names`. */
export function writeSymbols(before: SymbolTableBytes, edits: ObjectEdits, names: GrowingNames): WrittenSymbols {
  const count = before.entries.length / elf.SYM_SIZE;
  const order = orderOf(before.entries, count, edits);
  const total = count + edits.newSymbols.length;
  const indexes = new Uint32Array(total);
  const entries = new Uint8Array(total * elf.SYM_SIZE);
  const view = new DataView(entries.buffer);
  const extended = new Uint32Array(total);
  const oldExtended = before.extended === null ? null : wordsOf(before.extended);
  let hasExtended = oldExtended !== null;
  order.all.forEach((symbol, index) => {
    indexes[symbol] = index;
    const at = index * elf.SYM_SIZE;
    const added = edits.newSymbols[symbol - count];
    if (added === undefined) {
      entries.set(before.entries.subarray(symbol * elf.SYM_SIZE, (symbol + 1) * elf.SYM_SIZE), at);
      extended[index] = oldExtended?.[symbol] ?? 0;
      const change = edits.symbols.get(symbol);
      if (change === undefined) return;
      view.setUint32(at, names.add(change.name), true);
      view.setUint8(at + 4, BINDING_FIELDS[change.binding] * 16 + (view.getUint8(at + 4) % 16));
      if (change.binding === 'local') view.setUint8(at + 5, elf.STV_DEFAULT);
      return;
    }
    const section = sectionField(added.section);
    if (typeof added.section === 'number' && section === elf.SHN_XINDEX) {
      extended[index] = added.section;
      hasExtended = true;
    }
    view.setUint32(at, names.add(added.name), true);
    view.setUint8(at + 4, BINDING_FIELDS[added.binding] * 16 + KIND_FIELDS[added.kind]);
    view.setUint8(at + 5, VISIBILITY_FIELDS[added.visibility]);
    view.setUint16(at + 6, section, true);
    putU64(view, at + 8, added.value);
    putU64(view, at + 16, added.size);
  });
  return {
    entries,
    extended: hasExtended ? new Uint8Array(extended.buffer) : null,
    firstGlobal: order.locals,
    indexes,
  };
}

/** Old indexes (new symbols counted on) in their new order: locals as they were, those that become local, the others. */
function orderOf(
  entries: Uint8Array,
  count: number,
  edits: ObjectEdits,
): { readonly all: readonly number[]; readonly locals: number } {
  const locals: number[] = [];
  const became: number[] = [];
  const globals: number[] = [];
  for (let symbol = 0; symbol < count; symbol++) {
    const local = Math.floor((entries[symbol * elf.SYM_SIZE + 4] ?? 0) / 16) === elf.STB_LOCAL;
    if (local) locals.push(symbol);
    else if (edits.symbols.get(symbol)?.binding === 'local') became.push(symbol);
    else globals.push(symbol);
  }
  edits.newSymbols.forEach((symbol, index) => (symbol.binding === 'local' ? became : globals).push(count + index));
  return { all: [...locals, ...became, ...globals], locals: locals.length + became.length };
}

function sectionField(section: ObjectSymbol['section']): number {
  switch (section) {
    case 'undefined':
      return elf.SHN_UNDEF;
    case 'absolute':
      return elf.SHN_ABS;
    case 'common':
      return elf.SHN_COMMON;
    default:
      return section < elf.SHN_LORESERVE ? section : elf.SHN_XINDEX;
  }
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer);
}

function putU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}
