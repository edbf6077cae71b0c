// What dyld reads of a Mach-O library: the words that it fills (chained fixups, or the programs of LC_DYLD_INFO), and the
// trie of what is exported. Which library a name is asked of is its number among the load commands.
import { encodeChainedFixups } from '../formats/macho/encode-chained-fixups.js';
import { encodeDyldInfo } from '../formats/macho/encode-dyld-info.js';
import { encodeExportTrie, type TrieExport } from '../formats/macho/encode-export-trie.js';
import type {
  LoadedRange,
  LoaderBind,
  LoaderFixups,
  LoaderImport,
  LoaderRebase,
} from '../formats/macho/loader-fixups.js';
import { fileName } from '../formats/macho/names.js';
import type { LinkEdit } from '../formats/macho/write-linked.js';
import type { DylibOptions } from './emit-dylib-options.js';
import type { Library, Link } from './shared/link-state.js';
import { WORK_MARKED, type LoaderWork } from './shared/loader-work.js';
import * as symbols from './shared/symbols.js';
import type { Values } from './shared/values.js';

/** BIND_SPECIAL_DYLIB_FLAT_LOOKUP and _WEAK_LOOKUP of <mach-o/loader.h>. */
const ANY_LIBRARY = -2;
const ANY_WEAK = -3;
/** Of a word with its highest bit set. */
const MARK = 0x80;

/** Libraries that get a load command, in the order of their numbers. */
export function neededLibraries(link: Link): readonly Library[] {
  return link.libraries.filter(({ used }) => used);
}

/** 1 for the first needed library; by the number of the library. */
function ordinals(link: Link): ReadonlyMap<number, number> {
  return new Map(neededLibraries(link).map(({ number }, index) => [number, index + 1]));
}

/** Which library a symbol is asked of, by its number; −1 for one that this file defines. */
export function libraryOf(link: Link): (symbol: number) => number {
  const numbers = ordinals(link);
  return (symbol) => {
    if (link.symbols.state[symbol] !== symbols.STATE_SHARED) return ANY_LIBRARY;
    return numbers.get(link.symbols.file[symbol] as number) ?? ANY_LIBRARY;
  };
}

/** May dyld take another file's weak definition of the name instead? */
function isWeakDefinition(link: Link, symbol: number): boolean {
  return (
    (link.symbols.state[symbol] as number) >= symbols.STATE_SHARED &&
    symbols.hasFlag(link.symbols, symbol, symbols.WEAK)
  );
}

/** The loader's work in its own words. Of a name that several may define weakly, dyld takes one for all. */
function loaderFixups(link: Link, values: Values, work: LoaderWork, kind: DylibOptions['fixups']): LoaderFixups {
  const imports: LoaderImport[] = [];
  const rebases: LoaderRebase[] = [];
  const binds: LoaderBind[] = [];
  const known = new Map<string, number>();
  const library = libraryOf(link);
  const importOf = (symbol: number, from: number): number => {
    const key = `${symbol} ${from}`;
    let index = known.get(key);
    if (index === undefined) {
      index = imports.length;
      known.set(key, index);
      const own = (link.symbols.state[symbol] as number) >= symbols.STATE_COMMON;
      const weak = !own && !symbols.hasFlag(link.symbols, symbol, symbols.REFERRED);
      imports.push({ name: fileName(link.symbols.names.text(symbol)), library: from, weak });
    }
    return index;
  };
  for (let index = 0; index < work.count; index++) {
    const address = work.address[index] as number;
    const symbol = work.symbol[index] as number;
    const addend = work.addend[index] as number;
    if (symbol < 0) {
      const marked = work.kind[index] === WORK_MARKED;
      rebases.push(marked ? { address, target: addend, tag: MARK } : { address, target: addend });
      continue;
    }
    const own = (link.symbols.state[symbol] as number) >= symbols.STATE_COMMON;
    const weak = isWeakDefinition(link, symbol);
    // A chain has one entry for a word; a program may first write what is nearest.
    if (kind === 'opcodes' || !weak) {
      if (own) rebases.push({ address, target: (values.symbolAddress[symbol] as number) + addend });
      else binds.push({ address, symbol: importOf(symbol, library(symbol)), addend });
    }
    if (weak) binds.push({ address, symbol: importOf(symbol, ANY_WEAK), addend });
  }
  return { imports, rebases, binds };
}

/** Writes the fixups into `body`, which holds the segments, and gives what __LINKEDIT has of them. */
export function encodeFixups(
  link: Link,
  values: Values,
  work: LoaderWork,
  body: Uint8Array,
  segments: readonly LoadedRange[],
  kind: DylibOptions['fixups'],
): LinkEdit['fixups'] {
  const fixups = loaderFixups(link, values, work, kind);
  if (kind === 'chained') {
    const pageSize = link.machine.shared.maxPageSize;
    return { kind, data: encodeChainedFixups(body, { ...fixups, base: 0, pageSize, segments }) };
  }
  const { rebase, bind, weakBind, lazyBind } = encodeDyldInfo(body, {
    ...fixups,
    lazyBinds: [],
    strongDefinitions: [],
    segments,
  });
  return { kind, rebase, bind, weakBind, lazyBind };
}

/** Symbols that other files see, in the order of their names' bytes. */
export function exportedSymbols(link: Link, values: Values): readonly number[] {
  const { symbols: table } = link;
  const exported: number[] = [];
  for (let symbol = 0; symbol < table.names.count; symbol++) {
    if (!symbols.hasFlag(table, symbol, symbols.DYNAMIC)) continue;
    const section = table.section[symbol] as number;
    if (section < 0 || values.alive[section] === 1) exported.push(symbol);
  }
  return exported;
}

/** The trie of what is exported. */
export function encodeExports(link: Link, values: Values, exported: readonly number[]): Uint8Array {
  const { symbols: table, sections } = link;
  return encodeExportTrie(
    exported.map((symbol): TrieExport => {
      const section = table.section[symbol] as number;
      const descriptor = section >= 0 && sections.section[section]?.kind === 'tls-descriptors';
      return {
        name: fileName(table.names.text(symbol)),
        kind: section === symbols.ABSOLUTE ? 'absolute' : descriptor ? 'thread-local' : 'regular',
        value: values.symbolAddress[symbol] as number,
        weak: symbols.hasFlag(table, symbol, symbols.WEAK),
        reexport: null,
      };
    }),
  );
}
