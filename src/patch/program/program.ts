// The program as it is now: the base and the patches on it, as a value. Applying, undoing and redoing make a new value;
// the host keeps the current one. Memory and thread-local room are never used twice, as a thread may still be in there.
import type { Cell, ImageSymbol, PatchImage, Redirection } from '../image/image.js';
import { NONE_DEPARTED, type Departed } from '../diff/departed.js';
import { NO_NAMES, type NameMap } from '../identity/name-map.js';
import type { BaseProgram } from './base-program.js';
import type { Moved } from '../wire/frames.js';
import type { ItemKind } from './symbol-index.js';

/** A patch that was applied to the process at some time. */
export interface AppliedPatch {
  readonly image: PatchImage;
  /** SHA-256 of its file. */
  readonly digest: Uint8Array;
  /** What the objects that it was made from call the program's items; see identity/. */
  readonly names?: NameMap;
  /** What those objects do not hold and the program has. */
  readonly departed?: Departed;
  /** Where the process has what stands for something else. Without: nowhere else. */
  readonly moved?: readonly Moved[];
}

export interface Program {
  readonly base: BaseProgram;
  /** What the objects call the program's items as long as no patch is live. */
  readonly baseNames: NameMap;
  readonly baseDeparted: Departed;
  /** What is live, oldest first. */
  readonly live: readonly AppliedPatch[];
  /** What was undone and can be redone, next one last. */
  readonly undone: readonly AppliedPatch[];
  /** Everything that is mapped, in the order of mapping. */
  readonly mapped: readonly AppliedPatch[];
}

/** An item with its canonical place. `room` tells a thread-local in the agent's room from one of the base. */
export interface LiveItem {
  readonly name: string;
  readonly kind: ItemKind;
  readonly address: number;
  readonly size: number;
  readonly source: string | null;
  readonly room: boolean;
  readonly resolver?: boolean;
}

/** The program right after its start. */
export function freshProgram(base: BaseProgram): Program {
  return { base, baseNames: NO_NAMES, baseDeparted: NONE_DEPARTED, live: [], undone: [], mapped: [] };
}

/** After a patch became live. */
export function withPatch(program: Program, patch: AppliedPatch): Program {
  return {
    ...program,
    live: [...program.live, patch],
    undone: [],
    mapped: [...program.mapped, patch],
  };
}

/** After the newest live patch was undone. */
export function withoutLast(program: Program): Program {
  const last = program.live.at(-1);
  if (last === undefined) return program;
  return { ...program, live: program.live.slice(0, -1), undone: [...program.undone, last] };
}

/** After it was decided that the patch that was undone last will never be redone. Its memory stays taken. */
export function withoutUndone(program: Program): Program {
  return { ...program, undone: program.undone.slice(0, -1) };
}

/** After the patch that was undone last was redone. */
export function withRedone(program: Program): Program {
  const next = program.undone.at(-1);
  if (next === undefined) return program;
  return { ...program, live: [...program.live, next], undone: program.undone.slice(0, -1) };
}

/** What the newest objects call the program's items. */
export function namesOf(program: Program): NameMap {
  for (let at = program.live.length - 1; at >= 0; at--) {
    const names = program.live[at]?.names;
    // Of a patch that came as a file the objects are not known: those before it are still the newest.
    if (names !== undefined) return names;
  }
  return program.baseNames;
}

/**
 * What the newest objects do not hold any more and the program has as it was. Nothing is known after a patch from a
 * file.
 */
export function departedOf(program: Program): Departed {
  const last = program.live.at(-1);
  return last === undefined ? program.baseDeparted : (last.departed ?? NONE_DEPARTED);
}

/** After objects came that mean the same and may call it otherwise, or hold less of it. */
export function withObjects(program: Program, names: NameMap, departed: Departed): Program {
  const last = program.live.at(-1);
  if (last === undefined) return { ...program, baseNames: names, baseDeparted: departed };
  return { ...program, live: [...program.live.slice(0, -1), { ...last, names, departed }] };
}

/** Does the program know an item by this name, or did it ever? */
export function isTaken(program: Program, name: string): boolean {
  return program.base.items.has(name) || program.mapped.some(({ image }) => symbolsOf(image).has(name));
}

/** The lowest address that patches use of those from `bottom` to `top`, else `top`: the next image ends there. */
export function lowestAddress(program: Program, bottom: number, top: number): number {
  let lowest = top;
  for (const { image } of program.mapped) {
    const addresses = image.segments.map(({ address }) => address);
    for (const address of image.library === null ? addresses : [...addresses, image.library.at])
      if (address >= bottom && address < lowest) lowest = address;
  }
  return lowest;
}

/** First free byte of the thread-local room. */
export function tlsUsed(program: Program): number {
  return program.mapped.reduce((used, { image }) => Math.max(used, image.tlsUsed), 0);
}

/** First free element of the table that functions are entered through; 0 where they lie in memory. */
export function slotsUsed(program: Program): number {
  const own = program.base.tabled?.tableSize ?? 0;
  return program.mapped.reduce((used, { image }) => Math.max(used, image.code?.slotsEnd ?? 0), own);
}

function fromImage({ name, kind, address, size }: ImageSymbol): LiveItem {
  return { name, kind, address, size, source: null, room: kind === 'tls' };
}

const symbolMaps = new WeakMap<PatchImage, ReadonlyMap<string, ImageSymbol>>();

