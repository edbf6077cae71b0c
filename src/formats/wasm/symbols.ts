// The model's symbols, as columns: one of no name at index 0, as everything above takes that for "no symbol"; those of the
// linking section; and one for each type, which relocations refer to by its index. A type's name is what it is, so that
// equal ones of several files are one symbol. Of linked files: functions and globals, by the name section.
import { decodeText, encodeText } from '../../bytes/text.js';
import { ByteWriter } from '../../bytes/writer.js';
import type { Windows } from '../../bytes/source.js';
import * as columns from '../columns.js';
import type { SymbolColumns } from '../columns.js';
import { constantOf } from './const-expr.js';
import * as wasm from './constants.js';
import type { WasmFacts } from './facts.js';
import type { LinkingSymbol } from './linking.js';
import type { ExternKind, Import } from './module.js';
import { namesIn, type IndexName } from './names.js';
import { bodyPiece, segmentPiece, type Pieces } from './pieces.js';
import { functionTypeText } from './value-types.js';

/** What symbols are made of. */
export interface SymbolParts {
  readonly file: Windows;
  readonly facts: WasmFacts;
  readonly pieces: Pieces;
  readonly linked: boolean;
}

/** The linking section's symbols; null where there is none. */
export function linkingSymbols(facts: WasmFacts): readonly LinkingSymbol[] | null {
  const tables = facts.linking()?.flatMap((part) => (part.kind === 'symbols' ? [part.symbols] : [])) ?? null;
  // There is one.
  return tables === null ? null : tables.length === 1 ? (tables[0] ?? []) : tables.flat();
}

/** Row of a symbol of the linking section. */
export function symbolRow(index: number): number {
  return 1 + index;
}

