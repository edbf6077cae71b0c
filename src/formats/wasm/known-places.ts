// Where the symbols of objects ended up in the module that a linker made of them. A linked module names functions only;
// what it does not say is read off its code: a function of an object stands in it unchanged but for the fields of its
// relocations, and those hold the answers. From there on through data: where one symbol of a segment is known, all are,
// and so are those that its words refer to. What two places contradict each other about is left out, never guessed.
import { ByteReader } from '../../bytes/reader.js';
import { constantOf } from './const-expr.js';
import * as wasm from './constants.js';
import { type WasmFacts, factsOf } from './facts.js';
import type { LinkingSymbol } from './linking.js';
import type { Body } from './module.js';
import { namesIn } from './names.js';
import { passiveAddresses } from './passive-segments.js';
import type { WasmFile } from './read.js';
import { fieldSize } from './relocations.js';

/** A file by its name and content. */
export interface LinkedInput {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** By the names of symbols as {@link placeName} has them; a name that means several things, or that nothing refers to, is in none. */
export interface KnownPlaces {
  /** Addresses in memory. */
  readonly data: ReadonlyMap<string, number>;
  /** Offsets from the start of a thread's own data. */
  readonly threadLocals: ReadonlyMap<string, number>;
  /** Indexes of functions. */
  readonly functions: ReadonlyMap<string, number>;
  /** Slots of the table that functions have. */
  readonly slots: ReadonlyMap<string, number>;
}

/**
 * A symbol's name without the number that LLVM puts behind names which it makes known to other modules, another one after
 * every edit. Constants without a name have only that to be told apart by.
 */
export function placeName(name: string): string {
  return name.startsWith('anon.') ? name : name.replace(/\.llvm\.\d+$/, '');
}

/** What a field means: which of the maps above, and how it is written. */
const FIELDS = new Map<number, readonly [keyof KnownPlaces, 'unsigned' | 'signed' | 'word']>([
  [wasm.R_WASM_MEMORY_ADDR_LEB, ['data', 'unsigned']],
  [wasm.R_WASM_MEMORY_ADDR_SLEB, ['data', 'signed']],
  [wasm.R_WASM_MEMORY_ADDR_I32, ['data', 'word']],
  [wasm.R_WASM_MEMORY_ADDR_TLS_SLEB, ['threadLocals', 'signed']],
  [wasm.R_WASM_FUNCTION_INDEX_LEB, ['functions', 'unsigned']],
  [wasm.R_WASM_TABLE_INDEX_SLEB, ['slots', 'signed']],
  [wasm.R_WASM_TABLE_INDEX_I32, ['slots', 'word']],
]);
const TWO_32 = 2 ** 32;

/** One relocation of a piece of an object. */
interface Site {
  readonly type: number;
  /** In the piece. */
  readonly at: number;
  readonly symbol: number;
  readonly addend: number;
}

/** A piece of an object, a function's body or a data segment. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly sites: readonly Site[];
}

interface OpenObject {
  readonly symbols: readonly LinkingSymbol[];
  readonly bodies: readonly Piece[];
  readonly segments: readonly (Piece & { readonly strings: boolean })[];
  /** Functions that it imports come first. */
  readonly imported: number;
  readonly importNames: readonly string[];
}

function piecesOf(facts: WasmFacts, section: number, parts: readonly Pick<Body, 'start' | 'bytes'>[]): Piece[] {
  const sites: Site[][] = parts.map(() => []);
  const index = facts.indexOf(section);
  for (const { count, type, offset, index: symbol, addend } of facts.relocations().get(index) ?? []) {
    let part = 0;
    for (let row = 0; row < count; row++) {
      const at = offset[row] as number;
      // They come by rising offset, as do the pieces; where they do not, the search begins anew.
      if (at < (parts[part]?.start ?? 0)) part = 0;
      while (part + 1 < parts.length && at >= (parts[part + 1] as Body).start) part++;
      const start = parts[part]?.start ?? 0;
      sites[part]?.push({
        type: type[row] as number,
        at: at - start,
        symbol: symbol[row] as number,
        addend: addend[row] as number,
      });
    }
  }
  return parts.map(({ bytes }, part) => ({ bytes, sites: sites[part] as Site[] }));
}

