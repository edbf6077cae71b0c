// Pass: every relocation's value is computed and written, or becomes a word that the process fills. The letters are
// the psABI's: S symbol, A addend, P place, G slot, L stub, TP offset from the thread pointer.
import { IpbpError, hex } from '../codes/error.js';
import { applyField } from '../reloc/apply.js';
import { EXPRESSIONS, isWithinPage, pageOf } from '../reloc/fixup.js';
import type { Machine } from '../reloc/machine.js';
import type { Binding } from './binding.js';
import type { BoundEdge, Reach } from './close.js';
import type { Indexes } from './index-spaces.js';
import type { Import, Rebase, TlsWord } from './linked-image.js';
import { isThreadLocal, type Layout } from './place.js';
import type { Slots } from './slots.js';

/** The words that are left to the process; fixups append to them. */
export interface Words {
  readonly rebases: Rebase[];
  readonly tlsWords: TlsWord[];
  readonly imports: Import[];
}

/** What a fixup needs to know of the whole link. */
export interface FixupContext {
  readonly layout: Layout;
  readonly slots: Slots;
  readonly machine: Machine;
  readonly words: Words;
  readonly reach: Reach;
  /** Null where functions lie in memory. */
  readonly indexes: Indexes | null;
}

/** Where a fixup stands: `bytes[offset]` is the field, `address` its place in memory. */
export interface FixupSite {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly address: number;
  /** For messages. */
  readonly where: string;
}

function unusable(bound: BoundEdge, site: FixupSite, why: string): never {
  throw new IpbpError('IPBP2004', `${bound.edge.row.name} cannot be used here: ${why}`, {
    where: site.where,
    actual: `target ${bound.edge.target.name ?? bound.edge.target.atom?.name ?? 'unknown'}`,
  });
}

/** The address of a binding in module 0's space, or null when it has none there. */
function addressIn0(binding: Binding, layout: Layout): number | null {
  if (binding.kind === 'atom')
    return isThreadLocal(binding.atom) ? null : layout.addressOf(binding.atom) + binding.offset;
  if (binding.kind === 'place') return binding.module === 0 ? binding.address : null;
  return null;
}

/** An address that is the same in every process; 0 for what nobody defines. */
function fixedAddress(bound: BoundEdge, site: FixupSite, layout: Layout): number {
  const { binding } = bound;
  const address = binding.kind === 'absolute' ? binding.value : addressIn0(binding, layout);
  return address ?? unusable(bound, site, 'the target is no place in memory');
}

/** Writes a whole address: to be rebased, imported, or as it is. */
function writeAddress(
  bound: BoundEdge,
  binding: Binding,
  addend: number,
  site: FixupSite,
  context: FixupContext,
): void {
  const { machine, words, layout } = context;
  const field = machine.addressRow.field;
  if (binding.kind === 'absolute') {
    applyField(field, site.bytes, site.offset, binding.value + addend, {
      what: machine.addressRow.name,
      where: site.where,
    });
    return;
  }
  if (binding.kind === 'import') {
    const { name, weak, resolver } = binding;
    const behind = addend + (binding.addend ?? 0);
    if (resolver !== null && behind !== 0) unusable(bound, site, 'a function that a resolver chooses has no parts');
    words.imports.push({ at: site.address, name, weak, byResolver: resolver !== null, addend: resolver ?? behind });
    return;
  }
  if (binding.kind === 'place') {
    words.rebases.push({ at: site.address, module: binding.module, value: binding.address + addend });
    return;
  }
  const address = addressIn0(binding, layout);
  if (address === null) unusable(bound, site, 'a thread-local has no address of its own');
  words.rebases.push({ at: site.address, module: 0, value: address + addend });
}

/** Writes an offset in the template: the image's own, or, where threads have no other, the program's. */
function writeTemplateOffset(bound: BoundEdge, addend: number, site: FixupSite, { layout }: FixupContext): void {
  const { binding, edge } = bound;
  if (binding.kind !== 'tls' && (binding.kind !== 'atom' || !isThreadLocal(binding.atom)))
    unusable(bound, site, 'the target is no thread-local of this template');
  const value = (binding.kind === 'tls' ? 0 : layout.addressOf(binding.atom)) + binding.offset + addend;
  applyField(edge.row.field, site.bytes, site.offset, value, { what: edge.row.name, where: site.where });
}

/** Writes an offset from the thread pointer: a number, or a word that the agent fills. */
function writeThreadOffset(
  bound: BoundEdge,
  binding: Binding,
  addend: number,
  size: number,
  site: FixupSite,
  context: FixupContext,
): void {
  if (binding.kind === 'tls') {
    const field = size === context.machine.pointerSize ? context.machine.addressRow.field : bound.edge.row.field;
    applyField(field, site.bytes, site.offset, binding.offset + addend, {
      what: bound.edge.row.name,
      where: site.where,
    });
    return;
  }
  if (binding.kind === 'import') {
    throw new IpbpError('IPBP3003', `${binding.name} is a thread-local of a shared library`, { where: site.where });
  }
  const room =
    binding.kind === 'tls-room'
      ? binding.offset
      : binding.kind === 'atom' && isThreadLocal(binding.atom)
        ? context.layout.addressOf(binding.atom) + binding.offset
        : null;
  if (room === null) unusable(bound, site, 'the target is no thread-local');
  if (size !== 4 && size !== 8) unusable(bound, site, `a thread-local's offset does not fit ${size} bytes`);
  context.words.tlsWords.push({ at: site.address, size, value: room + addend });
}

