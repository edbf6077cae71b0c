// The symbol table of a Mach-O library: local symbols with the debug map, exported ones, and imports; and the table that
// says which symbol each stub and each slot is of. Apple's <mach-o/nlist.h> and <mach-o/loader.h> (LC_DYSYMTAB).
import { BINDING_LOCAL, KIND_FUNCTION, KIND_SECTION, SECTION_UNDEFINED } from '../formats/columns.js';
import * as macho from '../formats/macho/constants.js';
import { debugMapRows, type DebugMapUnit } from '../formats/macho/debug-map.js';
import { encodeSymbols, type EncodedSymbols, type SymbolRow } from '../formats/macho/encode-symbols.js';
import { fileName } from '../formats/macho/names.js';
import { libraryOf } from './emit-dylib-loader.js';
import type { Link, TakenFile } from './shared/link-state.js';
import type { LoaderWork } from './shared/loader-work.js';
import type { Needs } from './shared/needs.js';
import * as symbols from './shared/symbols.js';
import { localAddress, type Values } from './shared/values.js';

/** INDIRECT_SYMBOL_LOCAL and INDIRECT_SYMBOL_ABS: a slot of what is not looked up. */
const INDIRECT_SYMBOL_LOCAL = 0x8000_0000;

/** What the tables are made from. */
export interface SymbolSources {
  readonly link: Link;
  readonly values: Values;
  readonly exported: readonly number[];
  readonly work: LoaderWork;
  /** When an object was last written, in seconds, by its name; 0 where nobody knows. */
  readonly modified: (file: string) => number;
}

/** The table, and the row of a symbol in it by its number. */
export interface DylibSymbols {
  readonly encoded: EncodedSymbols;
  readonly rowOf: ReadonlyMap<number, number>;
}

/** dyld and its tools look for names by halving. */
function byName(a: SymbolRow, b: SymbolRow): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Encodes all symbols of what is kept. */
export function encodeDylibSymbols(sources: SymbolSources): DylibSymbols {
  const { link, exported } = sources;
  const { options } = link;
  const rowOf = new Map<number, number>();
  const units = options.strip === 'none' ? debugUnits(sources) : [];
  const locals = [
    ...debugMapRows(units),
    ...(options.discard === 'all' || options.strip === 'all' ? [] : localRows(sources)),
  ];
  const defined = exported.map((symbol) => ({ symbol, row: definedRow(sources, symbol, macho.N_EXT) }));
  const imports = importRows(sources);
  let next = locals.length;
  for (const group of [defined, imports]) {
    group.sort((a, b) => byName(a.row, b.row));
    for (const { symbol } of group) rowOf.set(symbol, next++);
  }
  const rows = (group: typeof defined): SymbolRow[] => group.map(({ row }) => row);
  return { encoded: encodeSymbols({ locals, defined: rows(defined), undefined: rows(imports) }), rowOf };
}

/** `l…` and `L…`: an assembler's and a compiler's own. */
const PRIVATE_NAME = /^[lL]/;

function localRows({ link, values, exported }: SymbolSources): SymbolRow[] {
  const rows: SymbolRow[] = [];
  const isExported = new Uint8Array(link.symbols.names.count);
  for (const symbol of exported) isExported[symbol] = 1;
  for (const file of link.files) {
    const { columns, base, globals } = file;
    for (let row = 1; row < columns.count; row++) {
      const at = columns.section[row] as number;
      if (columns.kind[row] === KIND_SECTION || at === SECTION_UNDEFINED) continue;
      const name = columns.nameOf(row);
      const symbol = globals[row] as number;
      if (columns.binding[row] !== BINDING_LOCAL) {
        // Seen by no other file: listed where its definition is.
        const { file: from, row: fromRow } = link.symbols;
        if (symbol < 0 || isExported[symbol] === 1 || from[symbol] !== file.number || fromRow[symbol] !== row) continue;
        if (!isAlive(link, values, symbol)) continue;
        rows.push(definedRow({ link, values }, symbol, macho.N_PEXT));
        continue;
      }
      if (PRIVATE_NAME.test(fileName(name))) continue;
      if (at < 0) {
        const value = columns.value[row] as number;
        if (value >= 0) rows.push({ name: fileName(name), type: macho.N_ABS, section: 0, description: 0, value });
        continue;
      }
      if (values.alive[base + at] === 0) continue;
      const section = sectionNumber(link, values, base + at);
      const value = localAddress(values, file, row, 0);
      rows.push({ name: fileName(name), type: macho.N_SECT, section, description: 0, value });
    }
  }
  return rows;
}

