// The debug map: symbols for debuggers that say which functions of a linked file are of which object, where their debug
// information has stayed. mach-o/stab.h; the order is that of Apple's linkers: a source, its object, what is in it, an end.
import type { SymbolRow } from './encode-symbols.js';

const N_GSYM = 0x20;
const N_FUN = 0x24;
const N_STSYM = 0x26;
const N_SO = 0x64;
const N_OSO = 0x66;

/** What is of one object. Names are as they stand in the file. */
export interface DebugMapUnit {
  /** The source file, as a debugger shows it. */
  readonly source: string;
  /** Path of the object; `lib.a(member.o)` of one in an archive. */
  readonly object: string;
  /** When the object was written, in seconds; 0 to leave that unchecked. */
  readonly modified: number;
  readonly functions: readonly DebugMapFunction[];
  readonly data: readonly DebugMapData[];
}

/** A function and its bytes of code; `section` is its number in the file. */
export interface DebugMapFunction {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly section: number;
}

/** Data. Some linkers leave out address and section where other files see it: they stand with its symbol. */
export interface DebugMapData {
  readonly name: string;
  readonly address: number;
  readonly section: number;
  readonly global: boolean;
}

/** The symbols, to stand among the local ones. */
export function debugMapRows(units: readonly DebugMapUnit[]): SymbolRow[] {
  const row = (type: number, name: string, section: number, description: number, value: number): SymbolRow => {
    return { type, name, section, description, value };
  };
  return units.flatMap(({ source, object, modified, functions, data }) => [
    row(N_SO, source, 0, 0, 0),
    row(N_OSO, object, 0, 1, modified),
    ...functions.flatMap(({ name, address, size, section }) => [
      row(N_FUN, name, section, 0, address),
      row(N_FUN, '', 0, 0, size),
    ]),
    ...data.map((one) => row(one.global ? N_GSYM : N_STSYM, one.name, one.section, 0, one.address)),
    row(N_SO, '', 1, 0, 0),
  ]);
}

/** The units of a file's symbols, all of which may be given: what is no part of the map, or of no object, is left out. */
export function readDebugMap(rows: Iterable<SymbolRow>): DebugMapUnit[] {
  const units: DebugMapUnit[] = [];
  let source = '';
  let unit: { functions: DebugMapFunction[]; data: DebugMapData[] } | null = null;
  let begun: SymbolRow | null = null;
  for (const row of rows) {
    const { type, name, section, value } = row;
    switch (type) {
      case N_SO:
        // A directory of its own may come first; an empty name ends the unit.
        source = name === '' ? '' : source.endsWith('/') ? source + name : name;
        unit = null;
        break;
      case N_OSO:
        unit = { functions: [], data: [] };
        units.push({ source, object: name, modified: value, ...unit });
        break;
      case N_FUN:
        if (name !== '') begun = row;
        else if (begun !== null) {
          unit?.functions.push({ name: begun.name, address: begun.value, size: value, section: begun.section });
          begun = null;
        }
        break;
      case N_GSYM:
      case N_STSYM:
        unit?.data.push({ name, address: value, section, global: type === N_GSYM });
        break;
      default:
    }
  }
  return units;
}