/** Fills one slot. */
export function fillSlot(index: number, bytes: Uint8Array, offset: number, context: FixupContext): void {
  const slot = context.slots.slots[index];
  if (slot === undefined) throw new Error(`internal: no slot ${index}`);
  const address = context.layout.slotsAt + index * context.machine.pointerSize;
  const site: FixupSite = { bytes, offset, address, where: `slot ${index}` };
  // A slot is no place in an object: its messages speak of the address row.
  const bound: BoundEdge = {
    edge: {
      offset: 0,
      row: context.machine.addressRow,
      target: {
        name: null,
        spelling: null,
        atom: null,
        offset: 0,
        label: false,
        weak: false,
        kind: 'none',
        absolute: null,
      },
      addend: 0,
    },
    binding: slot.binding,
  };
  if (slot.holds === 'address') writeAddress(bound, slot.binding, 0, site, context);
  else writeThreadOffset(bound, slot.binding, 0, context.machine.pointerSize, site, context);
}

/** Applies one bound edge. */
export function applyFixup(bound: BoundEdge, site: FixupSite, context: FixupContext): void {
  const { edge, binding } = bound;
  const { row, addend } = edge;
  const { layout, slots, machine } = context;
  const write = (value: number): void =>
    applyField(row.field, site.bytes, site.offset, value, {
      what: `${row.name} against ${edge.target.name ?? edge.target.atom?.name ?? 'nothing'}`,
      where: site.where,
    });
  const slotAddress = (): number => {
    const slot = slots.slotOf(bound);
    if (slot === null) throw new Error(`internal: no slot for ${row.name} at ${site.where}`);
    return layout.slotsAt + slot * machine.pointerSize;
  };
  const { term, base } = EXPRESSIONS[row.expression];
  /** An address that is known up to where all of the image lies. */
  const knownAddress = (of: Binding | undefined): number => {
    const known =
      of === undefined || (context.reach === 'anywhere' && of.kind !== 'atom') ? null : addressIn0(of, layout);
    return known ?? unusable(bound, site, 'the distance to what lies in another module is not known');
  };
  /** Takes the base off a term with its addend; of this image, the slots are the GOT. */
  const relative = (value: number): number => {
    switch (base) {
      case 'nothing':
        return value;
      case 'P':
        return value - site.address;
      case 'S':
        return value - knownAddress(binding);
      case 'T':
        return value - knownAddress(bound.minus);
      case 'memory':
      case 'table':
        return unusable(bound, site, 'the object was compiled to lie anywhere');
      case 'GOT':
        return value - layout.slotsAt;
      case 'page of P':
        return pageOf(value) - pageOf(site.address);
      case 'page of GOT':
        return value - pageOf(layout.slotsAt);
    }
  };
  switch (term) {
    case 'none':
      if (row.expression === 'none') return;
      return unusable(bound, site, 'a patch has no descriptors');
    case 'function':
    case 'type':
    case 'global':
    case 'table':
    case 'tag': {
      if (context.indexes?.callThroughSlot(bound, site.bytes, site.offset) === true) return;
      const index = context.indexes?.indexOf(bound) ?? null;
      return index === null ? unusable(bound, site, 'the target has no index') : write(index);
    }
    case 'offset':
      return unusable(bound, site, 'a patch has no such part');
    case 'L':
    case 'S': {
      if (context.reach === 'fixed') return write(relative(fixedAddress(bound, site, layout) + addend));
      const isWord = base === 'nothing' && row.field.size === machine.pointerSize;
      if (isWord && row.field !== machine.addressRow.field)
        unusable(bound, site, 'the process fills in addresses as they are, without a mark');
      if (isWord) return writeAddress(bound, binding, addend, site, context);
      const stub = slots.stubOf(bound);
      if (stub !== null) return write(relative(layout.stubsAt + stub * machine.stub.size + addend));
      if (base === 'nothing' && !isWithinPage(row.field)) {
        if (binding.kind !== 'absolute')
          unusable(bound, site, `an address does not fit ${row.field.size} bytes of code that may lie anywhere`);
        return write(binding.value + addend);
      }
      if (context.reach === 'anywhere' && binding.kind !== 'atom')
        unusable(bound, site, 'the image may lie at any distance from the target');
      const address = addressIn0(binding, layout);
      if (address !== null) return write(relative(address + addend));
      // A weak symbol that nobody defines: the code tests it before use, so any value that is in range would do.
      if (binding.kind === 'absolute' && binding.value === 0 && edge.target.weak) return write(relative(0));
      return unusable(bound, site, 'the target lies in another module or is no place in memory');
    }
    case 'P':
      return write(relative(site.address + addend));
    case 'signed':
      return unusable(bound, site, 'pointers that the processor signs are not supported');
    case 'G':
    case 'GTP':
      return write(relative(slotAddress() + addend));
    case 'GOT':
      return write(relative(layout.slotsAt + addend));
    case 'TP':
    case 'DTP':
      if (context.reach === 'fixed' && binding.kind !== 'tls' && binding.kind !== 'absolute')
        unusable(bound, site, 'a thread-local that is new has no place in threads that run');
      if (layout.threadLocals !== null) return writeTemplateOffset(bound, addend, site, context);
      return writeThreadOffset(bound, binding, addend, row.field.size, site, context);
    case 'Z':
    case 'GGD':
    case 'GLD':
    case 'GDESC':
      return unusable(bound, site, `a patch has no meaning for ${row.expression} (${hex(site.address)})`);
  }
}
