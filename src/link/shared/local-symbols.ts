// What a number says that is a global symbol's or, behind those, a local one's (needs.ts).
import { TO_ADDRESS, TO_CONSTANT } from './bindings.js';
import type { Link } from './link-state.js';
import type { Needs } from './needs.js';
import type { Scanning } from './scan.js';
import { localAddress, type Values } from './values.js';

/** What a reference by that number comes to. */
export function bindingOf({ bound, needs, link }: Scanning, symbol: number): number {
  if (symbol < needs.firstLocal) return bound[symbol] as number;
  const { file, row } = localSymbol(link, needs, symbol);
  return (file.columns.section[row] as number) >= 0 ? TO_ADDRESS : TO_CONSTANT;
}

/** The address of the symbol, which this link defines. */
export function addressOf({ needs, link }: Scanning, values: Values, symbol: number): number {
  if (symbol < needs.firstLocal) return values.symbolAddress[symbol] as number;
  const { file, row } = localSymbol(link, needs, symbol);
  return localAddress(values, file, row, 0);
}

function localSymbol(link: Link, needs: Needs, symbol: number): { file: Link['files'][number]; row: number } {
  const number = symbol - needs.firstLocal;
  let low = 0;
  let high = link.files.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    if ((link.files[middle]?.localBase ?? 0) <= number) low = middle;
    else high = middle - 1;
  }
  const file = link.files[low];
  if (file === undefined) throw new Error('internal: a local symbol of no object');
  return { file, row: number - file.localBase };
}
