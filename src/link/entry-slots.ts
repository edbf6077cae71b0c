// Pass over an object before the program is linked: every chosen function is reached through a slot, a word in writable
// data that a patch can change. The function's name becomes that of a stub, behind the body in the body's own section
// (so that both are kept or dropped together) or in one of its own; the body gets another name. So whoever refers to the name, from
// whatever object, means the stub, which is the function's one address; what describes the body (unwind and debug
// information, jump tables, landing pads) goes on to mean the body. Yields edits; writing them is each format's.
import { alignUp } from '../bytes/align.js';
import type { NewSection, ObjectEdits } from '../formats/object-edits.js';
import type { ObjectFile, ObjectSymbol, Relocation, Section, SectionKind } from '../formats/object-file.js';
import { takesMore } from '../formats/rewrite-object.js';
import { EXPRESSIONS, type Expression, type FixupRow } from '../reloc/fixup.js';
import { biasOf, type Machine } from '../reloc/machine.js';
import {
  BODY_SUFFIX,
  HIDDEN_SLOT_NAME,
  isStableName,
  shortBodyName,
  STUB_SECTION,
  type LONE_SLOT_NAME,
  type SLOT_NAME,
} from './names.js';

/** A function that gets a slot. */
interface Slotted {
  readonly symbol: ObjectSymbol;
  readonly section: Section;
  /** Index of the stub's symbol. */
  readonly stub: number;
}

/** The edits as they come together. */
interface Growing {
  readonly symbols: Map<number, { readonly name: string; readonly binding: 'local' }>;
  readonly newSymbols: Omit<ObjectSymbol, 'index'>[];
  readonly newSections: NewSection[];
  /** By section: what stands behind what it has. */
  readonly behind: Map<number, { bytes: Uint8Array; readonly relocations: Relocation[] }>;
}

/** Of a stub that stands apart: that of the distance in it. */
const APART_ALIGN = 4;

/**
 * The edits that send all chosen functions through slots; null when none is chosen. `choose` may ask for a function's bytes.
 * Functions that another object may define as well (in a COMDAT group) keep their entry: of those the linker drops all
 * but one, and a slot would be left without its body. Where nothing can be put behind a body, as sections are pieces of
 * larger ones, the stubs stand in a section of their own, each with the distance to its body.
 */
export function slotEdits(
  file: ObjectFile,
  machine: Machine,
  slotName: typeof SLOT_NAME | typeof LONE_SLOT_NAME,
  choose: (body: () => Uint8Array) => boolean,
): ObjectEdits | null {
  const chosen = file.symbols.filter((symbol) => isFunction(file, symbol) && choose(() => bodyOf(file, symbol)));
  if (chosen.length === 0) return null;
  const apart = !takesMore(file);
  const short = apart && file.sections.some(({ kind }) => kind === 'debug');
  const growing: Growing = { symbols: new Map(), newSymbols: [], newSections: [], behind: new Map() };
  const slotted = chosen.map((symbol, number): Slotted => {
    const section = file.sections[symbol.section as number] as Section;
    const name = short ? shortBodyName(number) : symbol.name + BODY_SUFFIX;
    growing.symbols.set(symbol.index, { name, binding: 'local' });
    const stub = file.symbols.length + growing.newSymbols.length;
    const built = machine.entryStubs.build(bodyOf(file, symbol), apart);
    const relocations = (at: number): Relocation[] =>
      built.fields.map(({ offset, to, row: { type }, addend }) => {
        return { offset: at + offset, type, symbol: to === 'slot' ? stub + 1 : symbol.index, addend };
      });
    const place = apart
      ? inNewSection(file, growing, built.bytes, relocations(0))
      : behindBody(growing, section, machine, built.bytes, relocations);
    growing.newSymbols.push({ ...symbol, ...place, size: built.bytes.length });
    addSlot(file, growing, machine, symbol, apart ? HIDDEN_SLOT_NAME : slotName, slotName);
    return { symbol, section, stub };
  });
  const { symbols, newSymbols, newSections, behind } = growing;
  const relocations = new Map<number, readonly Relocation[]>();
  const redirect = redirector(file, machine, slotted, apart);
  for (const section of file.sections) {
    const before = meansAddresses(section.kind) ? file.relocations(section.index) : [];
    const added = behind.get(section.index)?.relocations ?? [];
    if (before.length + added.length === 0) continue;
    let changed = added.length > 0;
    const after: Relocation[] = [];
    for (const relocation of before) {
      const now = redirect(section, relocation);
      if (now !== relocation) changed = true;
      after.push(now);
    }
    after.push(...added);
    if (changed) relocations.set(section.index, after);
  }
  const appended = new Map([...behind].map(([index, { bytes }]) => [index, bytes]));
  return { symbols, newSymbols, newSections, appended, relocations };
}

type SymbolPlace = Pick<ObjectSymbol, 'section' | 'value'>;

function behindBody(
  { behind }: Growing,
  { index, size }: Section,
  { entryStubs, codeFill }: Machine,
  bytes: Uint8Array,
  relocations: (at: number) => Relocation[],
): SymbolPlace {
  const grown = behind.get(index) ?? { bytes: new Uint8Array(0), relocations: [] };
  behind.set(index, grown);
  const at = alignUp(size + grown.bytes.length, entryStubs.align);
  grown.bytes = joined(grown.bytes, at - size, codeFill, bytes);
  grown.relocations.push(...relocations(at));
  return { section: index, value: at };
}

function inNewSection(
  file: ObjectFile,
  { newSections }: Growing,
  bytes: Uint8Array,
  relocations: Relocation[],
): SymbolPlace {
  const section = file.sections.length + newSections.length;
  newSections.push({ name: STUB_SECTION, kind: 'code', align: APART_ALIGN, bytes, relocations });
  return { section, value: 0 };
}

/** The word that leads to the body; its symbol follows the stub's. */
function addSlot(
  file: ObjectFile,
  { newSymbols, newSections }: Growing,
  { pointerSize: size, addressRow }: Machine,
  body: ObjectSymbol,
  name: string,
  sectionName: string,
): void {
  const section = file.sections.length + newSections.length;
  newSymbols.push({ name, kind: 'data', binding: 'local', visibility: 'default', section, value: 0, size });
  const relocations = [{ offset: 0, type: addressRow.type, symbol: body.index, addend: 0 }];
  newSections.push({ name: sectionName, kind: 'data', align: size, bytes: new Uint8Array(size), relocations });
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

/** Whether a value of this form is the symbol's address or a part of it (or leads to it through a table). */
function isAddress(expression: Expression): boolean {
  const { term, base } = EXPRESSIONS[expression];
  if (term !== 'S' && term !== 'L' && term !== 'G') return false;
  return base === 'nothing' || base === 'P' || base === 'page of P';
}

/**
 * The function that makes of a reference to an entry one to its stub; others it gives back as they are. Where functions
 * are pieces of sections (`apart`), their labels are places behind their names, so that a distance from data may be a
 * jump table's: those stay.
 */
function redirector(
  file: ObjectFile,
  machine: Machine,
  slotted: readonly Slotted[],
  apart: boolean,
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
      const entry = from.kind !== 'code' && isRelative(row) ? !apart : place === 0;
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

function joined(bytes: Uint8Array, at: number, fill: number, more: Uint8Array): Uint8Array {
  const all = new Uint8Array(at + more.length).fill(fill);
  all.set(bytes);
  all.set(more, at);
  return all;
}
