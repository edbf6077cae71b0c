// What the comparison knows of each machine: the dynamic relocations' meaning, and where a stub (a PLT entry, a veneer)
// leads. From the psABIs (x86-64 psABI 1.0, tables 4.9 to 4.11; ELF for the Arm 64-bit Architecture, 5.7).

/** What a dynamic relocation does, whatever its number. */
export type DynamicKind =
  'absolute' | 'relative' | 'slot' | 'module' | 'module-offset' | 'thread-offset' | 'descriptor';

/** Where a stub leads: through a word of memory, or straight on. */
export type StubTarget = { readonly slot: number } | { readonly address: number };

/** Memory as the loader sees it, little-endian. */
export interface LoadedMemory {
  byte(address: number): number;
  uint32(address: number): number;
  int32(address: number): number;
  word(address: number): number;
}

/** The facts of one machine. */
export interface MachineFacts {
  readonly dynamicKinds: ReadonlyMap<number, DynamicKind>;
  /** Follows the code at `address`; null when it is no stub. */
  readonly followStub: (view: LoadedMemory, address: number) => StubTarget | null;
}

const ENDBR64 = 0xfa1e0ff3;

function followX86(view: LoadedMemory, address: number): StubTarget | null {
  let at = address;
  if (view.uint32(at) === ENDBR64) at += 4;
  // mold names the entry's index in r11 first.
  if (view.byte(at) === 0x41 && view.byte(at + 1) === 0xbb) at += 6;
  if (view.byte(at) === 0xf2) at += 1;
  if (view.byte(at) === 0xff && view.byte(at + 1) === 0x25) return { slot: at + 6 + view.int32(at + 2) };
  // GNU ld's entry of two halves: the first pushes the index and jumps to the header, the second is the one that is called.
  if (view.byte(at) === 0x4c && view.byte(at + 1) === 0x8b && view.byte(at + 2) === 0x1d) {
    return { slot: at + 7 + view.int32(at + 3) };
  }
  return null;
}

/** Bits of an instruction word, as a number without sign. */
export function bitsOf(word: number, low: number, count: number): number {
  return Math.floor(word / 2 ** low) % 2 ** count;
}

/** The same with the top bit as a sign. */
export function signedBitsOf(word: number, low: number, count: number): number {
  const value = bitsOf(word, low, count);
  return value >= 2 ** (count - 1) ? value - 2 ** count : value;
}

/** The immediate of ADR and ADRP. */
export function adrImmediate(word: number): number {
  return signedBitsOf(word, 5, 19) * 4 + bitsOf(word, 29, 2);
}

/** The 4 KiB page of an address. */
export function pageOf(address: number): number {
  return Math.floor(address / 4096) * 4096;
}

const BTI_C = 0xd503245f;

/** Runs the few instructions that PLT entries and veneers are made of, with x16 and x17 as their only registers. */
function followArm64(view: LoadedMemory, address: number): StubTarget | null {
  const registers: (number | null)[] = Array<number | null>(32).fill(null);
  const loaded = new Map<number, number>();
  for (let at = address; at < address + 40; at += 4) {
    const word = view.uint32(at);
    const to = bitsOf(word, 0, 5);
    const from = registers[bitsOf(word, 5, 5)] ?? null;
    if (word === BTI_C) continue;
    if (bitsOf(word, 26, 6) === 0x05) return { address: at + signedBitsOf(word, 0, 26) * 4 };
    if (bitsOf(word, 24, 5) === 0x10) {
      const page = bitsOf(word, 31, 1) === 1;
      registers[to] = page ? pageOf(at) + adrImmediate(word) * 4096 : at + adrImmediate(word);
    } else if (bitsOf(word, 22, 10) === 0x3e5) {
      if (from === null) return null;
      loaded.set(to, from + bitsOf(word, 10, 12) * 8);
    } else if (bitsOf(word, 22, 10) === 0x244) {
      if (from === null) return null;
      registers[to] = from + bitsOf(word, 10, 12);
    } else if (bitsOf(word, 24, 8) === 0x58) {
      const signed = view.word(at + signedBitsOf(word, 5, 19) * 4);
      registers[to] = signed;
    } else if (bitsOf(word, 21, 11) === 0x458) {
      const other = registers[bitsOf(word, 16, 5)] ?? null;
      if (from === null || other === null) return null;
      registers[to] = from + other;
    } else if (bitsOf(word, 10, 22) === 0x3587c0) {
      const through = bitsOf(word, 5, 5);
      const slot = loaded.get(through);
      if (slot !== undefined) return { slot };
      return from === null ? null : { address: from };
    } else return null;
  }
  return null;
}

const X86: readonly (readonly [number, DynamicKind])[] = [
  [1, 'absolute'],
  [6, 'absolute'],
  [7, 'slot'],
  [8, 'relative'],
  [16, 'module'],
  [17, 'module-offset'],
  [18, 'thread-offset'],
  [36, 'descriptor'],
];

const ARM64: readonly (readonly [number, DynamicKind])[] = [
  [257, 'absolute'],
  [1025, 'absolute'],
  [1026, 'slot'],
  [1027, 'relative'],
  [1028, 'module'],
  [1029, 'module-offset'],
  [1030, 'thread-offset'],
  [1031, 'descriptor'],
];

/** By e_machine: EM_X86_64, EM_AARCH64. */
export const MACHINE_FACTS: Readonly<Record<number, MachineFacts>> = {
  62: { dynamicKinds: new Map(X86), followStub: followX86 },
  183: { dynamicKinds: new Map(ARM64), followStub: followArm64 },
};