function isAlive({ symbols: table }: Link, values: Values, symbol: number): boolean {
  const section = table.section[symbol] as number;
  return section < 0 || values.alive[section] === 1;
}

/** Number of the output section of an input section, from 1. */
function sectionNumber(link: Link, values: Values, section: number): number {
  const merged = values.merged[section];
  return (link.sections.output[merged?.section ?? section] as number) + 1;
}

function definedRow(
  { link, values }: Pick<SymbolSources, 'link' | 'values'>,
  symbol: number,
  scope: number,
): SymbolRow {
  const { symbols: table } = link;
  const section = table.section[symbol] as number;
  const weak = scope === macho.N_EXT && symbols.hasFlag(table, symbol, symbols.WEAK);
  return {
    name: fileName(table.names.text(symbol)),
    type: (section < 0 ? macho.N_ABS : macho.N_SECT) + scope,
    section: section < 0 ? 0 : sectionNumber(link, values, section),
    description: weak ? macho.N_WEAK_DEF : 0,
    value: values.symbolAddress[symbol] as number,
  };
}

/** Names that the loader looks up in other files. */
function importRows({ link, work }: SymbolSources): { symbol: number; row: SymbolRow }[] {
  const { symbols: table } = link;
  const library = libraryOf(link);
  const wanted = new Set<number>();
  for (let index = 0; index < work.count; index++) {
    const symbol = work.symbol[index] as number;
    if (symbol >= 0 && (table.state[symbol] as number) < symbols.STATE_COMMON) wanted.add(symbol);
  }
  return [...wanted].map((symbol) => {
    const from = library(symbol);
    // SET_LIBRARY_ORDINAL; DYNAMIC_LOOKUP_ORDINAL is 0xfe. More libraries than that are told apart by the fixups only.
    const ordinal = from < 0 ? 256 + from : Math.min(from, 0xfd);
    const weakly = symbols.hasFlag(table, symbol, symbols.REFERRED) ? 0 : macho.N_WEAK_REF;
    const name = fileName(table.names.text(symbol));
    return { symbol, row: { name, type: macho.N_EXT, section: 0, description: ordinal * 256 + weakly, value: 0 } };
  });
}

/** Which symbol each stub is of, then which each slot is of: first those of loads, then those of stubs. */
export function indirectSymbols({ stubs, slots }: Needs, { rowOf }: DylibSymbols): number[] {
  const row = (symbol: number): number => rowOf.get(symbol) ?? INDIRECT_SYMBOL_LOCAL;
  return [...stubs.map(row), ...slots.map(({ symbol }) => row(symbol)), ...stubs.map(row)];
}

/** One for each object with debug information. */
function debugUnits(sources: SymbolSources): DebugMapUnit[] {
  return sources.link.files.flatMap((file) => {
    if (!file.file.sections.some(({ kind }) => kind === 'debug')) return [];
    const unit = debugUnit(sources, file);
    return unit.functions.length + unit.data.length === 0 ? [] : [unit];
  });
}

function debugUnit({ link, values, modified }: SymbolSources, file: TakenFile): DebugMapUnit {
  const { columns, base, globals, number } = file;
  const functions: DebugMapUnit['functions'][number][] = [];
  const data: DebugMapUnit['data'][number][] = [];
  for (let row = 1; row < columns.count; row++) {
    const at = columns.section[row] as number;
    if (at < 0 || columns.kind[row] === KIND_SECTION || values.alive[base + at] === 0) continue;
    const symbol = globals[row] as number;
    if (symbol >= 0 && (link.symbols.file[symbol] !== number || link.symbols.row[symbol] !== row)) continue;
    const name = columns.nameOf(row);
    if (PRIVATE_NAME.test(fileName(name))) continue;
    const section = sectionNumber(link, values, base + at);
    const address = localAddress(values, file, row, 0);
    if (columns.kind[row] === KIND_FUNCTION) {
      functions.push({ name: fileName(name), address, size: columns.size[row] as number, section });
    } else {
      const seen = symbol >= 0 && symbols.hasFlag(link.symbols, symbol, symbols.DYNAMIC);
      data.push({ name: fileName(name), address, section, global: seen });
    }
  }
  const { name } = file.file;
  return { source: name, object: name, modified: modified(name), functions, data };
}
