// The model's symbols of a Mach-O file, as columns: one of no name at index 0, as everything above takes that for "no
// symbol"; those of the file that are not for debuggers; and in relocatable files one for each section of the model, which
// relocations by section refer to.
import { decodeText } from '../../bytes/text.js';
import * as columns from '../columns.js';
import type { SymbolColumns } from '../columns.js';
import * as macho from './constants.js';
import type { MachoHeaders, MachoSection } from './header.js';
import { isMarked, markedName } from './names.js';
import { sectionKind } from './section-kinds.js';
import { pieceAt, type Pieces } from './subsections.js';
import { brokenEntry, isTemporary, whereOf, type NlistTable } from './symbol-table.js';

export interface SymbolParts {
  readonly headers: MachoHeaders;
  readonly table: NlistTable;
  readonly pieces: Pieces;
}

/** How many symbols the model has, and which is that of a section. */
export function sectionSymbol(table: NlistTable, section: number): number {
  return table.rows.length + 1 + section;
}

/** Without the sizes of what is in sections. IPBP1002 for entries that no such file has. */
export function readSymbolColumns({ headers, table, pieces }: SymbolParts): SymbolColumns {
  const linked = headers.type !== macho.MH_OBJECT;
  const own = table.rows.length + 1;
  const count = linked ? own : own + pieces.count;
  const kind = new Uint8Array(count);
  const binding = new Uint8Array(count);
  const visibility = new Uint8Array(count);
  const section = new Int32Array(count).fill(columns.SECTION_UNDEFINED);
  const value = new Float64Array(count);
  const size = new Float64Array(count);
  let firstGlobal = count;
  for (let symbol = 1; symbol < own; symbol++) {
    const row = table.rows[symbol - 1] as number;
    const type = table.type[row] as number;
    const description = table.description[row] as number;
    const external = (type & macho.N_EXT) !== 0;
    const at = table.value[row] as number;
    if (external && firstGlobal === count) firstGlobal = symbol;
    if ((type & macho.N_PEXT) !== 0) visibility[symbol] = columns.VISIBILITY_HIDDEN;
    let weak = false;
    switch (whereOf(table, row)) {
      case macho.N_SECT: {
        const number = (table.section[row] as number) - 1;
        place(symbol, number, at);
        kind[symbol] = kindOfSymbol(headers.sections[number] as MachoSection, at);
        if (!linked && kind[symbol] === columns.KIND_FUNCTION) {
          if (isTemporary(table, row)) kind[symbol] = columns.KIND_NONE;
          else if ((description & macho.N_SYMBOL_RESOLVER) !== 0) kind[symbol] = columns.KIND_IFUNC;
        }
        weak = (description & macho.N_WEAK_DEF) !== 0;
        // "Weak definition can be hidden": nobody compares its address, so that each file may have its own.
        if (!linked && weak && (description & macho.N_WEAK_REF) !== 0) visibility[symbol] = columns.VISIBILITY_HIDDEN;
        break;
      }
      case macho.N_ABS:
        section[symbol] = columns.SECTION_ABSOLUTE;
        value[symbol] = at;
        break;
      case macho.N_UNDF:
      case macho.N_PBUD:
        if (!linked && external && at > 0) {
          section[symbol] = columns.SECTION_COMMON;
          kind[symbol] = columns.KIND_DATA;
          value[symbol] = 2 ** ((description >>> 8) & 0xf); // GET_COMM_ALIGN
          size[symbol] = at;
        } else weak = (description & macho.N_WEAK_REF) !== 0;
        break;
      case macho.N_INDR:
        // In a library it is the name of what another one has.
        if (!linked) brokenEntry(table, row, 'a symbol that stands for another one is not supported', type);
        break;
      default:
        brokenEntry(table, row, 'a symbol has an unknown type', type);
    }
    binding[symbol] = !external ? columns.BINDING_LOCAL : weak ? columns.BINDING_WEAK : columns.BINDING_GLOBAL;
  }

  function place(symbol: number, number: number, at: number): void {
    if (linked) {
      section[symbol] = number;
      value[symbol] = at;
      return;
    }
    const offset = at - (headers.sections[number]?.address ?? 0);
    const piece = pieceAt(pieces, number, offset);
    section[symbol] = piece;
    value[symbol] = offset - (pieces.start[piece] as number);
  }

  for (let symbol = own; symbol < count; symbol++) {
    kind[symbol] = columns.KIND_SECTION;
    section[symbol] = symbol - own;
  }
  const { names, nameOf } = modelNames(table, count);
  return { count, firstGlobal, names, kind, binding, visibility, section, value, size, nameOf };
}

/** What a symbol at an address in a section is; nothing where the section does not hold it: `__mh_execute_header`. */
export function kindOfSymbol(section: MachoSection, address: number): number {
  if (address < section.address || address > section.address + section.size) return columns.KIND_NONE;
  const kind = sectionKind(section);
  if (kind === 'code') return columns.KIND_FUNCTION;
  return kind === 'tls-data' || kind === 'tls-zero' ? columns.KIND_TLS : columns.KIND_DATA;
}

/** The model's names (names.ts): without the underscore they lie in the string table, marked ones are put behind it. */
function modelNames(table: NlistTable, count: number): Pick<SymbolColumns, 'names' | 'nameOf'> {
  const { strings, nameStart, nameLength, rows } = table;
  const offset = new Uint32Array(count);
  const length = new Uint32Array(count);
  // Where they lie, and what those with a mark need besides.
  let more = 0;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number;
    const start = nameStart[row] as number;
    const size = nameLength[row] as number;
    if (size === 0) continue;
    const isLonger = isMarked(strings, start, start + size);
    if (isLonger) more += size + 1;
    offset[index + 1] = isLonger ? start : start + 1;
    length[index + 1] = isLonger ? size + 1 : size - 1;
  }
  let bytes = strings;
  if (more > 0) {
    bytes = new Uint8Array(strings.length + more);
    bytes.set(strings);
    let next = strings.length;
    for (let index = 0; index < rows.length; index++) {
      const size = nameLength[rows[index] as number] as number;
      if (length[index + 1] !== size + 1) continue;
      const start = offset[index + 1] as number;
      bytes.set(markedName(strings, start, start + size), next);
      offset[index + 1] = next;
      next += size + 1;
    }
  }
  return {
    names: { bytes, offset, length },
    nameOf(symbol) {
      const start = offset[symbol] ?? 0;
      return decodeText(bytes, start, start + (length[symbol] ?? 0));
    },
  };
}