/** One symbol as it becomes a row. */
interface Row {
  readonly name: Uint8Array;
  readonly kind: number;
  readonly flags: number;
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

const NO_NAME = new Uint8Array(0);
const NOTHING: Row = {
  ...{ name: NO_NAME, kind: columns.KIND_NONE, flags: wasm.WASM_SYM_BINDING_LOCAL },
  ...{ section: columns.SECTION_UNDEFINED, value: 0, size: 0 },
};

/** Reads all symbols. IPBP1002 for those that lead nowhere. */
export function readSymbolColumns(parts: SymbolParts): SymbolColumns {
  const symbols = linkingSymbols(parts.facts);
  const rows =
    symbols === null
      ? namedRows(parts)
      : [...symbols.map((symbol, index) => rowOf(parts, symbol, index)), ...typeRows(parts.facts)];
  return toColumns([NOTHING, ...rows]);
}

function toColumns(rows: readonly Row[]): SymbolColumns {
  const count = rows.length;
  const pool = new ByteWriter(count * 64);
  const offset = new Uint32Array(count);
  const length = new Uint32Array(count);
  const [kind, binding, visibility] = [new Uint8Array(count), new Uint8Array(count), new Uint8Array(count)];
  const section = new Int32Array(count);
  const [value, size] = [new Float64Array(count), new Float64Array(count)];
  rows.forEach((row, index) => {
    offset[index] = pool.length;
    length[index] = row.name.length;
    pool.raw(row.name);
    kind[index] = row.kind;
    if ((row.flags & wasm.WASM_SYM_VISIBILITY_HIDDEN) !== 0) visibility[index] = columns.VISIBILITY_HIDDEN;
    binding[index] =
      (row.flags & wasm.WASM_SYM_BINDING_LOCAL) !== 0
        ? columns.BINDING_LOCAL
        : (row.flags & wasm.WASM_SYM_BINDING_WEAK) !== 0
          ? columns.BINDING_WEAK
          : columns.BINDING_GLOBAL;
    section[index] = row.section;
    value[index] = row.value;
    size[index] = row.size;
  });
  const bytes = pool.finish();
  const nameOf = (row: number): string => {
    const start = offset[row] ?? 0;
    return decodeText(bytes, start, start + (length[row] ?? 0));
  };
  // Local ones stand among the others.
  return {
    ...{ count, firstGlobal: count, names: { bytes, offset, length } },
    ...{ kind, binding, visibility, section, value, size, nameOf },
  };
}

/** Types are known to every file alike: nobody defines them. */
function typeRows(facts: WasmFacts): Row[] {
  return facts
    .types()
    .map((type) => ({ ...NOTHING, name: encodeText(functionTypeText(type)), kind: columns.KIND_TYPE }));
}

const KINDS = {
  function: columns.KIND_FUNCTION,
  global: columns.KIND_GLOBAL,
  table: columns.KIND_TABLE,
  tag: columns.KIND_TAG,
} as const;

function rowOf(parts: SymbolParts, symbol: LinkingSymbol, index: number): Row {
  const { file, facts, pieces, linked } = parts;
  const { flags } = symbol;
  const broken = (what: string, actual: number): never =>
    file.malformed(what, { actual: `${actual}, of symbol ${index}` }, linkingOffset(facts));
  const nameBytes = ({ offset, size }: { readonly offset: number; readonly size: number }): Uint8Array =>
    file.window(offset, size).bytes;

  if (symbol.kind === 'section') {
    const section = facts.files[symbol.index] === undefined ? -1 : (pieces.first[symbol.index] as number);
    if (section < 0) return broken('a symbol of a section that is not there', symbol.index);
    return { ...NOTHING, flags, kind: columns.KIND_SECTION, section };
  }
  if (symbol.kind === 'data') {
    const name = nameBytes(symbol.name.range);
    const kind = (flags & wasm.WASM_SYM_TLS) !== 0 ? columns.KIND_TLS : columns.KIND_DATA;
    const { place } = symbol;
    if (place === null) return { ...NOTHING, name, flags, kind };
    const { offset, size } = place;
    if ((flags & wasm.WASM_SYM_ABSOLUTE) !== 0) {
      return { name, flags, kind, section: columns.SECTION_ABSOLUTE, value: offset, size };
    }
    const section = segmentPiece(facts, pieces, place.segment);
    if (section < 0) return broken('a symbol of a segment that is not there', place.segment);
    if (offset + size > (pieces.size[section] as number)) return broken('a symbol leads out of its segment', offset);
    return { name, flags, kind, section, value: (linked ? segmentAddress(facts, place.segment) : 0) + offset, size };
  }
  const kind = KINDS[symbol.kind];
  const imports = facts.imports(symbol.kind);
  if ((flags & wasm.WASM_SYM_UNDEFINED) !== 0) {
    const imported = imports[symbol.index];
    if (imported === undefined) return broken('an undefined symbol that is no import', symbol.index);
    return { ...NOTHING, name: nameBytes(symbol.name?.range ?? imported.name), flags, kind };
  }
  const defined = symbol.index - imports.length;
  const name = symbol.name === null ? NO_NAME : nameBytes(symbol.name.range);
  if (symbol.kind === 'function') {
    const section = bodyPiece(facts, pieces, defined);
    if (defined < 0 || section < 0) return broken('a symbol of a function that is not there', symbol.index);
    return { name, flags, kind, section, value: linked ? symbol.index : 0, size: pieces.size[section] as number };
  }
  if (defined < 0 || defined >= countOf(facts, symbol.kind)) {
    return broken(`a symbol of a ${symbol.kind} that is not there`, symbol.index);
  }
  return { name, flags, kind, section: columns.SECTION_ABSOLUTE, value: symbol.index, size: 0 };
}

function countOf(facts: WasmFacts, kind: 'global' | 'table' | 'tag'): number {
  if (kind === 'global') return facts.content('global')?.globals.length ?? 0;
  return kind === 'table' ? (facts.content('table')?.tables.length ?? 0) : (facts.content('tag')?.types.length ?? 0);
}

function segmentAddress(facts: WasmFacts, segment: number): number {
  const place = facts.dataSegments()[segment]?.place ?? null;
  return place === null ? 0 : (constantOf(place.offset) ?? 0);
}

function linkingOffset(facts: WasmFacts): number {
  return facts.files[facts.indexOf(wasm.SECTION_CUSTOM, 'linking')]?.offset ?? 0;
}

/** Functions and globals of a linked module, each in the place of its index: also those that have no name. */
function namedRows({ facts, pieces }: SymbolParts): Row[] {
  const space = (kind: 'function' | 'global', defined: number, row: (index: number) => Row): Row[] => {
    const imports = facts.imports(kind);
    const names = new Map(namesIn(facts.names(), kind).map(({ index, name }: IndexName) => [index, name]));
    const exported = exportNames(facts, kind);
    return Array.from({ length: imports.length + defined }, (_, index) => {
      const name = names.get(index) ?? exported.get(index) ?? imports[index]?.field ?? '';
      return { ...row(index - imports.length), name: encodeText(name), value: index };
    });
  };
  const global = { ...NOTHING, flags: 0, kind: columns.KIND_GLOBAL };
  return [
    ...space('function', facts.bodies().length, (defined) => {
      const section = defined < 0 ? columns.SECTION_UNDEFINED : bodyPiece(facts, pieces, defined);
      const size = pieces.size[section] ?? 0;
      return {
        ...NOTHING,
        flags: defined < 0 ? 0 : wasm.WASM_SYM_BINDING_LOCAL,
        kind: columns.KIND_FUNCTION,
        section,
        size,
      };
    }),
    ...space('global', countOf(facts, 'global'), (defined) =>
      defined < 0 ? global : { ...global, section: columns.SECTION_ABSOLUTE },
    ),
  ];
}

function exportNames(facts: WasmFacts, kind: ExternKind): Map<number, string> {
  const names = new Map<number, string>();
  for (const one of facts.content('export')?.exports ?? []) {
    if (one.kind === kind && !names.has(one.index)) names.set(one.index, one.name);
  }
  return names;
}

/** What other modules see of a linked one: its exports, and what it imports, undefined. */
export function readDynamicColumns({ facts, pieces }: SymbolParts): SymbolColumns {
  const kindOf = (kind: ExternKind): number => (kind === 'memory' ? columns.KIND_NONE : KINDS[kind]);
  const functions = facts.imports('function').length;
  const exported = (facts.content('export')?.exports ?? []).map(({ name, kind, index }): Row => {
    const section = kind === 'function' ? bodyPiece(facts, pieces, index - functions) : -1;
    const at = section < 0 ? columns.SECTION_ABSOLUTE : section;
    return { ...NOTHING, name: encodeText(name), flags: 0, kind: kindOf(kind), section: at, value: index };
  });
  const imported = (facts.content('import')?.imports ?? []).map((one: Import): Row => {
    return { ...NOTHING, name: encodeText(one.field), flags: 0, kind: kindOf(one.kind) };
  });
  return toColumns([...imported, ...exported]);
}
