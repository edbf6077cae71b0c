// What each symbol of each input stands for in one output: a place of a kept section, bytes that the linker shares, a
// name that the loader finds, an address that the linker made.
import { hasFlag, isMerged, type InputObject, type PlacedObject } from './inputs.js';
import {
  isSectionIndex,
  SHF_ALLOC,
  SHN_ABS,
  SHN_COMMON,
  SHN_UNDEF,
  STB_LOCAL,
  STB_WEAK,
  STT_SECTION,
  STT_TLS,
} from './elf-file.js';
import { type LinkedView } from './linked-view.js';

/** What a symbol stands for. `address` is NaN where there is none to know before a place is looked at. */
export interface Meant {
  /** Empty for a symbol that no other object can name. */
  readonly name: string;
  readonly address: number;
  /** The defining section of the inputs; null for what has none. */
  readonly at: { readonly object: InputObject; readonly section: number; readonly value: number } | null;
  readonly kind: 'section' | 'merged' | 'dropped' | 'unsure' | 'absolute' | 'common' | 'linker' | 'import' | 'nothing';
  readonly size: number;
  /** A section symbol: the addend says which piece is meant. */
  readonly wholeSection: boolean;
  /** True where the defining section is loaded with the program. */
  readonly loaded: boolean;
}

/** The definitions of one output. */
export class Definitions {
  readonly #placed: ReadonlyMap<InputObject, PlacedObject>;
  readonly #view: LinkedView;
  readonly #globals = new Map<string, Meant>();
  readonly #imports: ReadonlySet<string>;
  readonly #known = new Map<InputObject, (Meant | undefined)[]>();

  constructor(placed: ReadonlyMap<InputObject, PlacedObject>, view: LinkedView) {
    this.#placed = placed;
    this.#view = view;
    this.#imports = new Set(view.symbols.filter(({ section }) => section === SHN_UNDEF).map(({ name }) => name));
    for (const object of placed.keys()) {
      object.elf.symbols.forEach((symbol, index) => {
        if (symbol.binding === STB_LOCAL || symbol.section === SHN_UNDEF) return;
        const meant = this.#defined(object, index);
        if (meant.kind === 'dropped') return;
        const known = this.#globals.get(symbol.name);
        if (known === undefined || this.#prefers(meant, known, symbol.binding)) this.#globals.set(symbol.name, meant);
      });
    }
  }

  /** All names that the inputs define, with what they mean. */
  get globals(): ReadonlyMap<string, Meant> {
    return this.#globals;
  }

  /** What a symbol of an object stands for. */
  meant(object: InputObject, symbol: number): Meant {
    let known = this.#known.get(object);
    if (known === undefined) this.#known.set(object, (known = []));
    return (known[symbol] ??= this.#find(object, symbol));
  }

  #find(object: InputObject, index: number): Meant {
    const symbol = object.elf.symbols[index]!;
    if (symbol.binding === STB_LOCAL && symbol.section !== SHN_UNDEF) return this.#defined(object, index);
    const global = this.#globals.get(symbol.name);
    if (global !== undefined) return global;
    const nothing = { name: symbol.name, at: null, size: 0, wholeSection: false, loaded: true };
    if (this.#imports.has(symbol.name)) return { ...nothing, address: Number.NaN, kind: 'import' };
    const made = this.#view.named.get(symbol.name);
    if (made !== undefined && made.section !== SHN_UNDEF) return { ...nothing, address: made.value, kind: 'linker' };
    if (symbol.section !== SHN_UNDEF) return this.#defined(object, index);
    return { ...nothing, address: 0, kind: 'nothing' };
  }

  /** Of two that were kept: the one that the output's own table tells of; else a strong one. */
  #prefers(meant: Meant, known: Meant, binding: number): boolean {
    const told = this.#view.named.get(meant.name);
    if (told !== undefined && meant.address !== known.address) {
      // A thread-local's value is an offset in the block.
      const address = told.value + (told.type === STT_TLS ? (this.#view.tls?.address ?? 0) : 0);
      if (address === meant.address) return true;
      if (address === known.address) return false;
    }
    return known.kind === 'common' && binding !== STB_WEAK;
  }

  #defined(object: InputObject, index: number): Meant {
    const symbol = object.elf.symbols[index]!;
    const { size } = symbol;
    const name = symbol.binding === STB_LOCAL ? '' : symbol.name;
    const rest = { name, size, wholeSection: symbol.type === STT_SECTION, at: null, loaded: true };
    if (symbol.section === SHN_ABS) return { ...rest, kind: 'absolute', address: symbol.value };
    if (symbol.section === SHN_COMMON) {
      return { ...rest, kind: 'common', address: this.#view.named.get(symbol.name)?.value ?? Number.NaN };
    }
    if (!isSectionIndex(symbol.section))
      throw new Error(`${object.key}: ${symbol.name} is in 0x${symbol.section.toString(16)}`);
    const { section, value } = symbol;
    const at = { object, section, value };
    const loaded = hasFlag(object.elf.sections[section]!.flags, SHF_ALLOC);
    if (isMerged(object, section)) return { ...rest, at, loaded, kind: 'merged', address: Number.NaN };
    const placed = this.#placed.get(object);
    const start = placed?.addresses[section] ?? Number.NaN;
    const unsure = placed?.unsure.has(section) === true;
    const kind = unsure ? 'unsure' : Number.isNaN(start) ? 'dropped' : 'section';
    return { ...rest, at, loaded, kind, address: start + value };
  }
}
