// Pass: layout. One allocator per space: memory (three regions of pages, below what is there already) and the room for
// thread-locals. Atoms keep the order of the closure, so that equal inputs give equal bytes.
import { alignUp } from '../bytes/align.js';
import { IpbpError, hex } from '../codes/error.js';
import type { SectionKind } from '../formats/object-file.js';
import type { Machine } from '../reloc/machine.js';
import type { LinkedAtom } from './close.js';
import type { Atom } from './graph.js';
import type { Slots } from './slots.js';

/** Where the image may go. Addresses are of module 0's space. */
export interface Placement {
  /** The image ends at or below this address, a multiple of the page size. */
  readonly top: number;
  /** The lowest address that is free. */
  readonly bottom: number;
  /** First free byte of the thread-local room, and its end. */
  readonly tlsNext: number;
  readonly tlsEnd: number;
  /** Largest alignment that the room can give. */
  readonly tlsAlign: number;
}

/** A run of pages with one protection. `used` bytes have content, the rest of `size` is zero. */
export interface Region {
  readonly protection: 'r' | 'rx' | 'rw';
  readonly address: number;
  readonly used: number;
  readonly size: number;
}

export interface Layout {
  readonly regions: readonly Region[];
  /** Address of an atom of memory, offset in the room of a thread-local. */
  addressOf(atom: Atom): number;
  /** Where in memory an atom's bytes lie: of a thread-local those are its initial value. */
  contentOf(atom: Atom): number;
  readonly slotsAt: number;
  readonly stubsAt: number;
  readonly unwindAt: number;
  /** Where the first of the words begins through which later images can redirect functions of this one. */
  readonly entryWordsAt: number;
  readonly tlsUsed: number;
  /** The lowest address in use: the next image's top. */
  readonly bottom: number;
}

type Space = 'r' | 'rx' | 'rw' | 'zero' | 'tls';

function spaceOf(kind: SectionKind): Space {
  switch (kind) {
    case 'code':
      return 'rx';
    case 'data':
      return 'rw';
    case 'zero':
      return 'zero';
    case 'tls-data':
    case 'tls-zero':
      return 'tls';
    case 'readonly':
    case 'relro':
    case 'lsda':
    case 'init':
    case 'fini':
    case 'debug':
    case 'unwind':
    case 'note':
    case 'other':
      return 'r';
  }
}

/** True for atoms that live in the thread-local space. */
export function isThreadLocal(atom: Atom): boolean {
  return spaceOf(atom.kind) === 'tls';
}

/** A bump allocator over one region, counting from the region's start. */
class Run {
  size = 0;
  take(size: number, align: number): number {
    const at = alignUp(this.size, Math.max(align, 1));
    this.size = at + size;
    return at;
  }
}

/**
 * Gives every atom, slot and stub its address.
 * @throws IpbpError IPBP2005 when memory or the thread-local room is used up.
 */
export function place(
  atoms: readonly LinkedAtom[],
  slots: Slots,
  sizes: { readonly unwind: number; readonly entryWords: number },
  machine: Machine,
  where: Placement,
): Layout {
  const runs = { r: new Run(), rx: new Run(), rw: new Run(), zero: new Run(), tls: new Run() };
  runs.tls.size = where.tlsNext;
  const offsets = new Map<Atom, number>();
  const templates = new Map<Atom, number>();
  for (const { atom } of atoms) {
    const space = spaceOf(atom.kind);
    if (space === 'tls' && atom.align > where.tlsAlign) {
      throw new IpbpError('IPBP2005', `thread-local ${atom.name} wants a larger alignment than the room has`, {
        expected: `at most ${where.tlsAlign}`,
        actual: String(atom.align),
        where: atom.object.name,
      });
    }
    offsets.set(atom, runs[space].take(atom.size, atom.align));
    // Its initial value is part of the image, as it may hold addresses that only the process can fill.
    if (space === 'tls') templates.set(atom, runs.r.take(atom.size, atom.align));
  }
  if (runs.tls.size > where.tlsEnd) {
    throw new IpbpError('IPBP2005', 'the room for new thread-locals is used up', {
      expected: `at most ${where.tlsEnd} bytes over all patches`,
      actual: `${runs.tls.size}`,
    });
  }
  const slotsOffset = runs.r.take(slots.slots.length * machine.pointerSize, machine.pointerSize);
  const unwindOffset = runs.r.take(sizes.unwind, machine.pointerSize);
  const entryWordsOffset = runs.rw.take(sizes.entryWords * machine.pointerSize, machine.pointerSize);
  const stubsOffset = runs.rx.take(slots.stubs.length * machine.stub.size, machine.stub.align);
  // Zero-filled data follows initialised data in the same pages.
  const strictest = atoms.reduce(
    (most, { atom }) => (spaceOf(atom.kind) === 'zero' ? Math.max(most, atom.align) : most),
    1,
  );
  const zeroOffset = alignUp(runs.rw.size, strictest);
  const used = { r: runs.r.size, rx: runs.rx.size, rw: runs.rw.size };
  const total = {
    r: runs.r.size,
    rx: runs.rx.size,
    rw: runs.zero.size === 0 ? runs.rw.size : zeroOffset + runs.zero.size,
  };
  const page = machine.pageSize;
  const pages = alignUp(total.r, page) + alignUp(total.rx, page) + alignUp(total.rw, page);
  const bottom = where.top - pages;
  if (bottom < where.bottom) {
    throw new IpbpError('IPBP2005', 'the memory reserved for patches is used up', {
      expected: `room for ${pages} bytes`,
      actual: `${where.top - where.bottom} bytes left, down to ${hex(where.bottom)}`,
    });
  }
  const starts = { r: bottom, rx: bottom + alignUp(total.r, page), rw: 0 };
  starts.rw = starts.rx + alignUp(total.rx, page);
  const regions: Region[] = [];
  for (const protection of ['r', 'rx', 'rw'] as const) {
    if (total[protection] === 0) continue;
    const size = alignUp(total[protection], page);
    regions.push({ protection, address: starts[protection], used: used[protection], size });
  }
  const addressOf = (atom: Atom): number => {
    const offset = offsets.get(atom);
    if (offset === undefined) throw new Error(`internal: ${atom.name} was not placed`);
    const space = spaceOf(atom.kind);
    if (space === 'tls') return offset;
    return space === 'zero' ? starts.rw + zeroOffset + offset : starts[space] + offset;
  };
  return {
    regions,
    addressOf,
    contentOf(atom) {
      const template = templates.get(atom);
      return template === undefined ? addressOf(atom) : starts.r + template;
    },
    slotsAt: starts.r + slotsOffset,
    stubsAt: starts.rx + stubsOffset,
    unwindAt: starts.r + unwindOffset,
    entryWordsAt: starts.rw + entryWordsOffset,
    tlsUsed: runs.tls.size,
    bottom,
  };
}
