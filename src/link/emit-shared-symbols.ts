// .symtab and .strtab of an ELF shared object: what debuggers and people read. Local symbols first, object by object, then
// the global ones (gABI "Symbol Table").
import {
  BINDING_GLOBAL,
  BINDING_LOCAL,
  BINDING_UNIQUE,
  BINDING_WEAK,
  KIND_FILE,
  KIND_SECTION,
  KIND_TLS,
  SECTION_ABSOLUTE,
  SECTION_UNDEFINED,
  VISIBILITY_HIDDEN,
  type SymbolColumns,
} from '../formats/columns.js';
import { createStringTable, encodeSymbols, symbolRows, type StringTableWriter } from '../formats/elf/encode-symbols.js';
import { sectionIndex } from './emit-shared-dynamic.js';
import type { Link, TakenFile } from './shared/link-state.js';
import * as symbols from './shared/symbols.js';
import { localAddress, tableValue, type Values } from './shared/values.js';

/** The tables' bytes, and the index of the first symbol that is not local. */
export interface SymbolTableBytes {
  readonly entries: Uint8Array;
  readonly extended: Uint8Array | null;
  readonly strings: Uint8Array;
  readonly firstGlobal: number;
}

type Rows = ReturnType<typeof symbolRows>;

/** Encodes all symbols of what is kept. */
export function encodeSymbolTable(link: Link, values: Values): SymbolTableBytes {
  const strings = createStringTable();
  const rows = symbolRows(link.localCount + link.symbols.names.count);
  if (link.options.discard !== 'all') {
    for (const file of link.files) addLocals(link, values, file, rows, strings);
  }
  const globals: number[] = [];
  const table = link.symbols;
  for (let symbol = 0; symbol < table.names.count; symbol++) {
    if (!isListed(link, values, symbol)) continue;
    if (isLocal(link, symbol)) addGlobal(link, values, symbol, rows, strings);
    else globals.push(symbol);
  }
  const firstGlobal = rows.count + 1;
  for (const symbol of globals) addGlobal(link, values, symbol, rows, strings);
  return { ...encodeSymbols(rows), strings: strings.finish(), firstGlobal };
}

function addLocals(link: Link, values: Values, file: TakenFile, rows: Rows, strings: StringTableWriter): void {
  const { columns, base } = file;
  const { names } = columns;
  const temporary = link.options.discard === 'temporary';
  for (let row = 1; row < columns.count; row++) {
    if (columns.binding[row] !== BINDING_LOCAL) continue;
    const kind = columns.kind[row] as number;
    if (kind === KIND_SECTION || (temporary && isTemporary(columns, row))) continue;
    const at = columns.section[row] as number;
    const start = names.offset[row] as number;
    const to = rows.count;
    if (at >= 0) {
      if (values.alive[base + at] === 0) continue;
      const merged = values.merged[base + at];
      const output = link.sections.output[merged?.section ?? base + at] as number;
      if (output < 0) continue;
      rows.section[to] = output + 1;
      const address = localAddress(values, file, row, 0);
      rows.value[to] = kind === KIND_TLS ? address - values.templateStart : address;
    } else {
      if (at === SECTION_UNDEFINED) continue;
      const value = columns.value[row] as number;
      if (!(value >= 0)) continue;
      rows.section[to] = SECTION_ABSOLUTE;
      rows.value[to] = kind === KIND_FILE ? 0 : value;
    }
    rows.kind[to] = kind;
    rows.binding[to] = BINDING_LOCAL;
    rows.visibility[to] = columns.visibility[row] as number;
    rows.size[to] = columns.size[row] as number;
    rows.name[to] = strings.add(names.bytes, start, start + (names.length[row] as number));
    rows.count++;
  }
}

/** `.L…` */
function isTemporary({ names }: SymbolColumns, row: number): boolean {
  const start = names.offset[row] as number;
  return names.bytes[start] === 0x2e && names.bytes[start + 1] === 0x4c;
}

function isListed(link: Link, values: Values, symbol: number): boolean {
  const table = link.symbols;
  if ((table.state[symbol] as number) < symbols.STATE_COMMON) {
    const referred = symbols.hasFlag(table, symbol, symbols.REFERRED_SOMEHOW);
    return referred && (!link.options.gc || symbols.hasFlag(table, symbol, symbols.USED));
  }
  const section = table.section[symbol] as number;
  return section < 0 || values.alive[section] === 1;
}

/** Nobody outside can mean it. */
function isLocal(link: Link, symbol: number): boolean {
  const table = link.symbols;
  if ((table.state[symbol] as number) < symbols.STATE_COMMON) return false;
  return (table.visibility[symbol] as number) >= VISIBILITY_HIDDEN || !symbols.hasFlag(table, symbol, symbols.DYNAMIC);
}

function addGlobal(link: Link, values: Values, symbol: number, rows: Rows, strings: StringTableWriter): void {
  const table = link.symbols;
  const to = rows.count++;
  const name = table.names.bytes(symbol);
  rows.name[to] = strings.add(name, 0, name.length);
  rows.kind[to] = table.kind[symbol] as number;
  rows.visibility[to] = table.visibility[symbol] as number;
  if ((table.state[symbol] as number) < symbols.STATE_COMMON) {
    rows.binding[to] = symbols.hasFlag(table, symbol, symbols.REFERRED) ? BINDING_GLOBAL : BINDING_WEAK;
    rows.section[to] = SECTION_UNDEFINED;
    return;
  }
  rows.binding[to] = isLocal(link, symbol)
    ? BINDING_LOCAL
    : symbols.hasFlag(table, symbol, symbols.UNIQUE)
      ? BINDING_UNIQUE
      : symbols.hasFlag(table, symbol, symbols.WEAK)
        ? BINDING_WEAK
        : BINDING_GLOBAL;
  rows.section[to] = sectionIndex(link, values, symbol);
  rows.value[to] = tableValue(link, values, symbol);
  rows.size[to] = table.size[symbol] as number;
}
