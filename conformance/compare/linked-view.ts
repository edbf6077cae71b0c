// A linked file as the loader sees it: memory by address, dynamic relocations by the address they fill, symbols they name.
// Everything is found through program headers and the dynamic section; section headers are used for .got and names only.
import {
  type ElfFile,
  type ElfSymbol,
  dynamicSymbols,
  readElf,
  relocationsAt,
  SHN_UNDEF,
  STB_LOCAL,
  STV_PROTECTED,
  textAt,
  word64,
} from './elf-file.js';
import { MACHINE_FACTS, type DynamicKind, type LoadedMemory, type MachineFacts } from './machine-facts.js';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_TLS = 7;

/** Tags of the dynamic section (gABI, figure 5-10, and GNU's). */
export const TAG = {
  needed: 1,
  pltSize: 2,
  gotPlt: 3,
  strings: 5,
  rela: 7,
  relaSize: 8,
  init: 12,
  fini: 13,
  soname: 14,
  runpath: 29,
  initArray: 25,
  finiArray: 26,
  initArraySize: 27,
  finiArraySize: 28,
  relrSize: 35,
  relr: 36,
  plt: 23,
  symbolic: 16,
  flags: 30,
} as const;

/** What fills a word when the file is loaded. */
export interface DynamicFill {
  readonly kind: DynamicKind;
  /** The symbol's name; empty where the relocation names none. */
  readonly name: string;
  readonly addend: number;
}

/** The loader's view of one output. */
export interface LinkedView extends LoadedMemory {
  readonly elf: ElfFile;
  readonly facts: MachineFacts;
  readonly dynamic: readonly (readonly [tag: number, value: number])[];
  readonly symbols: readonly ElfSymbol[];
  /** The same by name, those that other modules see. */
  readonly dynamicNamed: ReadonlyMap<string, ElfSymbol>;
  readonly fills: ReadonlyMap<number, DynamicFill>;
  /** Address and size of the thread-locals' image; null where there is none. */
  readonly tls: { readonly address: number; readonly size: number; readonly align: number } | null;
  /** `.symtab`'s global symbols by name, what linkers define of themselves among them. */
  readonly named: ReadonlyMap<string, ElfSymbol>;
  /** Its own definitions come before those of other modules: DT_SYMBOLIC or DF_SYMBOLIC. */
  readonly isSymbolic: boolean;
  tag(tag: number): number | null;
  text(tag: number): string[];
  /** Offset in the file, or -1 where the address has no bytes there. */
  offsetOf(address: number): number;
}

function readRelr(view: DataView, offset: number, size: number): number[] {
  const addresses: number[] = [];
  let next = 0;
  for (let at = offset; at < offset + size; at += 8) {
    const entry = view.getBigUint64(at, true);
    if (entry % 2n === 0n) {
      addresses.push(Number(entry));
      next = Number(entry) + 8;
      continue;
    }
    for (let bit = 1; bit < 64; bit++) if ((entry >> BigInt(bit)) % 2n === 1n) addresses.push(next + (bit - 1) * 8);
    next += 63 * 8;
  }
  return addresses;
}

/** Does the loader find this module's definition by the name, whatever other modules define? (gABI: DF_SYMBOLIC) */
export function isOwnByName({ isSymbolic }: LinkedView, { section, visibility }: ElfSymbol): boolean {
  return section !== SHN_UNDEF && (visibility === STV_PROTECTED || isSymbolic);
}

/** Reads a shared object. Throws where it is for a machine that the comparison does not know. */
export function viewLinked(bytes: Uint8Array, what: string): LinkedView {
  const elf = readElf(bytes, what);
  const facts = MACHINE_FACTS[elf.machine];
  if (facts === undefined) throw new Error(`${what} is for machine ${elf.machine}`);
  const loads = elf.segments.filter((segment) => segment.type === PT_LOAD);
  let last = loads[0];
  const offsetOf = (address: number): number => {
    const inside = (one: typeof last): boolean =>
      one !== undefined && address >= one.address && address < one.address + one.fileSize;
    if (!inside(last)) last = loads.find(inside) ?? last;
    return inside(last) ? last!.offset + address - last!.address : -1;
  };
  const section = elf.segments.find((segment) => segment.type === PT_DYNAMIC);
  const dynamic = Array.from({ length: (section?.fileSize ?? 0) / 16 }, (_, index) => {
    const at = section!.offset + index * 16;
    return [word64(elf.view, at), word64(elf.view, at + 8)] as const;
  });
  const tag = (wanted: number): number | null => dynamic.find(([one]) => one === wanted)?.[1] ?? null;
  const strings = offsetOf(tag(TAG.strings) ?? 0);
  const symbols = dynamicSymbols(elf);
  const fills = new Map<number, DynamicFill>();
  const tables: (readonly [number | null, number | null])[] = [
    [tag(TAG.rela), tag(TAG.relaSize)],
    [tag(TAG.plt), tag(TAG.pltSize)],
  ];
  for (const [at, size] of tables) {
    if (at === null || size === null) continue;
    for (const { offset, type, symbol, addend } of relocationsAt(elf.view, offsetOf(at), size)) {
      const kind = facts.dynamicKinds.get(type);
      if (kind === undefined) throw new Error(`${what}: dynamic relocation ${type} at 0x${offset.toString(16)}`);
      const { name, binding, value } = symbols[symbol]!;
      // mold names local thread-locals in the table: nobody else can mean them.
      if (name !== '' && binding === STB_LOCAL) fills.set(offset, { kind, name: '', addend: addend + value });
      else fills.set(offset, { kind, name, addend });
    }
  }
  const word = (address: number): number => {
    const at = offsetOf(address);
    return at < 0 ? 0 : Number(elf.view.getBigInt64(at, true));
  };
  const relr = tag(TAG.relr);
  if (relr !== null) {
    for (const address of readRelr(elf.view, offsetOf(relr), tag(TAG.relrSize) ?? 0)) {
      fills.set(address, { kind: 'relative', name: '', addend: word(address) });
    }
  }
  const tls = elf.segments.find((segment) => segment.type === PT_TLS);
  const at32 = (address: number): number => {
    const at = offsetOf(address);
    return at < 0 || at + 4 > bytes.length ? -1 : at;
  };
  return {
    elf,
    facts,
    dynamic,
    symbols,
    dynamicNamed: new Map(symbols.filter(({ binding }) => binding !== STB_LOCAL).map((one) => [one.name, one])),
    fills,
    tls: tls === undefined ? null : { address: tls.address, size: tls.memorySize, align: tls.align },
    // Globals last, so that a local of the same name does not hide one.
    named: new Map(
      [...elf.symbols].sort((a, b) => Math.sign(a.binding) - Math.sign(b.binding)).map((one) => [one.name, one]),
    ),
    isSymbolic: tag(TAG.symbolic) !== null || Math.floor((tag(TAG.flags) ?? 0) / 2) % 2 === 1,
    tag,
    text: (wanted) => dynamic.filter(([one]) => one === wanted).map(([, value]) => textAt(bytes, strings + value)),
    offsetOf,
    byte: (address) => bytes[offsetOf(address)] ?? 0,
    uint32: (address) => (at32(address) < 0 ? 0 : elf.view.getUint32(at32(address), true)),
    int32: (address) => (at32(address) < 0 ? 0 : elf.view.getInt32(at32(address), true)),
    word,
  };
}