function openObject({ wasm: facts }: WasmFile): OpenObject | null {
  const linking = facts.linking();
  if (linking === null) return null;
  const infos = linking.flatMap((part) => (part.kind === 'segments' ? part.segments : []));
  const segments = piecesOf(facts, wasm.SECTION_DATA, facts.dataSegments()).map((piece, index) => {
    return { ...piece, strings: ((infos[index]?.flags ?? 0) & wasm.WASM_SEG_FLAG_STRINGS) !== 0 };
  });
  const imports = facts.imports('function');
  return {
    symbols: linking.flatMap((part) => (part.kind === 'symbols' ? part.symbols : [])),
    bodies: piecesOf(facts, wasm.SECTION_CODE, facts.bodies()),
    segments,
    imported: imports.length,
    importNames: imports.map(({ field }) => field),
  };
}

/** Equal but for the fields of relocations. */
function isSame({ bytes, sites }: Piece, linked: Uint8Array): boolean {
  if (bytes.length !== linked.length) return false;
  const sorted = [...sites].sort((a, b) => a.at - b.at);
  let from = 0;
  for (let index = 0; index <= sorted.length; index++) {
    const site = sorted[index];
    const to = site?.at ?? bytes.length;
    for (let at = from; at < to; at++) if (bytes[at] !== linked[at]) return false;
    if (site !== undefined) from = site.at + fieldSize(site.type);
  }
  return true;
}

function readField(bytes: Uint8Array, at: number, form: 'unsigned' | 'signed' | 'word'): number {
  const reader = new ByteReader(bytes, 'linked module').seek(at);
  if (form === 'word') return reader.u32();
  return form === 'unsigned' ? reader.uleb() : reader.sleb();
}

/** The name of a symbol; null for one without. */
function nameOf(object: OpenObject, index: number): string | null {
  const symbol = object.symbols[index];
  if (symbol === undefined || symbol.kind === 'section') return null;
  const imported = symbol.kind === 'function' ? object.importNames[symbol.index] : undefined;
  const name = symbol.name?.text ?? imported ?? null;
  return name === null ? null : placeName(name);
}

/** What is known of names: a number, or that there are several. */
class Book {
  private readonly places = new Map<string, number | null>();

  /** True where this is news. */
  add(name: string, value: number): boolean {
    const known = this.places.get(name);
    if (known === value || known === null) return false;
    this.places.set(name, known === undefined ? value : null);
    return true;
  }

  get(name: string): number | undefined {
    return this.places.get(name) ?? undefined;
  }

  finish(): Map<string, number> {
    return new Map([...this.places].flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
  }
}

/** The linked module's initial memory, by address. */
class LinkedMemory {
  private readonly parts: readonly { readonly address: number; readonly bytes: Uint8Array }[];

  constructor(facts: WasmFacts) {
    const passive = passiveAddresses(facts);
    this.parts = facts.dataSegments().flatMap(({ place, bytes }, index) => {
      const address = place === null ? passive.get(index) : constantOf(place.offset);
      return address == null ? [] : [{ address, bytes }];
    });
  }

