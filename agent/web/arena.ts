// Room in memory for the data of patches. Asked for right after instantiation, so that it lies at the same addresses in
// every instance; what is asked for later lies wherever the memory ends then. In a memory that instances share, the first
// of them has it, and the words in front of it say which group that is.
import { ARENA_HEADER, type MemoryRange } from '../../src/patch/wire/page-frames.js';

const PAGE = 65536;
/** Address space: what nobody writes costs nothing. */
const FIRST_PAGES = 16;

/** The memory's part for patches. */
export interface Arena {
  /** Without the words in front. */
  readonly range: MemoryRange;
  /** null where the memory is not shared. */
  readonly group: number | null;
  /** At least up to `end`, as in an instance that has just begun; null where something else lies there or nothing is left. */
  extendTo(end: number): MemoryRange | null;
  /** More bytes wherever there are some; null when none are left. */
  more(size: number): MemoryRange | null;
  /**
   * Whether the data of a patch is still to be written: once in each memory, so with a shared one the first who asks does
   * it.
   */
  claim(patch: number): boolean;
}

function grow(memory: WebAssembly.Memory, pages: number): number | null {
  try {
    return memory.grow(pages) * PAGE;
  } catch {
    return null;
  }
}

/** Where another instance has its arena in a memory that is shared; null where none has. */
function findArena(memory: WebAssembly.Memory, from: number): number | null {
  const words = new Int32Array(memory.buffer);
  for (let at = from; at + ARENA_HEADER.length <= memory.buffer.byteLength; at += PAGE) {
    const word = at / 4;
    const end = Atomics.load(words, word + ARENA_HEADER.end / 4) * PAGE;
    // A page of the program may begin with anything, but hardly with both.
    if (Atomics.load(words, word) === ARENA_HEADER.mark && end > at && end <= memory.buffer.byteLength) return at;
  }
  return null;
}

/** Takes the room, or finds it where another instance has taken it. Its range is empty when none could be had. */
export function takeArena(memory: WebAssembly.Memory, from: number): Arena {
  const shared = !(memory.buffer instanceof ArrayBuffer);
  const found = shared ? findArena(memory, from) : null;
  const start = found ?? grow(memory, FIRST_PAGES);
  if (start === null) return NO_ARENA;
  // Made anew each time: what grows leaves old views without anything.
  const words = (): Int32Array => new Int32Array(memory.buffer, start, ARENA_HEADER.length / 4);
  const load = (offset: number): number => Atomics.load(words(), offset / 4);
  const store = (offset: number, value: number): void => void Atomics.store(words(), offset / 4, value);
  if (found === null) {
    store(ARENA_HEADER.group, crypto.getRandomValues(new Int32Array(1))[0] as number);
    store(ARENA_HEADER.end, start / PAGE + FIRST_PAGES);
    store(0, ARENA_HEADER.mark);
  }
  const at = start + ARENA_HEADER.length;
  const range = (): MemoryRange => ({ at, end: load(ARENA_HEADER.end) * PAGE });
  return {
    get range() {
      return range();
    },
    group: shared ? load(ARENA_HEADER.group) : null,
    extendTo(wanted) {
      const { end } = range();
      if (wanted <= end) return range();
      const pages = Math.ceil((wanted - end) / PAGE);
      if (memory.buffer.byteLength !== end || grow(memory, pages) !== end) return null;
      store(ARENA_HEADER.end, end / PAGE + pages);
      return range();
    },
    more(size) {
      const pages = Math.ceil(size / PAGE);
      const begin = grow(memory, pages);
      return begin === null ? null : { at: begin, end: begin + pages * PAGE };
    },
    claim(patch) {
      const own = words();
      const index = ARENA_HEADER.written / 4;
      for (;;) {
        const written = Atomics.load(own, index);
        if (written >= patch) return false;
        if (Atomics.compareExchange(own, index, written, patch) === written) return true;
      }
    },
  };
}

const NO_ARENA: Arena = {
  range: { at: 0, end: 0 },
  group: null,
  extendTo: () => null,
  more: () => null,
  claim: () => false,
};
