// What other files can see of a linked one, and what it asks of others: the export trie and the undefined names of the
// symbol table, as columns of the model. Row 0 is no symbol. Of a file without a trie the symbol table says all.
import { ByteWriter } from '../../bytes/writer.js';
import { decodeText } from '../../bytes/text.js';
import * as columns from '../columns.js';
import type { SymbolColumns } from '../columns.js';
import * as macho from './constants.js';
import type { TrieExport } from './encode-export-trie.js';
import type { MachoSection } from './header.js';
import type { SizeAt } from './linked-sizes.js';
import { modelName } from './names.js';
import { whereOf, type NlistTable } from './symbol-table.js';
import { kindOfSymbol } from './symbols.js';

interface Row {
  readonly name: string;
  /** Index, or one of the SECTION_ numbers. */
  readonly section: number;
  readonly value: number;
  readonly weak: boolean;
}

export interface DynamicParts {
  readonly exports: readonly TrieExport[] | null;
  readonly table: NlistTable;
  /** Address of the file's header. */
  readonly base: number;
  readonly sections: readonly MachoSection[];
  readonly sectionAt: (address: number) => MachoSection | null;
  readonly sizeAt: SizeAt;
}

/** Exports first, then what is undefined. */
export function dynamicSymbols(parts: DynamicParts): SymbolColumns {
  const { exports, table, sections } = parts;
  const rows = exports === null ? [] : exports.map((entry) => exported(parts, entry));
  for (const row of table.rows) {
    if (((table.type[row] as number) & macho.N_EXT) === 0) continue;
    const where = whereOf(table, row);
    if (exports !== null && where !== macho.N_UNDF) continue;
    rows.push(inTable(table, row, where));
  }
  const count = rows.length + 1;
  const names = new ByteWriter();
  const offset = new Uint32Array(count);
  const length = new Uint32Array(count);
  const kind = new Uint8Array(count);
  const binding = new Uint8Array(count).fill(columns.BINDING_GLOBAL);
  binding[0] = columns.BINDING_LOCAL;
  const section = new Int32Array(count).fill(columns.SECTION_UNDEFINED);
  const value = new Float64Array(count);
  const size = new Float64Array(count);
  rows.forEach((row, index) => {
    const symbol = index + 1;
    offset[symbol] = names.length;
    names.cstring(row.name);
    length[symbol] = names.length - offset[symbol] - 1;
    section[symbol] = row.section;
    value[symbol] = row.value;
    if (row.weak) binding[symbol] = columns.BINDING_WEAK;
    const home = sections[row.section];
    if (home === undefined) return;
    kind[symbol] = kindOfSymbol(home, row.value);
    size[symbol] = parts.sizeAt(row.value, home);
  });
  const bytes = names.finish();
  return {
    count,
    firstGlobal: 1,
    names: { bytes, offset, length },
    ...{ kind, binding, visibility: new Uint8Array(count), section, value, size },
    nameOf(symbol) {
      const start = offset[symbol] ?? 0;
      return decodeText(bytes, start, start + (length[symbol] ?? 0));
    },
  };
}

/** What another library has is passed on under a name of its own: the file does not define it. */
function exported({ base, sections, sectionAt }: DynamicParts, { name, kind, value, weak, reexport }: TrieExport): Row {
  const common = { name: modelName(name), weak };
  if (reexport !== null) return { ...common, section: columns.SECTION_UNDEFINED, value: 0 };
  if (kind === 'absolute') return { ...common, section: columns.SECTION_ABSOLUTE, value };
  const address = base + value;
  // What marks the start of the file (`__mh_execute_header`) is in none, and counted to the first.
  const section = sectionAt(address)?.index ?? (sections.length > 0 ? 0 : columns.SECTION_ABSOLUTE);
  return { ...common, section, value: Number.isSafeInteger(address) ? address : NaN };
}

function inTable(table: NlistTable, row: number, where: number): Row {
  const start = table.nameStart[row] as number;
  const name = modelName(decodeText(table.strings, start, start + (table.nameLength[row] as number)));
  const description = table.description[row] as number;
  const value = table.value[row] as number;
  switch (where) {
    case macho.N_SECT: {
      const weak = (description & macho.N_WEAK_DEF) !== 0;
      return { name, section: (table.section[row] as number) - 1, value, weak };
    }
    case macho.N_ABS:
      return { name, section: columns.SECTION_ABSOLUTE, value, weak: false };
    default: {
      const weak = (description & macho.N_WEAK_REF) !== 0;
      return { name, section: columns.SECTION_UNDEFINED, value: 0, weak };
    }
  }
}
