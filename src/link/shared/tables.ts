// The tables that a link makes for itself, whatever the format: the global offset table, the stubs of the PLT and their
// slots. Laid out from the needs; written when addresses are known, together with the loader's work on them.
import type { PltShape } from '../../reloc/shared-machine.js';
import type { Link } from './link-state.js';
import { SLOT_ADDRESS, SLOT_DESCRIPTOR, SLOT_GENERAL, SLOT_LOCAL, SLOT_THREAD, type Needs } from './needs.js';
import { TO_ADDRESS, TO_DYNAMIC } from './bindings.js';
import { addLoaderWork, type LoaderWork } from './loader-work.js';
import * as work from './loader-work.js';
import { addMadeSection } from './sections.js';

/** Numbers of the made sections; −1 for those that are not needed. */
export interface Tables {
  /** Slots of symbols. */
  readonly got: number;
  /** Words of the loader, then slots of the PLT. */
  readonly gotPlt: number;
  readonly plt: number;
  /** Words at the start of `got` that are not slots. */
  readonly gotReserved: number;
}

function pltOf({ landings, machine }: Link): PltShape {
  return landings ? machine.shared.landingPlt : machine.shared.plt;
}

/** Makes the sections. */
export function makeTables(link: Link, needs: Needs): Tables {
  const { machine, sections, options, target } = link;
  const names = target.sections.made;
  const { table } = machine.shared;
  const shape = pltOf(link);
  const word = machine.pointerSize;
  const stubs = needs.stubs.length;
  const gotReserved = table === 'got' && (needs.table || needs.words > 0) ? target.reservedSlots : 0;
  const gotWords = needs.words + gotReserved;
  const gotPltNeeded = stubs > 0 || (needs.table && table === 'got.plt');
  const got = { name: names.slots, kind: 'relro', writable: true, align: word, entrySize: word } as const;
  // Bound at the start, the slots of the PLT can be read-only then.
  const gotPltKind = options.now && options.relro ? 'relro' : 'data';
  const gotPlt = { name: names.stubSlots, kind: gotPltKind, writable: true, align: word, entrySize: word } as const;
  const plt = {
    name: names.stubs,
    kind: 'code',
    executable: true,
    align: shape.align,
    entrySize: shape.entrySize,
  } as const;
  return {
    got: gotWords === 0 ? -1 : addMadeSection(sections, { ...got, size: gotWords * word }),
    gotPlt: gotPltNeeded ? addMadeSection(sections, { ...gotPlt, size: (shape.reservedWords + stubs) * word }) : -1,
    plt: stubs > 0 ? addMadeSection(sections, { ...plt, size: shape.headerSize + stubs * shape.entrySize }) : -1,
    gotReserved,
  };
}

/** Where things stand once placed. */
export interface TableAddresses {
  /** Of the first slot. */
  readonly slots: number;
  /** What expressions call GOT. */
  readonly table: number;
  readonly plt: number;
  readonly gotPlt: number;
}

/** The addresses of placed tables; those that there are not are 0. */
export function tableAddresses(link: Link, tables: Tables): TableAddresses {
  const at = (section: number): number => link.sections.address[section] ?? 0;
  const { table } = link.machine.shared;
  return {
    slots: at(tables.got) + tables.gotReserved * link.machine.pointerSize,
    table: at(table === 'got' ? tables.got : tables.gotPlt),
    plt: at(tables.plt),
    gotPlt: at(tables.gotPlt),
  };
}

/** Address of the stub with this number. */
export function stubAddress(link: Link, addresses: TableAddresses, stub: number): number {
  const { headerSize, entrySize } = pltOf(link);
  return addresses.plt + headerSize + stub * entrySize;
}

/** How much work of the loader the slots of the table will be: rebases, and other. */
export function countTableWork(
  needs: Needs,
  bindingOf: (symbol: number) => number,
): { relative: number; other: number } {
  let relative = 0;
  let other = 0;
  for (const { kind, symbol } of needs.slots) {
    const binding = kind === SLOT_LOCAL ? TO_ADDRESS : bindingOf(symbol);
    if (kind === SLOT_ADDRESS) {
      if (binding === TO_ADDRESS) relative++;
      else if (binding === TO_DYNAMIC) other++;
    } else if (kind === SLOT_GENERAL && binding === TO_DYNAMIC) other += 2;
    else other++;
  }
  return { relative, other };
}

