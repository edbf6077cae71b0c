// What judges of a machine ask of a linked library and the objects it was made of: where pieces are, what references mean,
// what words hold. What instructions hold is decoded in judge-*.ts, apart from src/reloc; judge-linked.ts asks of all.
import { anchors, isLiteral, sectionAt, type Anchor } from './atoms.js';
import type { LinkedFile } from './linked-file.js';
import { N_SECT, offsetOf, type RawMacho, type RawRelocation, type RawSection } from './object-file.js';
import type { PlacedObject } from './placed-objects.js';

/** What a reference means. */
export type Meaning =
  | { readonly kind: 'address'; readonly address: number }
  | { readonly kind: 'import'; readonly name: string; readonly addend: number }
  | { readonly kind: 'content'; readonly bytes: Uint8Array };

/** A place that is judged. */
export interface Place {
  readonly object: RawMacho;
  readonly section: RawSection;
  readonly relocation: RawRelocation;
  /** The entry before, where the type says that both are one; null for none. */
  readonly pair: RawRelocation | null;
  /** Of the place in the linked file. */
  readonly at: number;
  /** Of the place in the object's bytes, and in the linked file's. */
  readonly from: number;
  readonly to: number;
}

/** What judges of a machine ask. */
export class Judge {
  readonly #placed: ReadonlyMap<RawMacho, PlacedObject>;
  readonly #anchors = new Map<RawMacho, (section: RawSection, address: number) => Anchor | null>();
  /** Word → what the loader puts there, by what it means. */
  readonly slots: ReadonlyMap<number, Meaning>;
  readonly templateStart: number;
  /** Meanings, spelt, → the words that hold them. */
  readonly #holders = new Map<string, number[]>();

  constructor(
    readonly file: LinkedFile,
    placed: readonly PlacedObject[],
  ) {
    this.#placed = new Map(placed.map((one) => [one.object, one]));
    const slots = new Map<number, Meaning>();
    for (const [address, { name, addend }] of file.binds) slots.set(address, this.#named(name, addend));
    for (const [address, target] of file.rebases) {
      if (!slots.has(address)) slots.set(address, { kind: 'address', address: target });
    }
    this.slots = slots;
    for (const [slot, meaning] of slots) {
      const key = tell(meaning);
      const holders = this.#holders.get(key);
      if (holders === undefined) this.#holders.set(key, [slot]);
      else holders.push(slot);
    }
    const template = file.sections.filter(({ type }) => type === 0x11 || type === 0x12).map(({ address }) => address);
    this.templateStart = Math.min(...template);
  }

  /** A name means this file's definition where there is one: of weak ones the loader may take another. */
  #named(name: string, addend: number): Meaning {
    const own = this.file.defined.get(name);
    return own === undefined ? { kind: 'import', name, addend } : { kind: 'address', address: own + addend };
  }

  /** Where a piece is; null when it is not there or not told. */
  placeOf(object: RawMacho, section: RawSection, address: number): number | null {
    let find = this.#anchors.get(object);
    if (find === undefined) this.#anchors.set(object, (find = anchors(object)));
    const anchor = find(section, address);
    if (anchor === null) return null;
    const at = this.#placed.get(object)?.addressOf(anchor.symbol.name) ?? null;
    return at === null ? null : at + anchor.offset;
  }

  /** What a place in an object means in the linked file; null when it cannot be told. */
  meaningAt(object: RawMacho, address: number): Meaning | null {
    const section = sectionAt(object, address);
    if (section === undefined) return null;
    if (isLiteral(section)) return { kind: 'content', bytes: literalAt(object, section, address) };
    const at = this.placeOf(object, section, address);
    return at === null ? null : { kind: 'address', address: at };
  }

  /** What a symbol of an object means. */
  meaningOf(object: RawMacho, index: number, addend: number): Meaning | null {
    const symbol = object.symbols[index];
    if (symbol === undefined) return null;
    const isDefined = (symbol.type & 0xe) === N_SECT;
    if (isDefined) {
      const section = object.sections[symbol.section - 1]!;
      if (isLiteral(section)) return { kind: 'content', bytes: literalAt(object, section, symbol.value + addend) };
      const own = this.#placed.get(object)?.addressOf(symbol.name) ?? null;
      if (own !== null) return { kind: 'address', address: own + addend };
      // Without a name of its own in the map, or another object's copy was taken.
      const placed = this.placeOf(object, section, symbol.value);
      if (placed !== null) return { kind: 'address', address: placed + addend };
    }
    const other = this.file.defined.get(symbol.name) ?? this.#made(symbol.name);
    if (other !== undefined) return { kind: 'address', address: other + addend };
    return isDefined ? null : { kind: 'import', name: symbol.name, addend };
  }

