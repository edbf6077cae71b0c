// Reads a WebAssembly module or relocatable object into the model: where sections lie at once, all else when it is first
// asked for. The parts are in facts, pieces, symbols, relocation-columns and linked; this file only joins them.
import { openWindows, wholeSource, type ByteSource } from '../../bytes/source.js';
import { symbolsOf } from '../column-symbols.js';
import { KIND_FUNCTION } from '../columns.js';
import type { FileKind, ObjectFile, ObjectSymbol } from '../object-file.js';
import { once } from '../once.js';
import * as wasm from './constants.js';
import { openFacts, type WasmFacts } from './facts.js';
import { readLinked } from './linked.js';
import { bodyPiece, cutSections, makeSections, segmentPiece, type Pieces } from './pieces.js';
import { openRelocations } from './relocation-columns.js';
import { linkingSymbols, symbolRow, readSymbolColumns, type SymbolParts } from './symbols.js';
import { functionTypeText } from './value-types.js';

const NO_BYTES = new Uint8Array(0);

/** A WebAssembly file, with the parts of it that the model leaves out. */
export interface WasmFile extends ObjectFile {
  readonly format: 'wasm';
  readonly wasm: WasmFacts;
  /** Which of the file's sections a section of the model is (a part of), and from where. */
  pieces(): Pieces;
}

/**
 * Reads modules and relocatable objects (linking section of version 2). `name` is what messages call the file. Sections of
 * the model are function bodies, data segments and whole other sections. What lies in no memory (functions, tables,
 * globals, types) has symbols of its own kinds, whose value in a linked module is an index. Throws IPBP1001 (truncated),
 * IPBP1002 (malformed) and IPBP1003 (not supported), here or, for what is read lazily, at first use.
 */
export function readWasm(input: Uint8Array | ByteSource, name: string): WasmFile {
  const source = input instanceof Uint8Array ? wholeSource(input) : input;
  const file = openWindows(source, name);
  const facts = openFacts(file);
  const kind = fileKind(facts);
  const linked = kind !== 'relocatable';
  const pieces = once(() => {
    checkCounts(facts, file);
    return cutSections(file, facts);
  });
  const parts = (): SymbolParts => ({ file, facts, pieces: pieces(), linked });
  const sections = once(() => makeSections({ facts, pieces: pieces(), linked, retained: retainedPieces(parts()) }));
  const columns = () => readSymbolColumns(parts());
  const symbols = once(() => withSignatures(symbolsOf(columns()), facts));
  const relocations = once(() => openRelocations(file, facts, pieces()));
  const info = once(() => (linked ? readLinked(facts, name, parts) : null));
  return {
    format: 'wasm',
    machine: 'wasm32',
    kind,
    name,
    get bytes() {
      return source.read(0, source.size);
    },
    range: (offset, size) => source.read(offset, size),
    get sections() {
      return sections();
    },
    get symbols() {
      return symbols();
    },
    get initialisers() {
      const parts = facts.linking()?.flatMap((part) => (part.kind === 'init' ? part.functions : [])) ?? [];
      return parts.flatMap(({ symbol }) => symbols()[symbolRow(symbol)]?.name ?? []);
    },
    get linked() {
      return info();
    },
    wasm: facts,
    pieces,
    countFunctions() {
      if (linked) return facts.bodies().length;
      const { kind: kinds, section } = columns();
      return kinds.reduce((sum, one, row) => sum + (one === KIND_FUNCTION && (section[row] as number) >= 0 ? 1 : 0), 0);
    },
    countNamed: (names) => symbols().filter((symbol) => names.includes(symbol.name)).length,
    relocations: (section) => relocations().of(section),
    symbolColumns: columns,
    relocationColumns: (section, room) => relocations().columnsOf(section, room ?? null),
    allRelocationColumns: (wanted) => relocations().all(wanted),
    sectionBytes(index) {
      const section = sections()[index];
      if (section === undefined || section.fileSize === 0) return NO_BYTES;
      return source.read(section.offset, section.fileSize);
    },
  };
}

/** With what each function takes and gives, and where undefined ones come from. */
function withSignatures(symbols: readonly ObjectSymbol[], facts: WasmFacts): readonly ObjectSymbol[] {
  const texts = facts.types().map(functionTypeText);
  const types = facts.functionTypes();
  const linking = linkingSymbols(facts);
  const imports = facts.imports('function');
  return symbols.map((symbol) => {
    if (symbol.kind !== 'function') return symbol;
    const entry = linking?.[symbol.index - 1];
    const index = linking === null ? symbol.value : entry?.kind === 'function' ? entry.index : -1;
    const signature = texts[types[index] ?? -1];
    if (signature === undefined) return symbol;
    const from = symbol.section === 'undefined' ? imports[index] : undefined;
    if (from === undefined) return { ...symbol, signature };
    return { ...symbol, signature, host: { module: from.module, field: from.field } };
  });
}

/** Was the file read by {@link readWasm}? Gives who knows the format access to what the model leaves out. */
export function isWasmFile(file: ObjectFile): file is WasmFile {
  return file.format === 'wasm' && 'wasm' in file;
}

/** A linked module may have a linking section too (`--emit-relocs`); an object has neither memory nor exports of its own. */
function fileKind(facts: WasmFacts): FileKind {
  const has = (id: number, name?: string): boolean => facts.indexOf(id, name) >= 0;
  if (has(wasm.SECTION_CUSTOM, 'linking') && !has(wasm.SECTION_MEMORY) && !has(wasm.SECTION_EXPORT)) {
    return 'relocatable';
  }
  return has(wasm.SECTION_CUSTOM, 'dylink.0') ? 'shared' : 'executable';
}

/** Functions are declared in one section and have their bodies in another; data may be counted before it comes. */
function checkCounts(facts: WasmFacts, file: Parameters<typeof cutSections>[0]): void {
  const declared = facts.content('function')?.types.length ?? 0;
  const bodies = facts.bodies().length;
  const offsetOf = (id: number): number => facts.files[facts.indexOf(id)]?.offset ?? 0;
  if (declared !== bodies) {
    const counts = { expected: `${declared}`, actual: `${bodies}` };
    file.malformed('not as many bodies as functions', counts, offsetOf(wasm.SECTION_CODE));
  }
  const counted = facts.content('data count')?.count;
  const segments = facts.dataSegments().length;
  if (counted !== undefined && counted !== segments) {
    const counts = { expected: `${counted}`, actual: `${segments}` };
    file.malformed('not as many data segments as are counted', counts, offsetOf(wasm.SECTION_DATA));
  }
}

/** Pieces that a symbol says are needed although nothing refers to them. */
function retainedPieces({ facts, pieces }: SymbolParts): Set<number> {
  const retained = new Set<number>();
  const imported = facts.imports('function').length;
  for (const symbol of linkingSymbols(facts) ?? []) {
    if ((symbol.flags & (wasm.WASM_SYM_NO_STRIP | wasm.WASM_SYM_EXPORTED)) === 0) continue;
    if (symbol.kind === 'function') retained.add(bodyPiece(facts, pieces, symbol.index - imported));
    if (symbol.kind === 'data' && symbol.place !== null)
      retained.add(segmentPiece(facts, pieces, symbol.place.segment));
  }
  return retained;
}
