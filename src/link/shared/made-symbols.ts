// Pass: symbols that the link itself defines: edges of sections and of the image, tables, the module's handle, those of
// --defsym, and the storage of common blocks. Only what is referred to and defined by nobody is made, hidden.
import { alignUp } from '../../bytes/align.js';
import { KIND_DATA, KIND_NONE, KIND_TLS, VISIBILITY_HIDDEN } from '../../formats/columns.js';
import { IpbpError } from '../../codes/error.js';
import { findEdges, type EdgeSymbol } from './edges.js';
import { report, type Link } from './link-state.js';
import { addMadeSection, SECTION_KEPT } from './sections.js';
import * as symbols from './symbols.js';
import type { MadePlace } from './target.js';

export interface MadeSymbol {
  readonly symbol: number;
  readonly place: MadePlace;
}

/** What the link defines, and the edges of sections that are named, which are not all its own. */
export interface MadeSymbols {
  readonly made: readonly MadeSymbol[];
  readonly edges: readonly EdgeSymbol[];
}

/** Defines what is asked for; the places get their addresses later. */
export function makeSymbols(link: Link): MadeSymbols {
  const made: MadeSymbol[] = [];
  for (const { name, base, offset } of link.options.defined) defineByOption(link, made, name, base, offset);
  for (const [name, place] of Object.entries(link.target.symbols.made)) {
    const symbol = symbols.findSymbol(link.symbols, name);
    if (symbol >= 0 && isWanted(link, symbol)) define(link, made, symbol, place, true);
  }
  const edges = findEdges(link);
  const { ofNothing } = link.target.symbols.edges;
  for (const { symbol, place, members } of edges) {
    const isThere = members.length > 0 || ofNothing || place.kind === 'region';
    if (isThere && isWanted(link, symbol)) define(link, made, symbol, place, true);
  }
  return { made, edges };
}

/** An object refers to it, and none defines it. A library's definition is of the library's own image. */
function isWanted(link: Link, symbol: number): boolean {
  const state = link.symbols.state[symbol] as number;
  if (state === symbols.STATE_UNKNOWN || state >= symbols.STATE_COMMON) return false;
  return symbols.hasFlag(link.symbols, symbol, symbols.REFERRED_SOMEHOW);
}

function define(link: Link, made: MadeSymbol[], symbol: number, place: MadePlace, hidden: boolean): void {
  const table = link.symbols;
  table.state[symbol] = symbols.STATE_DEFINED;
  table.section[symbol] = symbols.MADE_ADDRESS;
  table.value[symbol] = 0;
  table.size[symbol] = 0;
  table.kind[symbol] = place.kind === 'template' ? KIND_TLS : KIND_NONE;
  table.file[symbol] = -1;
  symbols.clearFlag(table, symbol, symbols.WEAK);
  if (hidden) table.visibility[symbol] = Math.max(table.visibility[symbol] as number, VISIBILITY_HIDDEN);
  made.push({ symbol, place });
}

function defineByOption(link: Link, made: MadeSymbol[], name: string, base: string | null, offset: number): void {
  const table = link.symbols;
  const symbol = symbols.symbolNamed(table, name);
  if (base === null) {
    table.state[symbol] = symbols.STATE_DEFINED;
    table.section[symbol] = symbols.ABSOLUTE;
    table.value[symbol] = offset;
    table.size[symbol] = 0;
    table.file[symbol] = -1;
    return;
  }
  const target = symbols.findSymbol(table, base);
  const state = target < 0 ? symbols.STATE_UNKNOWN : (table.state[target] as number);
  if (state < symbols.STATE_COMMON) {
    report(link, new IpbpError('IPBP2031', `${base} is not defined`, { where: `the definition of ${name}` }));
    return;
  }
  if (table.section[target] === symbols.MADE_ADDRESS || state === symbols.STATE_COMMON) {
    define(link, made, symbol, { kind: 'symbol', base: target, offset }, false);
    return;
  }
  // The same place: the section and the kind go with it.
  table.state[symbol] = symbols.STATE_DEFINED;
  table.section[symbol] = table.section[target] as number;
  table.value[symbol] = (table.value[target] as number) + offset;
  table.size[symbol] = 0;
  table.kind[symbol] = table.kind[target] as number;
  table.file[symbol] = -1;
}

/** Gives every common block its place in one zero-filled section. */
export function placeCommons(link: Link): void {
  const table = link.symbols;
  const commons: number[] = [];
  for (let symbol = 0; symbol < table.names.count; symbol++) {
    if (table.state[symbol] === symbols.STATE_COMMON) commons.push(symbol);
  }
  if (commons.length === 0) return;
  const alignOf = (symbol: number): number => Math.max(1, table.value[symbol] as number);
  const section = addMadeSection(link.sections, {
    name: link.target.sections.made.common,
    kind: 'zero',
    writable: true,
    align: Math.max(...commons.map(alignOf)),
  });
  let end = 0;
  for (const symbol of commons) {
    const start = alignUp(end, alignOf(symbol));
    table.section[symbol] = section;
    table.value[symbol] = start;
    table.state[symbol] = symbols.STATE_DEFINED;
    table.kind[symbol] = KIND_DATA;
    end = start + (table.size[symbol] as number);
  }
  link.sections.size[section] = end;
  link.sections.fate[section] = SECTION_KEPT;
}