/** Words of the table's slots that are rebased: their indexes. */
export function rebasedSlots(needs: Needs, bindingOf: (symbol: number) => number): number[] {
  return needs.slots
    .filter(({ kind, symbol }) => kind === SLOT_ADDRESS && bindingOf(symbol) === TO_ADDRESS)
    .map(({ word }) => word);
}

/** What the tables are filled from. */
export interface TableContent {
  readonly needs: Needs;
  readonly tables: Tables;
  readonly addresses: TableAddresses;
  readonly dynamicSection: number;
  bindingOf(symbol: number): number;
  addressOf(symbol: number): number;
  readonly templateStart: number;
}

/** Writes all tables. `bytesOf` gives the bytes of a made section; the loader's work is appended. */
export function writeTables(
  link: Link,
  content: TableContent,
  bytesOf: (section: number) => Uint8Array,
  loader: LoaderWork,
): void {
  const { tables } = content;
  if (tables.got >= 0) writeSlots(link, content, bytesOf(tables.got), loader);
  if (tables.gotPlt >= 0) writeGotPlt(link, content, bytesOf(tables.gotPlt), loader);
  if (tables.plt >= 0) writeStubs(link, content, bytesOf(tables.plt));
}

function writeSlots(link: Link, content: TableContent, bytes: Uint8Array, loader: LoaderWork): void {
  const { needs, addresses, tables } = content;
  const word = link.machine.pointerSize;
  const { field } = link.machine.addressRow;
  if (tables.gotReserved > 0) field.encode(bytes, 0, link.sections.address[content.dynamicSection] ?? 0);
  for (const { kind, symbol, word: index } of needs.slots) {
    const offset = (tables.gotReserved + index) * word;
    const address = addresses.slots + index * word;
    if (kind === SLOT_LOCAL) {
      addLoaderWork(loader, work.WORK_MODULE, address, -1, 0);
      continue;
    }
    const binding = content.bindingOf(symbol);
    const dynamic = binding === TO_DYNAMIC;
    const target = dynamic ? 0 : content.addressOf(symbol);
    const value = kind === SLOT_ADDRESS || dynamic ? target : target - content.templateStart;
    switch (kind) {
      case SLOT_ADDRESS:
        if (dynamic) addLoaderWork(loader, work.WORK_SLOT, address, symbol, 0);
        else {
          field.encode(bytes, offset, value);
          if (binding === TO_ADDRESS) {
            const kind = link.options.packRelative ? work.WORK_PACKED : work.WORK_RELATIVE;
            addLoaderWork(loader, kind, address, -1, value);
          }
        }
        break;
      case SLOT_THREAD:
        addLoaderWork(loader, work.WORK_THREAD, address, dynamic ? symbol : -1, value);
        break;
      case SLOT_GENERAL:
        addLoaderWork(loader, work.WORK_MODULE, address, dynamic ? symbol : -1, 0);
        if (dynamic) addLoaderWork(loader, work.WORK_MODULE_OFFSET, address + word, symbol, 0);
        else field.encode(bytes, offset + word, value);
        break;
      case SLOT_DESCRIPTOR:
        addLoaderWork(loader, work.WORK_DESCRIPTOR, address, dynamic ? symbol : -1, value);
        break;
      default:
        throw new Error(`internal: slot kind ${kind}`);
    }
  }
}

function writeGotPlt(link: Link, content: TableContent, bytes: Uint8Array, loader: LoaderWork): void {
  const { needs, addresses } = content;
  const word = link.machine.pointerSize;
  const plt = pltOf(link);
  const { field } = link.machine.addressRow;
  field.encode(bytes, 0, link.sections.address[content.dynamicSection] ?? 0);
  needs.stubs.forEach((symbol, index) => {
    const slot = plt.reservedWords + index;
    const unbound = plt.unbound?.(stubAddress(link, addresses, index), addresses.plt);
    if (unbound !== undefined) field.encode(bytes, slot * word, unbound);
    addLoaderWork(loader, work.WORK_STUB, addresses.gotPlt + slot * word, symbol, 0);
  });
}

function writeStubs(link: Link, content: TableContent, bytes: Uint8Array): void {
  const { addresses, needs } = content;
  const plt = pltOf(link);
  const word = link.machine.pointerSize;
  bytes.set(plt.header(addresses.plt, addresses.gotPlt), 0);
  needs.stubs.forEach((_, index) => {
    const at = stubAddress(link, addresses, index);
    const slot = addresses.gotPlt + (plt.reservedWords + index) * word;
    bytes.set(plt.entry(at, addresses.plt, slot, index), at - addresses.plt);
  });
}
