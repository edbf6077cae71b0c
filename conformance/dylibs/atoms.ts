// Which symbol a place in an object belongs to: linkers move what lies between two symbols as one piece. Places of literals
// belong to no symbol; what they hold tells them.
import { N_ALT_ENTRY, N_SECT, N_STAB, type RawMacho, type RawSection, type RawSymbol } from './object-file.js';

/** The symbol that a piece begins with, and an offset behind it. */
export interface Anchor {
  readonly symbol: RawSymbol;
  readonly offset: number;
}

const LITERAL_TYPES = new Set([2, 3, 4, 0xe]);

/** Equal ones are one in what is linked. */
export const isLiteral = ({ type }: RawSection): boolean => LITERAL_TYPES.has(type);

/** Finds anchors in one object. */
export function anchors(object: RawMacho): (section: RawSection, address: number) => Anchor | null {
  const bySection = new Map<number, RawSymbol[]>();
  for (const symbol of object.symbols) {
    if ((symbol.type & N_STAB) !== 0 || (symbol.type & 0xe) !== N_SECT) continue;
    if ((symbol.description & N_ALT_ENTRY) !== 0 || /^(?:L|ltmp\d)/.test(symbol.name)) continue;
    const list = bySection.get(symbol.section) ?? [];
    bySection.set(symbol.section, list);
    list.push(symbol);
  }
  for (const list of bySection.values()) list.sort((a, b) => a.value - b.value);
  return (section, address) => {
    const list = bySection.get(section.number) ?? [];
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (list[middle]!.value <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = list[low - 1];
    return symbol === undefined ? null : { symbol, offset: address - symbol.value };
  };
}

/** The section that an address of an object lies in; at its end counts. */
export function sectionAt({ sections }: RawMacho, address: number): RawSection | undefined {
  return (
    sections.find((one) => address >= one.address && address < one.address + one.size) ??
    sections.find((one) => address === one.address + one.size)
  );
}