/** The symbols of an image by name; made once per image. */
function symbolsOf(image: PatchImage): ReadonlyMap<string, ImageSymbol> {
  const known = symbolMaps.get(image);
  if (known !== undefined) return known;
  const made = new Map(image.symbols.map((symbol) => [symbol.name, symbol]));
  symbolMaps.set(image, made);
  return made;
}

/**
 * Every copy of a name, at its canonical place: where it was first seen. The base comes first, then live patches.
 * Read-only data has no identity, only content: there the newest live copy counts, as of what a patch gave a new place.
 * Mutable data and thread-locals of undone patches still count, as their memory and value are still there.
 */
export function findItems(program: Program, name: string): readonly LiveItem[] {
  for (let i = program.live.length - 1; i >= 0; i--) {
    const symbol = symbolsOf((program.live[i] as AppliedPatch).image).get(name);
    if (symbol !== undefined && (symbol.kind === 'readonly' || symbol.moved)) return [fromImage(symbol)];
  }
  const inBase = program.base.items.get(name);
  if (inBase !== undefined) return inBase.map((item) => ({ ...item, room: false }));
  for (const { image } of program.live) {
    const symbol = symbolsOf(image).get(name);
    if (symbol !== undefined) return [fromImage(symbol)];
  }
  for (const { image } of program.mapped) {
    const symbol = symbolsOf(image).get(name);
    if (symbol?.kind === 'data' || symbol?.kind === 'tls') return [fromImage(symbol)];
  }
  return [];
}

/** Bytes as they are in memory now, cells included; null outside of program and patches. */
export function liveBytes(program: Program, address: number, size: number): Uint8Array | null {
  let bytes = program.base.read(address, size);
  for (const { image } of program.mapped) {
    for (const segment of image.segments) {
      if (address < segment.address || address + size > segment.address + segment.size) continue;
      const whole = new Uint8Array(size);
      whole.set(segment.bytes.subarray(address - segment.address, address - segment.address + size));
      bytes = whole;
    }
  }
  if (bytes === null) return null;
  let result: Uint8Array | null = null;
  for (const cell of liveCells(program)) {
    const from = Math.max(address, cell.at);
    const to = Math.min(address + size, cell.at + cell.newBytes.length);
    if (cell.module !== 0 || from >= to) continue;
    result ??= bytes.slice();
    result.set(cell.newBytes.subarray(from - cell.at, to - cell.at), from - address);
  }
  return result ?? bytes;
}

const cellLists = new WeakMap<Program, readonly Cell[]>();

/** All cells that are written, oldest first: later ones overwrite earlier ones. Collected once per program. */
export function liveCells(program: Program): readonly Cell[] {
  const known = cellLists.get(program);
  if (known !== undefined) return known;
  const made = program.live.flatMap(({ image }) => image.cells);
  cellLists.set(program, made);
  return made;
}

/** Where the slot at this address leads now; null when no live patch has changed it. */
export function slotTarget(program: Program, at: number): number | null {
  for (const { image } of [...program.live].reverse()) {
    const slot = image.slots.find((one) => one.module === 0 && one.at === at);
    if (slot !== undefined) return slot.newTarget;
  }
  return null;
}

/** Where a word of a patch leads now, before any patch has changed it the function that it was made for; null for others. */
export function wordTarget(program: Program, at: number): number | null {
  const changed = slotTarget(program, at);
  if (changed !== null) return changed;
  for (const { image } of program.mapped) {
    const word = image.rebases.find((one) => one.module === 0 && one.at === at);
    if (word !== undefined) return word.value;
  }
  return null;
}

/** The word by which a function of an earlier patch's library can be redirected; null where there is none. */
export function entryWordOf(program: Program, address: number): number | null {
  for (const { image } of program.mapped) {
    const symbol = image.symbols.find((one) => one.kind === 'function' && one.address === address);
    if (symbol !== undefined) return symbol.entryWord;
  }
  return null;
}

/** The word that a stub jumps through which an earlier patch put before a function of its own; null for other addresses. */
export function stubOf(program: Program, address: number): number | null {
  for (const { image } of program.mapped) {
    const symbol = image.symbols.find((one) => one.kind === 'function' && one.address === address);
    if (symbol === undefined || symbol.entryWord === null) continue;
    return image.bodies.some(({ name }) => name === symbol.name) ? symbol.entryWord : null;
  }
  return null;
}

/** The process's address of what the program knows at `address`, also one of the process: a library's is elsewhere. */
export function movedAddress(program: Program, address: number): number {
  for (const { start, length, by } of program.mapped.flatMap(({ moved = [] }) => moved)) {
    if (address >= start && address < start + length) return address + by;
  }
  return address;
}

/** The reverse of {@link movedAddress}. */
export function knownAddress(program: Program, address: number): number {
  for (const { start, length, by } of program.mapped.flatMap(({ moved = [] }) => moved)) {
    if (address >= start + by && address < start + by + length) return address - by;
  }
  return address;
}

/** Is something at this address that may lie anywhere in truth? */
export function isInLibrary(program: Program, address: number): boolean {
  return program.mapped.some(
    ({ image: { library } }) => library !== null && address >= library.at && address < library.at + library.size,
  );
}

/** What takes a patch back. */
export function inverseRedirection({ cells, slots }: Redirection): Redirection {
  return {
    cells: [...cells].reverse().map((cell) => ({ ...cell, oldBytes: cell.newBytes, newBytes: cell.oldBytes })),
    slots: slots.map((slot) => ({ ...slot, oldTarget: slot.newTarget, newTarget: slot.oldTarget })),
  };
}
