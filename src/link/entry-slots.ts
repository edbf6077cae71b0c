// Pass over an object before the program is linked: every chosen function is reached through a slot, a word in writable
// data that a patch can change. The function's name becomes that of a stub, behind the body in the body's own section
// (so that both are kept or dropped together); the body gets a name of its own. So whoever refers to the name, from
// whatever object, means the stub, which is the function's one address; what describes the body (unwind and debug
// information, jump tables, landing pads) goes on to mean the body. Yields edits; writing them is each format's.
import { alignUp } from '../bytes/align.js';
import type { NewDataSection, ObjectEdits } from '../formats/object-edits.js';
import type { ObjectFile, ObjectSymbol, Relocation, Section, SectionKind } from '../formats/object-file.js';
import type { Expression, FixupRow } from '../reloc/fixup.js';
import { biasOf, type Machine } from '../reloc/machine.js';
import { BODY_SUFFIX, isStableName, type LONE_SLOT_NAME, type SLOT_NAME } from './names.js';

const SLOT_SECTION = '.data.ipbp';

/** A function that gets a slot. */
interface Slotted {
  readonly symbol: ObjectSymbol;
  readonly section: Section;
  /** In the body's section. */
  readonly stubAt: number;
  /** Index of the stub's symbol. */
  readonly stub: number;
}

/**
 * The edits that send all chosen functions through slots; null when none is chosen. `choose` sees a function's bytes.
 * Functions that another object may define as well (in a COMDAT group) keep their entry: of those the linker drops all
 * but one, and a slot would be left without its body.
 */
export function slotEdits(
  file: ObjectFile,
  machine: Machine,
  slotName: typeof SLOT_NAME | typeof LONE_SLOT_NAME,
  choose: (body: Uint8Array) => boolean,
): ObjectEdits | null {
  const chosen = file.symbols.filter((symbol) => isFunction(file, symbol) && choose(bodyOf(file, symbol)));
  if (chosen.length === 0) return null;
  const slotted: Slotted[] = [];
  const symbols = new Map<number, { readonly name: string; readonly binding: 'local' }>();
  const newSymbols: Omit<ObjectSymbol, 'index'>[] = [];
  const newSections: NewDataSection[] = [];
  const growing = new Map<number, { bytes: Uint8Array; readonly relocations: Relocation[] }>();
  for (const symbol of chosen) {
    const section = file.sections[symbol.section as number] as Section;
    const slotSection = file.sections.length + newSections.length;
    const stub = file.symbols.length + newSymbols.length;
    const { bytes, fields } = machine.entryStubs.build(bodyOf(file, symbol));
    const grown = growing.get(section.index) ?? { bytes: new Uint8Array(0), relocations: [] };
    growing.set(section.index, grown);
    const stubAt = alignUp(section.size + grown.bytes.length, machine.entryStubs.align);
    grown.bytes = behind(grown.bytes, stubAt - section.size, machine.codeFill, bytes);
    for (const { offset, row, addend } of fields)
      grown.relocations.push({ offset: stubAt + offset, type: row.type, symbol: stub + 1, addend });
    symbols.set(symbol.index, { name: symbol.name + BODY_SUFFIX, binding: 'local' });
    newSymbols.push({ ...symbol, value: stubAt, size: bytes.length });
    newSymbols.push({
      name: slotName,
      kind: 'data',
      binding: 'local',
      visibility: 'default',
      section: slotSection,
      value: 0,
      size: machine.pointerSize,
    });
    newSections.push({
      name: SLOT_SECTION,
      align: machine.pointerSize,
      bytes: new Uint8Array(machine.pointerSize),
      relocations: [{ offset: 0, type: machine.addressRow.type, symbol: symbol.index, addend: 0 }],
    });
    slotted.push({ symbol, section, stubAt, stub });
  }
  const relocations = new Map<number, readonly Relocation[]>();
  const redirect = redirector(file, machine, slotted);
  for (const section of file.sections) {
    const before = meansAddresses(section.kind) ? file.relocations(section.index) : [];
    const added = growing.get(section.index)?.relocations ?? [];
    let changed = added.length > 0;
    const after = before.map((relocation) => {
      const now = redirect(section, relocation);
      if (now !== relocation) changed = true;
      return now;
    });
    if (changed) relocations.set(section.index, [...after, ...added]);
  }
  const appended = new Map([...growing].map(([index, { bytes }]) => [index, bytes]));
  return { symbols, newSymbols, newSections, appended, relocations };
}