  /** What linkers define for who refers to it: the file's start, edges of sections. */
  #made(name: string): number | undefined {
    if (name === '___dso_handle') return 0;
    const [, edge, segment = '', section = ''] = /^section\$(start|end)\$([^$]+)\$(.+)$/.exec(name) ?? [];
    const found = this.file.sections.find((one) => one.name === `${segment},${section}`);
    return found === undefined ? undefined : found.address + (edge === 'start' ? 0 : found.size);
  }

  /** Does an address hold or mean it? */
  isAt(address: number, meaning: Meaning): boolean {
    if (meaning.kind === 'address') return meaning.address === address;
    if (meaning.kind === 'import') return false;
    const from = offsetOf(this.file, address);
    return from >= 0 && meaning.bytes.every((byte, index) => this.file.bytes[from + index] === byte);
  }

  /** Does a word that the loader fills get it? */
  isIn(slot: number, meaning: Meaning): boolean {
    const held = this.slots.get(slot);
    if (held === undefined) return false;
    if (held.kind === 'address') return this.isAt(held.address, meaning);
    return (
      held.kind === 'import' &&
      meaning.kind === 'import' &&
      held.name === meaning.name &&
      held.addend === meaning.addend
    );
  }

  /** The words that hold it. */
  slotsOf(meaning: Meaning): readonly number[] {
    if (meaning.kind !== 'content') return this.#holders.get(tell(meaning)) ?? [];
    return [...this.slots.keys()].filter((slot) => this.isIn(slot, meaning));
  }

  /** Does a branch lead there: at once, through a stub, or through a piece of code that only goes there? */
  leadsTo(address: number, meaning: Meaning, slotOf: (at: number) => number | null): boolean {
    if (this.isAt(address, meaning)) return true;
    const slot = slotOf(address);
    return slot !== null && this.isIn(slot, meaning);
  }
}

/** A string to its end, or a constant. */
function literalAt(object: RawMacho, section: RawSection, address: number): Uint8Array {
  const from = section.offset + address - section.address;
  const end = section.offset + section.size;
  if (section.type === 2) {
    const zero = object.bytes.indexOf(0, from);
    return object.bytes.subarray(from, zero < 0 || zero >= end ? end : zero + 1);
  }
  const size = section.type === 3 ? 4 : section.type === 4 ? 8 : 16;
  return object.bytes.subarray(from, Math.min(end, from + size - ((address - section.address) % size)));
}

/** What a word of 8 bytes must mean: of arm64 and x86-64 alike. */
export function judgePointer(judge: Judge, place: Place): string | null {
  const { object, section, relocation, at, from, to } = place;
  const mark = object.view.getUint8(from + 7) === 0x80;
  const content = Number(BigInt.asIntN(56, object.view.getBigInt64(from, true)));
  const meaning = relocation.external
    ? judge.meaningOf(object, relocation.symbol, content)
    : judge.meaningAt(object, content);
  if (meaning === null) return null;
  if (mark !== judge.file.marked.has(at)) return mark ? 'the word has lost its mark' : 'the word has a mark';
  if (section.type === 0x13 && meaning.kind === 'address' && isTemplate(judge.file, meaning.address)) {
    const offset = Number(judge.file.view.getBigInt64(to, true));
    return offset === meaning.address - judge.templateStart ? '' : `offset ${offset} in the template`;
  }
  return judge.isIn(at, meaning) ? '' : `the word gets ${tell(judge.slots.get(at))}, not ${tell(meaning)}`;
}

function isTemplate({ sections }: LinkedFile, address: number): boolean {
  return sections.some(({ type, address: start, size }) => {
    return (type === 0x11 || type === 0x12) && address >= start && address <= start + size;
  });
}

/** The difference of two symbols: the second entry's, less the first's. */
export function judgeDifference(judge: Judge, place: Place): string | null {
  const { object, relocation, pair, from, to } = place;
  if (pair === null || !relocation.external || !pair.external) return null;
  const wide = relocation.length === 3;
  const read = (view: DataView, offset: number): number =>
    wide ? Number(view.getBigInt64(offset, true)) : view.getInt32(offset, true);
  const first = judge.meaningOf(object, relocation.symbol, 0);
  const second = judge.meaningOf(object, pair.symbol, 0);
  if (first?.kind !== 'address' || second?.kind !== 'address') return null;
  const wanted = first.address - second.address + read(object.view, from);
  const found = read(judge.file.view, to);
  return (wide ? found : found | 0) === (wide ? wanted : wanted | 0) ? '' : `difference ${found}, not ${wanted}`;
}

/** For messages. */
export function tell(meaning: Meaning | undefined): string {
  if (meaning === undefined) return 'nothing';
  if (meaning.kind === 'address') return `0x${meaning.address.toString(16)}`;
  return meaning.kind === 'import'
    ? `${meaning.name}+${meaning.addend}`
    : `"${Buffer.from(meaning.bytes).toString('latin1')}"`;
}
