// Which of several definitions of a name is taken: strong ones before commons before weak ones, else the first.
import { BINDING_UNIQUE, BINDING_WEAK } from '../../formats/columns.js';
import { IpbpError } from '../../codes/error.js';
import { report, type Link, type TakenFile } from './link-state.js';
import * as symbols from './symbols.js';

/** A definition of a symbol in a section: it is taken, or what there is stays. */
export function define(link: Link, symbol: number, from: TakenFile, row: number, section: number): void {
  const table = link.symbols;
  const weak = from.columns.binding[row] === BINDING_WEAK;
  const current = table.state[symbol] as number;
  if (current === symbols.STATE_COMMON) {
    if (weak) return;
  } else if (current === symbols.STATE_DEFINED) {
    if (weak) {
      showMost(link, symbol, from.columns.visibility[row] as number);
      return;
    }
    if (!symbols.hasFlag(table, symbol, symbols.WEAK)) {
      if (!sameAbsolute(link, symbol, from, row, section)) reportDuplicate(link, symbol, from);
      return;
    }
  }
  put(link, symbol, symbols.STATE_DEFINED, from, row, section);
  mark(table, symbol, symbols.WEAK, weak);
}

/** Another weak definition of a name that has one: either may be meant. */
function showMost({ symbols: table, target }: Link, symbol: number, visibility: number): void {
  if (!target.symbols.definitionShows || !symbols.hasFlag(table, symbol, symbols.WEAK)) return;
  table.visibility[symbol] = Math.min(table.visibility[symbol] as number, visibility);
}

/** Two absolute definitions of one value are one. */
function sameAbsolute(link: Link, symbol: number, from: TakenFile, row: number, section: number): boolean {
  const absolute = section === symbols.ABSOLUTE && link.symbols.section[symbol] === symbols.ABSOLUTE;
  return absolute && link.symbols.value[symbol] === from.columns.value[row];
}

/** Common blocks of one name are one, of the largest size and alignment; a strong definition takes their place. */
export function defineCommon(link: Link, symbol: number, from: TakenFile, row: number): void {
  const table = link.symbols;
  const current = table.state[symbol] as number;
  const size = from.columns.size[row] as number;
  const align = from.columns.value[row] as number;
  if (current === symbols.STATE_DEFINED && !symbols.hasFlag(table, symbol, symbols.WEAK)) return;
  if (current === symbols.STATE_COMMON) {
    if (size > (table.size[symbol] as number)) {
      const largest = Math.max(align, table.value[symbol] as number);
      put(link, symbol, symbols.STATE_COMMON, from, row, symbols.NOWHERE);
      table.value[symbol] = largest;
    } else if (align > (table.value[symbol] as number)) table.value[symbol] = align;
    return;
  }
  put(link, symbol, symbols.STATE_COMMON, from, row, symbols.NOWHERE);
  mark(table, symbol, symbols.WEAK, false);
}

function put(link: Link, symbol: number, now: number, from: TakenFile, row: number, section: number): void {
  const table = link.symbols;
  const { columns } = from;
  table.state[symbol] = now;
  table.file[symbol] = from.number;
  table.row[symbol] = row;
  table.section[symbol] = section;
  table.value[symbol] = columns.value[row] as number;
  table.size[symbol] = columns.size[row] as number;
  table.kind[symbol] = columns.kind[row] as number;
  if (link.target.symbols.definitionShows) table.visibility[symbol] = columns.visibility[row] as number;
  mark(table, symbol, symbols.FROM_HIDDEN_ARCHIVE, from.hidden);
  mark(table, symbol, symbols.UNIQUE, columns.binding[row] === BINDING_UNIQUE);
}

/** Sets bits or clears them. */
export function mark(table: symbols.SymbolTable, symbol: number, bits: number, on: boolean): void {
  if (on) symbols.setFlag(table, symbol, bits);
  else symbols.clearFlag(table, symbol, bits);
}

function reportDuplicate(link: Link, symbol: number, from: TakenFile): void {
  const first = link.files[link.symbols.file[symbol] as number];
  report(
    link,
    new IpbpError('IPBP2030', `symbol ${link.symbols.names.text(symbol)} is defined twice`, {
      expected: `only the definition of ${first?.file.name ?? '?'}`,
      where: from.file.name,
    }),
  );
}
