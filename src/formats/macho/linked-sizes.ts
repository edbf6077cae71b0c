// How large the symbols of a linked file are. It does not say it: they reach to the next symbol, to the next function of
// LC_FUNCTION_STARTS, or to the end of their section.
import type { SymbolColumns } from '../columns.js';
import * as macho from './constants.js';
import type { MachoSection } from './header.js';
import { whereOf, type NlistTable } from './symbol-table.js';

/** How far it is from an address in a section to what begins next. */
export type SizeAt = (address: number, section: MachoSection) => number;

/** `starts` are addresses of functions. */
export function openSizes(table: NlistTable, starts: readonly number[]): SizeAt {
  const addresses = new Float64Array(table.rows.length + starts.length);
  addresses.set(starts);
  let count = starts.length;
  for (const row of table.rows)
    if (whereOf(table, row) === macho.N_SECT) addresses[count++] = table.value[row] as number;
  const rising = addresses.subarray(0, count).sort();
  return (address, section) => {
    const end = section.address + section.size;
    if (address < section.address || address >= end) return 0;
    let low = 0;
    let high = rising.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((rising[middle] as number) <= address) low = middle + 1;
      else high = middle;
    }
    return Math.min(end, rising[low] ?? end) - address;
  };
}

/** Fills in the sizes of a linked file's symbols. */
export function measureLinked(symbols: SymbolColumns, sections: readonly MachoSection[], sizeAt: SizeAt): void {
  for (let symbol = 0; symbol < symbols.count; symbol++) {
    const section = sections[symbols.section[symbol] as number];
    if (section !== undefined) symbols.size[symbol] = sizeAt(symbols.value[symbol] as number, section);
  }
}
