// Pass: layout. One allocator per space: memory (three regions of pages, below what is there already), the room for
// thread-locals, and the table where functions lie in no memory. Atoms keep the order of the closure, so that equal inputs give equal bytes. Thread-locals that have
// descriptors have no place in the room: they are the image's own, as a library's are.
import { alignUp } from '../bytes/align.js';
import { IpbpError, hex } from '../codes/error.js';
import type { SectionKind } from '../formats/object-file.js';
import type { Machine } from '../reloc/machine.js';
import type { LinkedAtom } from './close.js';
import type { Atom } from './graph.js';
import type { ImageRange, OwnThreadLocals } from './linked-image.js';
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
  /** First free element of the table that functions are entered through. Without: they lie in memory. */
  readonly slotNext?: number;
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
  /** Address of an atom of memory, element of the table of a function that lies in none; offset of a thread-local in the room, or in the image's own template. */
  addressOf(atom: Atom): number;
  /** Where in memory an atom's bytes lie: of a thread-local those are its initial value. */
  contentOf(atom: Atom): number;
  readonly slotsAt: number;
  readonly stubsAt: number;
  readonly unwindAt: number;
  /** Where the first of the words begins through which later images can redirect functions of this one. */
  readonly entryWordsAt: number;
  readonly tlsUsed: number;
  /** First element of the table that is free behind the image; 0 where functions lie in memory. */
  readonly slotsEnd: number;
  /** Null when new thread-locals lie in the room. */
  readonly threadLocals: OwnThreadLocals | null;
  /** The lowest address in use: the next image's top. */
  readonly bottom: number;
}

type Space = 'r' | 'rx' | 'rw' | 'zero' | 'tls' | 'descriptors' | 'table';

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
    case 'tls-descriptors':
      return 'descriptors';
    case 'readonly':
    case 'relro':
    case 'lsda':
    case 'init':
    case 'fini':
    case 'debug':
    case 'unwind':
    case 'unwind-table':
    case 'note':
    case 'other':
      return 'r';
  }
}