function isFunction(file: ObjectFile, { kind, section, size, name, binding }: ObjectSymbol): boolean {
  if (kind !== 'function' || typeof section !== 'number' || size === 0) return false;
  const home = file.sections[section];
  return home?.kind === 'code' && home.group === null && binding !== 'unique' && isStableName(name);
}

function bodyOf(file: ObjectFile, { section, value, size }: ObjectSymbol): Uint8Array {
  return typeof section === 'number' ? file.sectionBytes(section).subarray(value, value + size) : new Uint8Array(0);
}

/** Whether a reference from such a section to a function means its address, and not this one body of it. */
function meansAddresses(kind: SectionKind): boolean {
  switch (kind) {
    case 'code':
    case 'readonly':
    case 'relro':
    case 'data':
    case 'tls-data':
    case 'init':
    case 'fini':
      return true;
    case 'zero':
    case 'tls-zero':
    case 'tls-descriptors':
    case 'unwind':
    case 'unwind-table':
    case 'lsda':
    case 'debug':
    case 'note':
    case 'other':
      return false;
  }
}

/** Whether a value of this form is the symbol's address (or leads to it through a table). */
function isAddress(expression: Expression): boolean {
  return expression === 'S+A' || expression === 'S+A-P' || expression === 'L+A-P' || expression === 'G+A-P';
}

/** The function that makes of a reference to an entry one to its stub; others it gives back as they are. */
function redirector(
  file: ObjectFile,
  machine: Machine,
  slotted: readonly Slotted[],
): (from: Section, relocation: Relocation) => Relocation {
  const bySymbol = new Map(slotted.map((one) => [one.symbol.index, one]));
  const byPlace = new Map<number, Map<number, Slotted>>();
  for (const one of slotted) {
    const places = byPlace.get(one.section.index) ?? new Map<number, Slotted>();
    byPlace.set(one.section.index, places);
    // Of two names for one body any serves: this reference says neither.
    if (!places.has(one.symbol.value)) places.set(one.symbol.value, one);
  }
  return (from, relocation) => {
    const row = machine.rows.get(relocation.type);
    const symbol = file.symbols[relocation.symbol];
    const { addend } = relocation;
    if (row === undefined || symbol === undefined || addend === null || !isAddress(row.expression)) return relocation;
    const place = addend + (from.kind === 'code' ? biasOf(machine, row) : 0);
    if (symbol.kind !== 'section') {
      const one = bySymbol.get(symbol.index);
      // A place inside the function is the body's. In data the field may count from elsewhere, and nothing says so.
      const entry = place === 0 || (from.kind !== 'code' && isRelative(row));
      return one === undefined || !entry ? relocation : { ...relocation, symbol: one.stub };
    }
    // By section and offset, as compilers refer to local functions. From data and relative: a jump table's entry.
    if (typeof symbol.section !== 'number' || (from.kind !== 'code' && isRelative(row))) return relocation;
    const one = byPlace.get(symbol.section)?.get(place);
    return one === undefined ? relocation : { ...relocation, symbol: one.stub, addend: addend - one.symbol.value };
  };
}

function isRelative(row: FixupRow): boolean {
  return row.expression.endsWith('-P');
}

function behind(bytes: Uint8Array, at: number, fill: number, more: Uint8Array): Uint8Array {
  const all = new Uint8Array(at + more.length).fill(fill);
  all.set(bytes);
  all.set(more, at);
  return all;
}
