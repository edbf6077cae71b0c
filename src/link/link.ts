// The link of a patch, pass by pass. Each pass is a file of this folder and knows no format and no machine.
import type { Atom, LinkObject } from './graph.js';
import type { Surroundings } from './binding.js';
import { closeOver, type LinkedAtom, type Reach, type Unresolved } from './close.js';
import { NO_ENTRIES, throughStubs } from './entry-stubs.js';
import { isOutside, reachAnywhere } from './far-references.js';
import { applyFixup, fillSlot, type FixupContext, type Words } from './fixups.js';
import { openLines } from './function-lines.js';
import { numberIndexes } from './index-spaces.js';
import type { ImageFunction, ImageSegment, LinkedCode, LinkedImage, TlsInit } from './linked-image.js';
import { isThreadLocal, place, type Layout, type Placement, type Region } from './place.js';
import { encodeStubs, isFar, makeSlots } from './slots.js';
import { buildUnwindTable, type UnwindTable } from './unwind.js';
import { unwindEntries } from './unwind-entries.js';
import type { Machine } from '../reloc/machine.js';

export interface LinkRequest {
  /** What must be in the image. */
  readonly roots: readonly Atom[];
  /** Those of them whose old entries lead to them. Without: none. */
  readonly replacing?: ReadonlySet<Atom>;
  /** Objects whose constructors count. */
  readonly objects: readonly LinkObject[];
  readonly outside: Surroundings;
  readonly placement: Placement;
  readonly machine: Machine;
  /** Whether the image will lie where its addresses say, or anywhere: then those are only names of its places. */
  readonly reach: Reach;
  /** What is before the image's functions, for later redirects: nothing, as their code can be changed, or stubs. */
  readonly entries: 'code' | 'stubs';
}

export type LinkResult =
  | { readonly kind: 'linked'; readonly image: LinkedImage }
  | { readonly kind: 'unresolved'; readonly symbols: readonly Unresolved[] };

/**
 * Links `roots` and all they need into an image that lies right below `placement.top`.
 * @throws IpbpError IPBP2001, IPBP2002, IPBP2004 for a relocation that cannot be applied, IPBP2005 when there is no room.
 */
export function link(request: LinkRequest): LinkResult {
  const { machine, reach } = request;
  // What the roots newly need, and where each reference leads.
  const closure = closeOver(request.roots, request.objects, request.outside, reach);
  if (closure.unresolved.length > 0) return { kind: 'unresolved', symbols: closure.unresolved };
  // What nobody can change later is entered through words.
  const entered =
    request.entries === 'stubs' && machine.codeIn === 'memory'
      ? throughStubs(closure.atoms, request.replacing ?? new Set(), machine)
      : { atoms: closure.atoms, entries: NO_ENTRIES };
  // What may lie anywhere reaches all else through words.
  const atoms = reach === 'anywhere' ? reachAnywhere(entered.atoms, machine) : entered.atoms;
  // Words and stubs that references go through.
  const ids = new Map(atoms.map((linked, i) => [linked.atom, i]));
  const slots = makeSlots(atoms, (atom) => ids.get(atom) ?? -1, reach === 'anywhere' ? isOutside : isFar);
  // One table that says how to unwind the new code.
  const unwind = buildUnwindTable(atoms);
  // An address for everything.
  const jumps = reach === 'anywhere' && request.entries === 'code';
  const functions = jumps ? atoms.filter(isFunction).map(({ atom }) => atom) : [];
  const sizes = { unwind: unwind.bytes.length, entryWords: functions.length };
  const layout = place(atoms, slots, sizes, machine, request.placement);
  // Bytes.
  const words: Words = { rebases: [], tlsWords: [], imports: [] };
  const indexes = machine.codeIn === 'table' ? numberIndexes(atoms, layout, machine) : null;
  const context: FixupContext = { layout, slots, machine, words, reach, indexes };
  const { segments, code } = write(atoms, unwind, context);
  const entryWords = new Map(functions.map((atom, i) => [atom, layout.entryWordsAt + i * machine.pointerSize]));
  for (const [atom, at] of entryWords) words.rebases.push({ at, module: 0, value: layout.addressOf(atom) });
  const tlsInit = threadLocalValues(atoms, layout);
  return {
    kind: 'linked',
    image: {
      segments,
      code,
      rebases: words.rebases,
      tlsWords: words.tlsWords,
      imports: words.imports,
      tlsInit,
      tlsUsed: layout.tlsUsed,
      unwind: unwind.bytes.length === 0 ? null : layout.unwindAt,
      unwindEntries: unwindEntries(atoms, unwind, layout, slots, machine.pointerSize),
      threadLocals: layout.threadLocals,
      bottom: layout.bottom,
      constructors: closure.constructors.map(({ atom, offset }) => layout.addressOf(atom) + offset),
      atoms: atoms.map((linked) => linked.atom),
      addressOf: (atom) => layout.addressOf(atom),
      entryOf(atom, offset) {
        const entry = entered.entries.get(atom)?.get(offset);
        if (entry !== undefined)
          return { address: layout.addressOf(entry.stub), isStub: true, word: layout.addressOf(entry.word) };
        const word = offset === 0 ? (entryWords.get(atom) ?? null) : null;
        return { address: layout.addressOf(atom) + offset, isStub: false, word };
      },
    },
  };
}