function spaceIn(machine: Machine, kind: SectionKind): Space {
  const space = spaceOf(kind);
  return space === 'rx' && machine.codeIn === 'table' ? 'table' : space;
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

/** Thread-locals of the image's own: those with initial values, then zeros. Offsets count from the first. */
interface Template {
  readonly offsets: ReadonlyMap<Atom, number>;
  readonly align: number;
  /** Bytes with content, where the zeros begin, and all of it. */
  readonly filled: number;
  readonly zeroAt: number;
  readonly size: number;
}

const EMPTY_TEMPLATE: Template = { offsets: new Map(), align: 1, filled: 0, zeroAt: 0, size: 0 };

function layOutTemplate(atoms: readonly LinkedAtom[]): Template {
  const run = new Run();
  const offsets = new Map<Atom, number>();
  const take = (kind: SectionKind): void => {
    for (const { atom } of atoms) if (atom.kind === kind) offsets.set(atom, run.take(atom.size, atom.align));
  };
  take('tls-data');
  const filled = run.size;
  const strictest = (kind?: SectionKind): number =>
    atoms.reduce((most, { atom }) => {
      const counts = kind === undefined ? isThreadLocal(atom) : atom.kind === kind;
      return counts ? Math.max(most, atom.align) : most;
    }, 1);
  const zeroAt = run.take(0, strictest('tls-zero'));
  take('tls-zero');
  return { offsets, align: strictest(), filled, zeroAt, size: run.size };
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
  const runs = { r: new Run(), rx: new Run(), rw: new Run(), zero: new Run(), tls: new Run(), descriptors: new Run() };
  const table = new Run();
  table.size = where.slotNext ?? 0;
  runs.tls.size = where.tlsNext;
  const own = atoms.some(({ atom }) => spaceOf(atom.kind) === 'descriptors');
  const offsets = new Map<Atom, number>();
  const templates = new Map<Atom, number>();
  for (const { atom } of atoms) {
    const space = spaceIn(machine, atom.kind);
    if (space === 'tls' && own) continue;
    if (space === 'tls' && atom.align > where.tlsAlign) {
      throw new IpbpError('IPBP2005', `thread-local ${atom.name} wants a larger alignment than the room has`, {
        expected: `at most ${where.tlsAlign}`,
        actual: String(atom.align),
        where: atom.object.name,
      });
    }
    offsets.set(atom, space === 'table' ? table.take(1, 1) : runs[space].take(atom.size, atom.align));
    // Its initial value is part of the image, as it may hold addresses that only the process can fill.
    if (space === 'tls') templates.set(atom, runs.r.take(atom.size, atom.align));
  }
  if (runs.tls.size > where.tlsEnd) {
    const [first] = atoms.flatMap(({ atom }) => (spaceOf(atom.kind) === 'tls' ? [atom] : []));
    if (where.tlsEnd === 0) {
      throw new IpbpError('IPBP2005', 'threads of this program have no room for a new thread-local', {
        where: first === undefined ? '' : `${first.object.name}: ${first.name}`,
      });
    }
    throw new IpbpError('IPBP2005', 'the room for new thread-locals is used up', {
      expected: `at most ${where.tlsEnd} bytes over all patches`,
      actual: `${runs.tls.size}`,
    });
  }
  const slotsOffset = runs.r.take(slots.slots.length * machine.pointerSize, machine.pointerSize);
  const unwindOffset = runs.r.take(sizes.unwind, machine.pointerSize);
  const entryWordsOffset = runs.rw.take(sizes.entryWords * machine.pointerSize, machine.pointerSize);
  const descriptorsOffset = runs.rw.take(runs.descriptors.size, machine.pointerSize);
  // The template's zeros follow its initialised part, and other zeros those: it ends what has content.
  const template = own ? layOutTemplate(atoms) : EMPTY_TEMPLATE;
  const templateOffset = runs.rw.take(template.filled, template.align);
  const templateEnd = templateOffset + template.size;
  for (const [atom, offset] of template.offsets) offsets.set(atom, offset);
  const stubsOffset = runs.rx.take(slots.stubs.length * machine.stub.size, machine.stub.align);
  // Zero-filled data follows initialised data in the same pages.
  const strictest = atoms.reduce(
    (most, { atom }) => (spaceOf(atom.kind) === 'zero' ? Math.max(most, atom.align) : most),
    1,
  );
  const zeroOffset = alignUp(Math.max(runs.rw.size, templateEnd), strictest);
  const used = { r: runs.r.size, rx: runs.rx.size, rw: runs.rw.size };
  const total = {
    r: runs.r.size,
    rx: runs.rx.size,
    rw: runs.zero.size === 0 ? Math.max(runs.rw.size, templateEnd) : zeroOffset + runs.zero.size,
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
    const space = spaceIn(machine, atom.kind);
    switch (space) {
      case 'tls':
      case 'table':
        return offset;
      case 'zero':
        return starts.rw + zeroOffset + offset;
      case 'descriptors':
        return starts.rw + descriptorsOffset + offset;
      case 'r':
      case 'rx':
      case 'rw':
        return starts[space] + offset;
    }
  };
  const range = (offset: number, size: number): ImageRange | null =>
    size === 0 ? null : { at: starts.rw + offset, size };
  return {
    regions,
    addressOf,
    contentOf(atom) {
      if (own && isThreadLocal(atom)) return starts.rw + templateOffset + addressOf(atom);
      const value = templates.get(atom);
      return value === undefined ? addressOf(atom) : starts.r + value;
    },
    slotsAt: starts.r + slotsOffset,
    stubsAt: starts.rx + stubsOffset,
    unwindAt: starts.r + unwindOffset,
    entryWordsAt: starts.rw + entryWordsOffset,
    tlsUsed: runs.tls.size,
    slotsEnd: table.size,
    threadLocals: own
      ? {
          descriptors: [{ at: starts.rw + descriptorsOffset, size: runs.descriptors.size }],
          template: range(templateOffset, template.filled),
          zero: range(templateOffset + template.zeroAt, template.size - template.zeroAt),
        }
      : null,
    bottom,
  };
}
