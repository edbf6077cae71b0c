// Which threads are inside an old body of a function that a patch changed: they go on with it until it returns, and where
// that is a loop, the edit shows no effect. Found on their stacks, which are given as bytes. What once was a frame leaves
// return addresses behind that look alive; so each is followed from caller to caller by the unwind records, and every call
// on the way must lead to the function that was found. Unsure ones are left out.
import { firstNotBefore } from '../../bytes/search.js';
import { cfaRule } from '../../formats/dwarf/frame-rules.js';
import { functionRanges, recordsUpToEnd } from '../../formats/dwarf/eh-frame.js';
import type { PatchImage } from '../image/image.js';
import type { BaseProgram } from './base-program.js';
import { findItems, isInLibrary, knownAddress, liveBytes, movedAddress, wordTarget, type Program } from './program.js';

/** A thread that is blocked. Addresses are those of the process. */
export interface ThreadStack {
  readonly thread: number;
  readonly stackPointer: number;
  /** Memory from the stack pointer on. */
  readonly bytes: Uint8Array;
}

/** One live frame of an old body. */
export interface LiveFrame {
  readonly thread: number;
  /** Of the function, mangled. */
  readonly name: string;
  /** Where its return address is. The same frame has the same place at another look. */
  readonly at: number;
}

/** A function's code and its unwind record; addresses in module 0's space. */
interface Code {
  readonly start: number;
  readonly end: number;
  readonly record: number;
  readonly table: Uint8Array;
}

/** Most callers that are followed. */
const DEPTH = 128;
const WORD = 8;

const known = new WeakMap<BaseProgram | PatchImage, readonly Code[]>();

function remembered(key: BaseProgram | PatchImage, make: () => readonly Code[]): readonly Code[] {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}

function codeIn(table: Uint8Array, address: number, where: string): readonly Code[] {
  const ranges = functionRanges(table, address, where);
  return ranges.map(({ start, end, offset }) => ({ start, end, record: offset, table }));
}

function codeOfBase(base: BaseProgram): readonly Code[] {
  const { file } = base;
  return remembered(base, () =>
    file.sections
      .filter((section) => section.kind === 'unwind')
      .flatMap((section) => codeIn(file.sectionBytes(section.index), section.address, file.name))
      .sort((a, b) => a.start - b.start),
  );
}

function codeOfImage(image: PatchImage): readonly Code[] {
  return remembered(image, () => {
    const { unwind, segments } = image;
    const segment = segments.find((s) => unwind !== null && unwind >= s.address && unwind < s.address + s.bytes.length);
    if (unwind === null || segment === undefined) return [];
    const table = recordsUpToEnd(segment.bytes.subarray(unwind - segment.address));
    return codeIn(table, unwind, 'unwind table of a patch');
  });
}

function codeAt(program: Program, address: number): Code | null {
  const lists =
    address >= program.base.start ? [codeOfBase(program.base)] : program.mapped.map(({ image }) => codeOfImage(image));
  for (const list of lists) {
    const found = list[firstNotBefore(list, ({ end }) => end <= address)];
    if (found !== undefined && address >= found.start) return found;
  }
  return null;
}

/** The bodies that calls of each name led to before this image, by their first byte. */
function oldBodies(program: Program, image: PatchImage): ReadonlyMap<number, string> {
  const result = new Map<number, string>();
  const names = new Set(image.bodies.map(({ name }) => name));
  for (const name of names) for (const { address } of findItems(program, name)) result.set(address, name);
  for (const { image: other } of program.mapped) {
    if (other === image) continue;
    for (const { name, address } of other.bodies) if (names.has(name)) result.set(address, name);
  }
  return result;
}

/** Where calls of the code at `start` lead to: itself, or the place that was redirected to it. */
function entriesOf(program: Program, start: number): readonly number[] {
  const names = program.mapped.flatMap(({ image }) =>
    image.bodies.flatMap(({ name, address }) => (address === start ? [name] : [])),
  );
  return [start, ...names.flatMap((name) => findItems(program, name).map(({ address }) => address))];
}

/**
 * Live frames of bodies that `image` replaced. `slide` is where module 0 is; `read` gives the process's memory, null where
 * there is none.
 */
export function framesInside(
  program: Program,
  image: PatchImage,
  stacks: readonly ThreadStack[],
  slide: number,
  read: (address: number, size: number) => Uint8Array | null,
): readonly LiveFrame[] {
  const bodies = oldBodies(program, image);
  const codes = [...bodies].flatMap(([start, name]) => {
    const code = codeAt(program, start);
    return code === null || code.start !== start ? [] : [{ code, name }];
  });
  if (codes.length === 0) return [];
  const lowest = Math.min(...codes.map(({ code }) => code.start));
  const highest = Math.max(...codes.map(({ code }) => code.end));
  /** What is before an address that the program knows. */
  const before = (address: number, size: number): Uint8Array | null =>
    read(movedAddress(program, address + slide) - size, size);
  return stacks.flatMap(({ thread, stackPointer, bytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const wordAt = (at: number): number | null =>
      at < 0 || at + WORD > bytes.length
        ? null
        : view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
    const returnAt = (at: number): number | null => {
      const word = wordAt(at);
      return word === null ? null : knownAddress(program, word) - slide;
    };
    const frames: LiveFrame[] = [];
    for (let at = 0; at + WORD <= bytes.length; at += WORD) {
      const address = returnAt(at) ?? 0;
      if (address <= lowest || address > highest) continue;
      const found = codes.find(({ code }) => address > code.start && address <= code.end);
      if (found === undefined || !leadsUp(program, at, address, returnAt, before)) continue;
      frames.push({ thread, name: found.name, at: stackPointer + at });
    }
    return frames;
  });
}

/** Where a call to `target` leads: libraries of patches reach all else through stubs. */
function throughStub(program: Program, target: number): number {
  const { stub, entryStubs } = program.base.machine;
  const bytes = isInLibrary(program, target) ? liveBytes(program, target, stub.size) : null;
  const word = bytes === null ? null : entryStubs.slotOf(bytes, target);
  return (word === null ? null : wordTarget(program, word)) ?? target;
}

/**
 * Follows the callers of a frame, from the return address at `at`, as far as they are known; false where one does not
 * fit.
 */
function leadsUp(
  program: Program,
  at: number,
  address: number,
  returnAt: (at: number) => number | null,
  before: (address: number, size: number) => Uint8Array | null,
): boolean {
  const { machine } = program.base;
  for (let depth = 0; depth < DEPTH; depth++) {
    const calls = before(address, machine.longestCall);
    if (calls === null || machine.callBefore(calls, address) === undefined) return false;
    const code = codeAt(program, address - 1);
    // Libraries: what called into the program was in none of the functions that are asked for.
    if (code === null) return depth > 0;
    const rule = cfaRule(code.table, code.record, address - 1 - code.start, 'unwind table');
    if (rule === null || rule.register !== machine.stackPointer) return depth > 0;
    // The call pushed one word; the caller's return address is the word below the frame's end.
    at += rule.offset;
    const above = returnAt(at);
    if (above === null) return false;
    address = above;
    const call = before(address, machine.longestCall);
    const target = call === null ? undefined : machine.callBefore(call, address);
    if (target === undefined) return false;
    // What is redirected begins as a stub does.
    const entries = target === null ? null : entriesOf(program, code.start);
    if (target !== null && entries?.includes(target) === false && !entries.includes(throughStub(program, target)))
      return false;
  }
  return true;
}