function isFunction({ atom }: LinkedAtom): boolean {
  return atom.kind === 'code' && atom.symbols.some(({ stable }) => stable);
}

/** Writes atoms, stubs, slots and the unwind table into the segments and applies every fixup. */
function write(
  atoms: readonly LinkedAtom[],
  unwind: UnwindTable,
  context: FixupContext,
): { readonly segments: readonly ImageSegment[]; readonly code: LinkedCode | null } {
  const { layout, slots, machine, indexes } = context;
  const segments = layout.regions.map((region) => ({ ...region, bytes: emptyBytes(region, machine) }));
  const at = (address: number): { readonly bytes: Uint8Array; readonly offset: number } => {
    const segment = segments.find((s) => address >= s.address && address < s.address + s.size);
    if (segment === undefined) throw new Error(`internal: no segment holds ${address}`);
    return { bytes: segment.bytes, offset: address - segment.address };
  };
  const functions = new Map<Atom, ImageFunction>();
  const linesOf = openLines();
  for (const { atom, bytes } of atoms) {
    if (indexes !== null && atom.kind === 'code') {
      const { name } = atom;
      const lines = linesOf(atom);
      functions.set(atom, {
        ...{ name, slot: layout.addressOf(atom), type: indexes.typeOf(atom), bytes: bytes.slice() },
        ...(lines.length > 0 && { lines }),
      });
      continue;
    }
    if (bytes.length === 0) continue;
    const to = at(layout.contentOf(atom));
    to.bytes.set(bytes, to.offset);
  }
  if (unwind.bytes.length > 0) {
    const to = at(layout.unwindAt);
    to.bytes.set(unwind.bytes, to.offset);
  }
  slots.slots.forEach((_, i) => {
    const to = at(layout.slotsAt + i * machine.pointerSize);
    fillSlot(i, to.bytes, to.offset, context);
  });
  if (slots.stubs.length > 0) {
    const to = at(layout.stubsAt);
    const slotAddress = (slot: number): number => layout.slotsAt + slot * machine.pointerSize;
    to.bytes.set(encodeStubs(slots, machine, layout.stubsAt, slotAddress), to.offset);
  }
  for (const { atom, edges } of atoms) {
    if (edges.length === 0) continue;
    const start = layout.contentOf(atom);
    const own = functions.get(atom)?.bytes;
    const to = own === undefined ? at(start) : { bytes: own, offset: 0 };
    for (const bound of edges) {
      const { offset } = bound.edge;
      const where = `${atom.object.name}: ${atom.name}+0x${offset.toString(16)}`;
      applyFixup(bound, { bytes: to.bytes, offset: to.offset + offset, address: start + offset, where }, context);
    }
  }
  for (const { record, bound } of unwind.fixups) {
    const address = layout.unwindAt + record + bound.edge.offset;
    const to = at(address);
    applyFixup(bound, { bytes: to.bytes, offset: to.offset, address, where: 'unwind table' }, context);
  }
  const { types = [], globals = [], imports = [], stubs = [] } = indexes ?? {};
  return {
    segments: segments.map(({ address, size, protection, bytes }) => ({ address, size, protection, bytes })),
    code:
      indexes === null
        ? null
        : { types, globals, imports, stubs, functions: [...functions.values()], slotsEnd: layout.slotsEnd },
  };
}

/** Code regions are filled to the end of their pages with what traps, so that short functions have padding behind them. */
function emptyBytes(region: Region, machine: Machine): Uint8Array {
  return region.protection === 'rx' ? new Uint8Array(region.size).fill(machine.codeFill) : new Uint8Array(region.used);
}

/** Where the initial values of new thread-locals in the room lie. Zero ones too: an undone patch may have used the same room. */
function threadLocalValues(atoms: readonly LinkedAtom[], layout: Layout): TlsInit[] {
  if (layout.threadLocals !== null) return [];
  return atoms
    .filter(({ atom }) => isThreadLocal(atom) && atom.size > 0)
    .map(({ atom }) => ({ offset: layout.addressOf(atom), length: atom.size, at: layout.contentOf(atom) }));
}