  /** null where the module does not say what is there. */
  read(address: number, size: number): Uint8Array | null {
    for (const { address: start, bytes } of this.parts) {
      if (address >= start && address + size <= start + bytes.length) {
        return bytes.subarray(address - start, address - start + size);
      }
    }
    return null;
  }
}

/** One object with what is known of its own symbols, as the same name may mean another thing in another object. */
interface Own {
  readonly object: OpenObject;
  /** Addresses of its data segments; null where two contradict each other. */
  readonly segments: Map<number, number | null>;
  /** Segments whose words were read. */
  readonly done: Set<number>;
}

/**
 * Reads off where things are.
 * @param inputs the objects that the linker was given; one that it did not take is no harm
 * @param linked the module as the linker made it, before anything else changed it
 * @throws IpbpError IPBP1001, IPBP1002, IPBP1003 for broken files
 */
export function findPlaces(inputs: readonly WasmFile[], linked: LinkedInput): KnownPlaces {
  const facts = factsOf(linked.bytes, linked.name);
  const imported = facts.imports('function').length;
  const bodies = facts.bodies();
  const byName = new Map<string, number[]>();
  for (const { index, name } of namesIn(facts.names(), 'function')) {
    if (index >= imported) byName.set(name, [...(byName.get(name) ?? []), index]);
  }
  const books = { data: new Book(), threadLocals: new Book(), functions: new Book(), slots: new Book() };
  const memory = new LinkedMemory(facts);
  const owns = inputs.flatMap((input): Own[] => {
    const object = openObject(input);
    return object === null ? [] : [{ object, segments: new Map(), done: new Set() }];
  });
  for (const own of owns) {
    const { object } = own;
    for (const symbol of object.symbols) {
      if (symbol.kind !== 'function' || symbol.name === null) continue;
      const piece = object.bodies[symbol.index - object.imported];
      const candidates = byName.get(symbol.name.text) ?? [];
      if (piece === undefined) continue;
      const found = candidates.filter((index) => isSame(piece, (bodies[index - imported] as Body).bytes));
      // Two that differ in their fields alone: which of them is meant cannot be told.
      const [index] = found;
      if (found.length !== 1 || index === undefined) continue;
      if (candidates.length === 1) books.functions.add(placeName(symbol.name.text), index);
      readSites(own, piece, (bodies[index - imported] as Body).bytes, books);
    }
  }
  let isNews = true;
  while (isNews) {
    isNews = false;
    for (const own of owns) if (spread(own, memory, books)) isNews = true;
  }
  const { data, threadLocals, functions, slots } = books;
  return {
    data: data.finish(),
    threadLocals: threadLocals.finish(),
    functions: functions.finish(),
    slots: slots.finish(),
  };
}

type Books = Readonly<Record<keyof KnownPlaces, Book>>;

/** What the fields of a piece say in the linked module. */
function readSites({ object, segments }: Own, { sites }: Piece, linked: Uint8Array, books: Books): boolean {
  let isNews = false;
  for (const { type, at, symbol, addend } of sites) {
    const field = FIELDS.get(type);
    const name = nameOf(object, symbol);
    if (field === undefined || name === null) continue;
    const [book, form] = field;
    const value = (((readField(linked, at, form) - addend) % TWO_32) + TWO_32) % TWO_32;
    const target = object.symbols[symbol];
    // Weak, and not there. A thread's own data begins with what is at 0.
    if (book === 'data' && target?.kind === 'data' && target.place === null && value === 0) continue;
    if (books[book].add(name, value)) isNews = true;
    if (book !== 'data' || target?.kind !== 'data' || target.place === null) continue;
    if (object.segments[target.place.segment]?.strings === true) continue;
    const start = value - target.place.offset;
    const known = segments.get(target.place.segment);
    if (known === start || known === null) continue;
    segments.set(target.place.segment, known === undefined ? start : null);
    isNews = true;
  }
  return isNews;
}

/** From known segments to their symbols and to what they refer to; from known names to their segments. */
function spread(own: Own, memory: LinkedMemory, books: Books): boolean {
  const { object, segments } = own;
  let isNews = false;
  for (const symbol of object.symbols) {
    if (symbol.kind !== 'data' || symbol.place === null) continue;
    const { segment, offset } = symbol.place;
    const piece = object.segments[segment];
    if (piece === undefined || piece.strings) continue;
    const start = segments.get(segment);
    if (start === undefined) {
      // A name that other objects know, too.
      if ((symbol.flags & wasm.WASM_SYM_BINDING_LOCAL) !== 0 || (symbol.flags & wasm.WASM_SYM_TLS) !== 0) continue;
      const address = books.data.get(placeName(symbol.name.text));
      if (address === undefined) continue;
      segments.set(segment, address - offset);
      isNews = true;
    } else if (start !== null && books.data.add(placeName(symbol.name.text), start + offset)) isNews = true;
  }
  for (const [index, start] of segments) {
    const piece = object.segments[index];
    if (start === null || piece === undefined || piece.sites.length === 0 || own.done.has(index)) continue;
    own.done.add(index);
    const linked = memory.read(start, piece.bytes.length);
    if (linked !== null && isSame(piece, linked) && readSites(own, piece, linked, books)) isNews = true;
  }
  return isNews;
}
