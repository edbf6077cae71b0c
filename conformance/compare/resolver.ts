// Says of a word, a slot or an address of an output whether it leads to what an input's symbol means, and how. The
// machines' files take instructions apart; what is found there is judged here.
import { type Meant } from './definitions.js';
import { SHF_STRINGS } from './elf-file.js';
import { hasFlag } from './inputs.js';
import { isOwnByName, type LinkedView } from './linked-view.js';

/**
 * How a place leads to what its symbol means: at a fixed distance, through a name that the loader finds, to nothing
 * (an undefined weak symbol), or not at all: then the text says what is there instead.
 */
export type Outcome = 'local' | 'dynamic' | 'zero' | `wrong: ${string}`;

const hex = (value: number): string => (value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

/** An outcome that says what was found and what was meant. */
export function wrong(found: string | number, meant: Meant): Outcome {
  const what = typeof found === 'number' ? hex(found) : found;
  return `wrong: ${what}, meant ${meant.kind} ${meant.name} ${hex(meant.address)}`;
}

/** The length of a shared piece at an offset of an input's section: a text with its zero, or one constant. */
function pieceLength(meant: Meant, offset: number): number {
  const { object, section } = meant.at!;
  const { flags, entrySize, size, offset: start } = object.elf.sections[section]!;
  if (!hasFlag(flags, SHF_STRINGS)) return entrySize - (offset % entrySize);
  const { bytes } = object.elf;
  let end = offset;
  while (end + entrySize <= size) {
    let zero = true;
    for (let at = 0; at < entrySize; at++) if (bytes[start + end + at] !== 0) zero = false;
    end += entrySize;
    if (zero) break;
  }
  return end - offset;
}

/** The view of one output that places are judged by. */
export class Resolver {
  readonly view: LinkedView;
  /** What x86-64 calls GOT: the symbol _GLOBAL_OFFSET_TABLE_. */
  readonly gotBase: number;
  readonly #slots = new Map<string, number[]>();

  constructor(view: LinkedView) {
    this.view = view;
    const gotPlt =
      view.elf.sections.find(({ name }) => name === '.got.plt') ??
      view.elf.sections.find(({ name }) => name === '.got');
    this.gotBase = view.named.get('_GLOBAL_OFFSET_TABLE_')?.value ?? gotPlt?.address ?? 0;
    const tables = view.elf.sections.filter(({ name }) => name.startsWith('.got'));
    const inTable = (address: number): boolean =>
      tables.some((one) => address >= one.address && address < one.address + one.size);
    const add = (key: string, address: number): void => {
      const list = this.#slots.get(key);
      if (list === undefined) this.#slots.set(key, [address]);
      else list.push(address);
    };
    for (const [address, fill] of view.fills) {
      if (inTable(address)) add(`${fill.kind} ${fill.name === '' ? fill.addend : fill.name}`, address);
    }
    for (const table of tables) {
      for (let at = table.address; at + 8 <= table.address + table.size; at += 8) {
        if (!view.fills.has(at)) add(`value ${view.word(at)}`, at);
      }
    }
  }

  /** The offset of a thread-local in the module's block. */
  threadOffset(meant: Meant): number {
    return meant.address - (this.view.tls?.address ?? Number.NaN);
  }

  /** Is `found` the address of the symbol itself (no addend in it)? `addend` chooses the piece of a shared section. */
  isAddress(meant: Meant, found: number, addend: number): Outcome {
    switch (meant.kind) {
      case 'merged':
        return this.#isPiece(meant, found, addend, (address) => this.view.offsetOf(address));
      case 'nothing':
        return found === 0 ? 'zero' : wrong(found, meant);
      default:
        return found === meant.address ? 'local' : wrong(found, meant);
    }
  }

  /** The same for an offset in a section that is not loaded, such as .debug_str. */
  isOffset(meant: Meant, found: number, addend: number): Outcome {
    if (meant.kind !== 'merged' || meant.loaded) return this.isAddress(meant, found, addend);
    const section = meant.at!.object.elf.sections[meant.at!.section]!;
    const output = this.view.elf.sections.find(({ name }) => name === section.name);
    return this.#isPiece(meant, found, addend, (at) => (output === undefined ? -1 : output.offset + at));
  }

  #isPiece(meant: Meant, found: number, addend: number, fileOffset: (address: number) => number): Outcome {
    const { object, section, value } = meant.at!;
    const piece = meant.wholeSection ? value + addend : value;
    const address = meant.wholeSection ? found + addend : found;
    const { offset, size } = object.elf.sections[section]!;
    if (piece < 0 || piece > size) return wrong(`piece ${piece} of ${size}`, meant);
    const length = pieceLength(meant, piece);
    const at = fileOffset(address);
    const { bytes } = this.view.elf;
    if (at < 0) return wrong(address, meant);
    for (let step = 0; step < length; step++) {
      if (bytes[at + step] !== object.elf.bytes[offset + piece + step])
        return wrong(`other bytes at ${hex(address)}`, meant);
    }
    return 'local';
  }

  /** Does the word at `address` hold the symbol's address plus `addend` once the loader is done? */
  isWord(meant: Meant, address: number, addend: number): Outcome {
    const fill = this.view.fills.get(address);
    if (fill === undefined) {
      const value = this.view.word(address);
      if (meant.kind === 'absolute' || meant.kind === 'nothing') return this.isAddress(meant, value - addend, addend);
      return wrong(`fixed word ${hex(value)}`, meant);
    }
    switch (fill.kind) {
      case 'relative':
        return this.isAddress(meant, fill.addend - addend, addend);
      case 'absolute':
      case 'slot': {
        const right = fill.name === meant.name && fill.name !== '' && fill.addend === addend;
        return right ? 'dynamic' : wrong(`${fill.name} + ${hex(fill.addend)}`, meant);
      }
      default:
        return wrong(`${fill.kind} ${fill.name}`, meant);
    }
  }

  /** Is `found` the symbol, or a stub that leads to it? */
  isCode(meant: Meant, found: number): Outcome {
    const straight = this.isAddress(meant, found, 0);
    if (!straight.startsWith('wrong')) return straight;
    const stub = this.view.facts.followStub(this.view, found);
    if (stub === null) return straight;
    if ('slot' in stub) return this.isWord(meant, stub.slot, 0);
    return stub.address === found ? straight : this.isCode(meant, stub.address);
  }

  /** Is the slot at `address` one of the kind for a thread-local? */
  isThreadSlot(meant: Meant, address: number, kind: 'module' | 'thread-offset' | 'descriptor'): Outcome {
    const fill = this.view.fills.get(address);
    if (fill?.kind !== kind) return wrong(fill === undefined ? `no ${kind} at ${hex(address)}` : fill.kind, meant);
    const offset = this.threadOffset(meant);
    if (kind !== 'module') {
      if (fill.name !== '') return fill.name === meant.name && fill.addend === 0 ? 'dynamic' : wrong(fill.name, meant);
      return fill.addend === offset ? 'local' : wrong(fill.addend, meant);
    }
    const second = this.view.fills.get(address + 8);
    // lld has the loader find the module of what nobody can replace; the offset it knows.
    const named = this.view.dynamicNamed.get(fill.name);
    const own = second === undefined && named !== undefined && isOwnByName(this.view, named);
    if (fill.name !== '' && !(own && fill.name === meant.name)) {
      const both = fill.name === meant.name && second?.kind === 'module-offset' && second.name === meant.name;
      return both ? 'dynamic' : wrong(`${fill.name}, ${second?.name}`, meant);
    }
    const held = second === undefined ? this.view.word(address + 8) : second.addend;
    return held === offset ? 'local' : wrong(held, meant);
  }

  /** Is the pair at `address` the one for the module itself (local-dynamic)? */
  isModuleSlot(meant: Meant, address: number): Outcome {
    const fill = this.view.fills.get(address);
    const right = fill?.kind === 'module' && fill.name === '' && this.view.word(address + 8) === 0;
    return right ? 'local' : wrong(`no module at ${hex(address)}`, meant);
  }

  /** The slots of the GOT that hold a symbol's address, for machines that say half an address at a time. */
  addressSlots(meant: Meant): number[] {
    const keys = ['absolute', 'slot'].map((kind) => `${kind} ${meant.name}`);
    const own = ['relative', 'value'].map((kind) => `${kind} ${meant.address}`);
    return [...keys, ...own].flatMap((key) => this.#slots.get(key) ?? []);
  }

  /** The slots of a kind for a thread-local. */
  threadSlots(meant: Meant, kind: 'module' | 'thread-offset' | 'descriptor'): number[] {
    const keys = [`${kind} ${meant.name}`, kind === 'module' ? 'module 0' : `${kind} ${this.threadOffset(meant)}`];
    const slots = keys.flatMap((key) => this.#slots.get(key) ?? []);
    return slots.filter((slot) => !this.isThreadSlot(meant, slot, kind).startsWith('wrong'));
  }

  /** The slots for the module itself. */
  moduleSlots(meant: Meant): number[] {
    const slots = this.#slots.get('module 0') ?? [];
    return slots.filter((slot) => this.isModuleSlot(meant, slot) === 'local');
  }
}
