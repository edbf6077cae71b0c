// Functions that are reached through slots where their stubs stand in a section of their own: each stub says where its
// slot is and, by a distance behind its jump, where its body is. What a stub looks like is the machine's.
import type { ObjectFile, Section } from '../../formats/object-file.js';
import { LONE_SLOT_NAME, SLOT_NAME, STUB_SECTION } from '../../link/names.js';
import type { Machine } from '../../reloc/machine.js';
import type { ProgramItem, SymbolIndex } from './symbol-index.js';

/** The slot of a function: the word that its stub jumps through, and the body to which it leads in the file. */
export interface EntrySlot {
  /** Address of the word. */
  readonly at: number;
  readonly body: ProgramItem;
}

function sectionsNamed({ sections }: ObjectFile, ...names: readonly string[]): readonly Section[] {
  return sections.filter(({ name }) => names.some((end) => name.endsWith(end)));
}

function holds(sections: readonly Section[], address: number): boolean {
  return sections.some((section) => address >= section.address && address < section.address + section.size);
}

/** How many slots there are in sections of their own. */
export function countSlotsApart(file: ObjectFile, { pointerSize }: Machine): number {
  return sectionsNamed(file, SLOT_NAME, LONE_SLOT_NAME).reduce((count, { size }) => count + size / pointerSize, 0);
}

/** The slots of all functions by the address of their stub; empty where stubs stand behind bodies. */
export function readStubsApart(
  file: ObjectFile,
  { entryStubs }: Machine,
  { items }: Pick<SymbolIndex, 'items'>,
  read: (address: number, size: number) => Uint8Array | null,
): ReadonlyMap<number, EntrySlot> {
  const stubs = sectionsNamed(file, STUB_SECTION);
  const slots = sectionsNamed(file, SLOT_NAME, LONE_SLOT_NAME);
  const found = new Map<number, EntrySlot>();
  if (stubs.length === 0 || slots.length === 0) return found;
  const sizes = new Map<number, number>();
  for (const { kind, value, size } of file.symbols) if (kind === 'function') sizes.set(value, size);
  for (const item of [...items.values()].flat()) {
    const home = stubs.find((section) => holds([section], item.address));
    if (item.kind !== 'function' || home === undefined) continue;
    const { address } = item;
    const bytes = read(address, Math.min(entryStubs.longest, home.address + home.size - address));
    const at = bytes === null ? null : entryStubs.slotOf(bytes, address);
    const body = bytes === null ? null : entryStubs.bodyOf(bytes, address);
    if (at === null || body === null || !holds(slots, at)) continue;
    found.set(address, { at, body: { ...item, address: body, size: sizes.get(body) ?? 0 } });
  }
  return found;
}
