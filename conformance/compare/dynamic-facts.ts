// What an output tells the loader and other modules: its symbols, the libraries it needs, what runs at its start and
// end, how it wants to be bound. In words that do not depend on addresses, so that outputs can be compared.
import {
  type ElfSegment,
  type ElfSymbol,
  SHF_ALLOC,
  SHF_TLS,
  SHN_UNDEF,
  SHT_NOBITS,
  STB_LOCAL,
  textAt,
} from './elf-file.js';
import { hasFlag, type InputObject, type PlacedObject } from './inputs.js';
import { isOwnByName, TAG, type LinkedView } from './linked-view.js';

const VERSYM = 0x6ffffff0;
const VERNEED = 0x6ffffffe;
const VERNEED_COUNT = 0x6fffffff;
const FLAGS_1 = 0x6ffffffb;
const BIND_NOW = 24;
const TEXTREL = 22;
const PT_GNU_STACK = 0x6474e551;
const PT_GNU_RELRO = 0x6474e552;
const PT_GNU_PROPERTY = 0x6474e553;
/** What all objects must promise for the result to (FEATURE_1_AND), by e_machine. lld carries over no other property. */
const PROMISES: Readonly<Record<number, number>> = { 62: 0xc0000002, 183: 0xc0000000 };

/** Facts by what they are about. */
export type DynamicFacts = ReadonlyMap<string, string>;

/** Names of the versions that symbols need, by their number. */
function neededVersions(view: LinkedView): Map<number, string> {
  const names = new Map<number, string>();
  const start = view.tag(VERNEED);
  if (start === null) return names;
  const strings = view.offsetOf(view.tag(TAG.strings)!);
  const { view: data, bytes } = view.elf;
  let at = view.offsetOf(start);
  for (let left = view.tag(VERNEED_COUNT) ?? 0; left > 0; left--) {
    let aux = at + data.getUint32(at + 8, true);
    for (let count = data.getUint16(at + 2, true); count > 0; count--) {
      names.set(data.getUint16(aux + 6, true) % 0x8000, textAt(bytes, strings + data.getUint32(aux + 8, true)));
      aux += data.getUint32(aux + 12, true);
    }
    at += data.getUint32(at + 12, true);
  }
  return names;
}

