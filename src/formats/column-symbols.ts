// Columns of symbols as the model's symbols, for readers whose tables are columns first.
import { decodeText, isAscii } from '../bytes/text.js';
import * as columns from './columns.js';
import type { SymbolColumns } from './columns.js';
import type { Binding, ObjectSymbol, SymbolKind, Visibility } from './object-file.js';

/** Engines limit the length of one string; larger tables are decoded name by name. */
const LARGEST_TEXT = 0x1000_0000;

/** The same as objects. Of a table in ASCII names are parts of one string, which engines make without copying. */
export function symbolsOf(symbols: SymbolColumns): readonly ObjectSymbol[] {
  const { bytes, offset, length } = symbols.names;
  const whole = bytes.length <= LARGEST_TEXT && isAscii(bytes) ? decodeText(bytes) : null;
  const nameOf = (index: number): string => {
    const start = offset[index] as number;
    return whole === null ? symbols.nameOf(index) : whole.substring(start, start + (length[index] as number));
  };
  const made: ObjectSymbol[] = [];
  for (let index = 0; index < symbols.count; index++) {
    const section = symbols.section[index] as number;
    made.push({
      index,
      name: nameOf(index),
      kind: columns.SYMBOL_KINDS[symbols.kind[index] as number] as SymbolKind,
      binding: columns.SYMBOL_BINDINGS[symbols.binding[index] as number] as Binding,
      visibility: columns.SYMBOL_VISIBILITIES[symbols.visibility[index] as number] as Visibility,
      section: section >= 0 ? section : sectionWord(section),
      value: symbols.value[index] as number,
      size: symbols.size[index] as number,
    });
  }
  return made;
}

function sectionWord(section: number): Exclude<ObjectSymbol['section'], number> {
  if (section === columns.SECTION_ABSOLUTE) return 'absolute';
  return section === columns.SECTION_COMMON ? 'common' : 'undefined';
}
