// The names of a linked file: which items it holds, where, and what they are. Made once per base program; functions
// that lost their global binding in the link are here too, with the source file they came from.
import type { ObjectFile, ObjectSymbol, SectionKind } from '../../formats/object-file.js';
import { BODY_SUFFIX, edgeNames, isStableName, LONE_SLOT_NAME, SLOT_NAME, stableName } from '../../link/names.js';

/** What an item is to a patch: code can be redirected, mutable data and thread-locals keep their place. */
export type ItemKind = 'function' | 'readonly' | 'data' | 'tls';

/** One item of the running program. `address` is in module 0's space, or an offset in its TLS template. */
export interface ProgramItem {
  readonly name: string;
  readonly kind: ItemKind;
  readonly address: number;
  /** 0 when unknown. */
  readonly size: number;
  /** Source file symbol that stands before a local one, else null. */
  readonly source: string | null;
  /** True for a function that is not called but asked which one to call (memcpy of a static C library). */
  readonly resolver?: boolean;
}

function kindOf(symbol: ObjectSymbol, section: SectionKind): ItemKind | null {
  if (symbol.kind === 'tls') return 'tls';
  if (symbol.kind === 'section' || symbol.kind === 'file') return null;
  switch (section) {
    case 'code':
      return symbol.kind === 'data' ? 'readonly' : 'function';
    case 'data':
    case 'zero':
    case 'tls-descriptors':
      return 'data';
    case 'tls-data':
    case 'tls-zero':
      return 'tls';
    case 'readonly':
    case 'relro':
    case 'lsda':
    case 'init':
    case 'fini':
    case 'unwind':
    case 'unwind-table':
    case 'debug':
    case 'note':
    case 'other':
      return 'readonly';
  }
}

/** Items by stable name; several under one name are local copies from several objects. */
type ItemsByName = ReadonlyMap<string, readonly ProgramItem[]>;

/** What the symbols of a linked file say. */
export interface SymbolIndex {
  readonly items: ItemsByName;
  /** True where there are symbols of source files. */
  readonly namesSources: boolean;
  /** Bodies of the functions that are reached through a slot, by the function's name: the item of that name is a stub. */
  readonly bodies: ItemsByName;
  /** Addresses of the slots. */
  readonly slots: ReadonlySet<number>;
}

/** Reads all symbols, and what linkers call the edges of sections. */
export function indexSymbols(file: ObjectFile): SymbolIndex {
  const items = new Map<string, ProgramItem[]>();
  const bodies = new Map<string, ProgramItem[]>();
  const slots = new Set<number>();
  let source: string | null = null;
  let namesSources = false;
  for (const symbol of file.symbols) {
    if (symbol.kind === 'file') {
      namesSources = true;
      source = symbol.name === '' ? null : symbol.name;
      continue;
    }
    if (typeof symbol.section !== 'number' || !isStableName(symbol.name)) continue;
    const section = file.sections[symbol.section];
    const kind = section === undefined ? null : kindOf(symbol, section.kind);
    if (kind === null) continue;
    if (kind === 'data' && (symbol.name === SLOT_NAME || symbol.name === LONE_SLOT_NAME)) {
      slots.add(symbol.value);
      continue;
    }
    const isBody = symbol.name.endsWith(BODY_SUFFIX);
    const name = stableName(isBody ? symbol.name.slice(0, -BODY_SUFFIX.length) : symbol.name);
    const result = isBody ? bodies : items;
    const item: ProgramItem = {
      name,
      kind,
      address: symbol.value,
      size: symbol.size,
      source: symbol.binding === 'local' ? source : null,
      ...(symbol.kind === 'ifunc' ? { resolver: true } : {}),
    };
    const known = result.get(name);
    if (known === undefined) result.set(name, [item]);
    else known.push(item);
  }
  for (const { name, address, size } of file.sections) {
    const edges = edgeNames(name);
    if (edges === null) continue;
    for (const [edge, at] of [
      [edges.start, address],
      [edges.end, address + size],
    ] as const)
      items.set(edge, [{ name: edge, kind: 'readonly', address: at, size: 0, source: null }]);
  }
  return { items, namesSources, bodies, slots };
}