/** Labels for addresses: the input section they are in, or a group's. */
function labeller(placed: ReadonlyMap<InputObject, PlacedObject>): (address: number) => string {
  const starts: { address: number; size: number; label: string }[] = [];
  for (const [object, { addresses }] of placed) {
    object.elf.sections.forEach(({ name, size, flags, type }, index) => {
      const address = addresses[index]!;
      if (Number.isNaN(address) || size === 0 || !hasFlag(flags, SHF_ALLOC)) return;
      // Zeros of the thread-locals' block take no room in memory: others have the same addresses.
      if (type === SHT_NOBITS && hasFlag(flags, SHF_TLS)) return;
      const signature = object.groups.get(index);
      starts.push({
        address,
        size,
        label: signature === undefined ? `${object.key}:${name}` : `group ${signature} ${name}`,
      });
    });
  }
  starts.sort((a, b) => a.address - b.address);
  return (address) => {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (starts[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const found = starts[low - 1];
    const inside = found !== undefined && address < found.address + found.size;
    return inside ? `${found.label}+${address - found.address}` : 'made by the linker';
  };
}

function symbolFacts(symbol: ElfSymbol, version: string, label: (address: number) => string): string {
  const { binding, visibility, type, size, section, value } = symbol;
  if (section === SHN_UNDEF) return `undefined, binding ${binding}, visibility ${visibility}${version}`;
  // A thread-local's value is an offset in the block.
  const where = type === 6 ? 'thread-local' : label(value);
  return `defined, binding ${binding}, visibility ${visibility}, type ${type}, size ${size}, ${where}${version}`;
}

/** The addresses that an array of functions holds once it is loaded, in order. */
function calledFrom(view: LinkedView, array: number, size: number, label: (address: number) => string): string {
  const start = view.tag(array);
  const count = (view.tag(size) ?? 0) / 8;
  if (start === null || count === 0) return 'none';
  const all = Array.from({ length: count }, (_, index) => {
    const fill = view.fills.get(start + index * 8);
    if (fill === undefined) return `fixed ${view.word(start + index * 8)}`;
    if (fill.kind === 'relative') return label(fill.addend);
    const named = view.dynamicNamed.get(fill.name);
    return named !== undefined && isOwnByName(view, named) ? label(named.value + fill.addend) : fill.name;
  });
  return all.join(', ');
}

/** The bits that an output promises of all its code (`.note.gnu.property`). */
function promised({ elf }: LinkedView): number {
  const note = elf.segments.find((one) => one.type === PT_GNU_PROPERTY);
  if (note === undefined) return 0;
  // Behind the note's header and its owner's name: type, size and value of each property, aligned to eight bytes.
  const end = note.offset + note.fileSize;
  for (let at = note.offset + 16; at + 12 <= end; at += 8 + Math.ceil(elf.view.getUint32(at + 4, true) / 8) * 8) {
    if (elf.view.getUint32(at, true) === PROMISES[elf.machine]) return elf.view.getUint32(at + 8, true);
  }
  return 0;
}

/** All facts of an output. */
export function dynamicFacts(view: LinkedView, placed: ReadonlyMap<InputObject, PlacedObject>): DynamicFacts {
  const facts = new Map<string, string>();
  const label = labeller(placed);
  const versions = neededVersions(view);
  const versym = view.tag(VERSYM);
  view.symbols.forEach((symbol, index) => {
    if (symbol.binding === STB_LOCAL) return;
    const at = versym === null ? -1 : view.offsetOf(versym + index * 2);
    const number = at < 0 ? 1 : view.elf.view.getUint16(at, true) % 0x8000;
    const version = number < 2 ? '' : `, version ${versions.get(number) ?? number}`;
    facts.set(`symbol ${symbol.name}`, symbolFacts(symbol, version, label));
  });
  facts.set('needed libraries', view.text(TAG.needed).join(', '));
  facts.set('soname', view.text(TAG.soname).join(', '));
  facts.set('runpath', view.text(TAG.runpath).join(', '));
  facts.set('initial functions', calledFrom(view, TAG.initArray, TAG.initArraySize, label));
  facts.set('final functions', calledFrom(view, TAG.finiArray, TAG.finiArraySize, label));
  for (const [name, tag] of [
    ['initial code', TAG.init],
    ['final code', TAG.fini],
  ] as const) {
    const address = view.tag(tag);
    facts.set(name, address === null ? 'none' : label(address));
  }
  const flags = view.tag(TAG.flags) ?? 0;
  const flags1 = view.tag(FLAGS_1) ?? 0;
  const bit = (value: number, mask: number): boolean => Math.floor(value / mask) % 2 === 1;
  const now = view.tag(BIND_NOW) !== null || bit(flags, 8) || bit(flags1, 1);
  facts.set('bound at once', String(now));
  facts.set('relocations in code', String(view.tag(TEXTREL) !== null || bit(flags, 4)));
  facts.set('static thread-locals', String(bit(flags, 16)));
  facts.set('symbolic', String(view.isSymbolic));
  const segment = (type: number): ElfSegment | undefined => view.elf.segments.find((one) => one.type === type);
  facts.set('stack', String(segment(PT_GNU_STACK)?.flags ?? 'not said'));
  facts.set('read-only after relocation', String(segment(PT_GNU_RELRO) !== undefined));
  facts.set('promised of all code', String(promised(view)));
  // Of sections that only these names refer to nothing else shows that one is gone. (mold has the names for all sections.)
  for (const [name, { value }] of view.named) {
    const section = /^__start_(.*)/.exec(name)?.[1];
    const stop = section === undefined ? undefined : view.named.get(`__stop_${section}`);
    if (stop === undefined || ![...placed.keys()].some(({ elf }) => elf.symbols.some((one) => one.name === name)))
      continue;
    facts.set(`bytes of ${section}`, String(stop.value - value));
  }
  facts.set('thread-local block', String(view.tls?.size ?? 'none'));
  return facts;
}

/** What of two outputs' facts differs, in words. */
export interface FactDifferences {
  readonly differences: readonly string[];
  /** Undefined symbols that differ in weakness alone. */
  readonly weakness: readonly string[];
  /** Undefined symbols that only one has. */
  readonly extraImports: readonly string[];
}

/** Holds the facts of two outputs against each other. */
export function compareFacts(one: DynamicFacts, other: DynamicFacts): FactDifferences {
  const found = { differences: [] as string[], weakness: [] as string[], extraImports: [] as string[] };
  const strong = (text = ''): string => text.replace(/^undefined, binding 2/, 'undefined, binding 1');
  for (const name of new Set([...one.keys(), ...other.keys()])) {
    const [left, right] = [one.get(name), other.get(name)];
    if (left === right) continue;
    const oneSided = (left === undefined || right === undefined) && (left ?? right)!.startsWith('undefined');
    const kind = oneSided ? 'extraImports' : strong(left) === strong(right) ? 'weakness' : 'differences';
    found[kind].push(`${name}: ${left ?? 'missing'} | ${right ?? 'missing'}`);
  }
  return found;
}
