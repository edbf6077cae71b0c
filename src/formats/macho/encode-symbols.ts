// The symbol table of a linked file and the names in it: nlist_64 rows, in the three groups that LC_DYSYMTAB tells apart.
// mach-o/nlist.h.
import { ByteWriter } from '../../bytes/writer.js';
import { createTextPool } from './text-pool.js';

/** One row. `name` is as it stands in the file: `_malloc`. */
export interface SymbolRow {
  readonly name: string;
  readonly type: number;
  /** From 1, over all segments; 0 for none. */
  readonly section: number;
  readonly description: number;
  readonly value: number;
}

/** Local ones (debug maps among them), defined ones that others see, undefined ones. */
export interface SymbolGroups {
  readonly locals: readonly SymbolRow[];
  readonly defined: readonly SymbolRow[];
  readonly undefined: readonly SymbolRow[];
}

/** The tables of a file, and how many rows each group has. */
export interface EncodedSymbols {
  readonly entries: Uint8Array;
  readonly strings: Uint8Array;
  readonly locals: number;
  readonly defined: number;
  readonly undefined: number;
}

/** Encodes the groups in their order: dyld wants defined and undefined ones each sorted by name, which is the caller's. */
export function encodeSymbols(groups: SymbolGroups): EncodedSymbols {
  const { locals, defined, undefined: missing } = groups;
  // A name at offset 0 is none: the table begins with a blank, as those of Apple's linkers do.
  const pool = createTextPool(' ');
  const w = new ByteWriter((locals.length + defined.length + missing.length) * 16);
  for (const group of [locals, defined, missing]) {
    for (const { name, type, section, description, value } of group) {
      w.u32(pool.add(name)).u8(type).u8(section).u16(description).u64(value);
    }
  }
  const counts = { locals: locals.length, defined: defined.length, undefined: missing.length };
  return { entries: w.finish(), strings: pool.finish(), ...counts };
}
