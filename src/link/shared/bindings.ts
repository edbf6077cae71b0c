// Pass: what a reference to a global symbol comes to: an address in this module, a constant, or something that the
// loader looks up. Said once per symbol, before relocations are read.
import { KIND_IFUNC, VISIBILITY_DEFAULT } from '../../formats/columns.js';
import type { Link } from './link-state.js';
import { isImport } from './scopes.js';
import * as symbols from './symbols.js';

/** An address in this module. */
export const TO_ADDRESS = 0;
/** What the loader finds, in this module or another. */
export const TO_DYNAMIC = 1;
/** A number that does not move with the module: absolute symbols, and 0 for what may be absent. */
export const TO_CONSTANT = 2;
/** A function of this module that the loader chooses among several: an error for who refers to it. */
export const TO_CHOSEN = 4;
/** Nothing: an error for who refers to it. */
export const TO_NOTHING = 3;

/** One of the above for every symbol. */
export function bindSymbols(link: Link): Uint8Array {
  const table = link.symbols;
  const count = table.names.count;
  const bound = new Uint8Array(count);
  for (let symbol = 0; symbol < count; symbol++) bound[symbol] = bindingOf(link, symbol);
  return bound;
}

function bindingOf(link: Link, symbol: number): number {
  const table = link.symbols;
  const state = table.state[symbol] as number;
  if (state >= symbols.STATE_COMMON) {
    if (symbols.hasFlag(table, symbol, symbols.PREEMPTIBLE)) return TO_DYNAMIC;
    if (table.kind[symbol] === KIND_IFUNC) return TO_CHOSEN;
    return table.section[symbol] === symbols.ABSOLUTE ? TO_CONSTANT : TO_ADDRESS;
  }
  const strong = symbols.hasFlag(table, symbol, symbols.REFERRED);
  if (state === symbols.STATE_SHARED && table.visibility[symbol] === VISIBILITY_DEFAULT) return TO_DYNAMIC;
  if (!isImport(link, symbol)) return strong ? TO_NOTHING : TO_CONSTANT;
  if ((!strong && link.target.symbols.mayBeAbsent) || isLeftOpen(link, symbol)) return TO_DYNAMIC;
  if (link.options.unresolved === 'error') return TO_NOTHING;
  const referrer = link.files[table.referrer[symbol] as number]?.file.name ?? 'an option';
  link.warnings.push(`symbol ${table.names.text(symbol)} is not defined; ${referrer} refers to it`);
  return TO_DYNAMIC;
}

/** May the loader look for it anywhere? */
function isLeftOpen({ options, symbols: table }: Link, symbol: number): boolean {
  const { unresolved, unresolvedNames } = options;
  return unresolved === 'allow' || (unresolvedNames.length > 0 && unresolvedNames.includes(table.names.text(symbol)));
}
