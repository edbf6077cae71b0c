// Opens an object for linking: cuts it into atoms, turns relocations into edges and hands every code atom its unwind
// records (frames.ts). Everything is made at first use, as an archive's member may hold 20,000 sections of which three are needed.
import { IpbpError, hex } from '../codes/error.js';
import type { ObjectFile, ObjectSymbol, Relocation, Section, SectionKind } from '../formats/object-file.js';
import { EXPRESSIONS, type FixupRow } from '../reloc/fixup.js';
import { biasOf, type Machine } from '../reloc/machine.js';
import { machineFor } from '../reloc/machines.js';
import { NO_FRAMES, readFrames, type AtomFrames } from './frames.js';
import type { Atom, AtomSymbol, Edge, LinkObject, Target } from './graph.js';
import { isStableName, stableName } from './names.js';

const NO_SYMBOLS: readonly AtomSymbol[] = [];

/** Gives the name under which the running program knows what a compiler calls `name` now; see patch/identity. */
export type Rename = (name: string) => string;

const AS_IT_IS: Rename = (name) => name;

/** The state of one open object; the exported functions close over it. */
interface Opened {
  readonly file: ObjectFile;
  readonly machine: Machine;
  readonly object: LinkObject;
  /** What another compilation would call it too → the name under which the program knows it. */
  readonly rename: Rename;
  readonly atomsBySection: Map<number, Atom | null>;
  symbolsBySection: Map<number, AtomSymbol[]> | null;
  definitions: Map<string, { section: number; symbol: AtomSymbol }> | null;
  framesBySection: ReadonlyMap<number, AtomFrames> | null;
  readonly targets: Map<number, Target>;
}

/**
 * Opens a relocatable file. All names that atoms, symbols and edges give went through `rename`.
 * @throws IpbpError IPBP1003 when its machine is not supported, IPBP1002 when it is not a relocatable file.
 */
export function openLinkObject(file: ObjectFile, rename: Rename = AS_IT_IS): LinkObject {
  if (file.kind !== 'relocatable') {
    throw new IpbpError('IPBP1002', 'only relocatable objects can be linked', {
      expected: 'a relocatable file',
      actual: file.kind,
      where: file.name,
    });
  }
  const machine = machineFor(file.format, file.machine, file.name);
  const object: LinkObject = {
    name: file.name,
    file,
    machine,
    nameOf: (name) => rename(stableName(name)),
    sourceName: file.symbols.find((symbol) => symbol.kind === 'file')?.name ?? null,
    atom: (section) => atomOf(opened, section),
    atoms: () =>
      file.sections.map((section) => atomOf(opened, section.index)).filter((atom): atom is Atom => atom !== null),
    definition(name) {
      const found = definitionsOf(opened).get(name);
      if (found === undefined) return null;
      const atom = atomOf(opened, found.section);
      return atom === null ? null : { atom, symbol: found.symbol };
    },
  };
  const opened: Opened = {
    file,
    machine,
    object,
    rename,
    atomsBySection: new Map(),
    symbolsBySection: null,
    definitions: null,
    framesBySection: null,
    targets: new Map(),
  };
  return object;
}

function symbolsOf(opened: Opened): Map<number, AtomSymbol[]> {
  if (opened.symbolsBySection !== null) return opened.symbolsBySection;
  const result = new Map<number, AtomSymbol[]>();
  for (const symbol of opened.file.symbols) {
    if (typeof symbol.section !== 'number' || symbol.kind === 'section' || symbol.kind === 'file') continue;
    const list = result.get(symbol.section);
    const entry = atomSymbol(opened, symbol);
    if (list === undefined) result.set(symbol.section, [entry]);
    else list.push(entry);
  }
  for (const list of result.values()) list.sort((a, b) => a.offset - b.offset || Number(b.stable) - Number(a.stable));
  opened.symbolsBySection = result;
  return result;
}

function atomSymbol(opened: Opened, symbol: ObjectSymbol): AtomSymbol {
  return {
    name: opened.rename(stableName(symbol.name)),
    rawName: symbol.name,
    offset: symbol.value,
    size: symbol.size,
    kind: symbol.kind,
    signature: symbol.signature ?? null,
    local: symbol.binding === 'local',
    weak: symbol.binding === 'weak',
    stable: isStableName(symbol.name),
  };
}

function definitionsOf(opened: Opened): Map<string, { section: number; symbol: AtomSymbol }> {
  if (opened.definitions !== null) return opened.definitions;
  const result = new Map<string, { section: number; symbol: AtomSymbol }>();
  for (const [section, symbols] of symbolsOf(opened)) {
    for (const symbol of symbols) {
      // A compiler-made name counts when other objects can see it: optimised code shares constants that way.
      if (!symbol.stable && symbol.local) continue;
      const known = result.get(symbol.name);
      if (known === undefined || (known.symbol.local && !symbol.local)) result.set(symbol.name, { section, symbol });
    }
  }
  opened.definitions = result;
  return result;
}

/** Unwind tables are made anew of the parts that their code hands on. */
const NOT_LINKED: readonly SectionKind[] = ['unwind', 'unwind-table', 'note', 'other'];

function isLinked({ alloc, kind }: Section): boolean {
  return alloc && !NOT_LINKED.includes(kind);
}

function atomOf(opened: Opened, index: number): Atom | null {
  const known = opened.atomsBySection.get(index);
  if (known !== undefined) return known;
  const section = opened.file.sections[index];
  const atom = section === undefined || !isLinked(section) ? null : makeAtom(opened, section);
  opened.atomsBySection.set(index, atom);
  return atom;
}

function makeAtom(opened: Opened, section: Section): Atom {
  const symbols = symbolsOf(opened).get(section.index) ?? NO_SYMBOLS;
  let edges: readonly Edge[] | null = null;
  return {
    object: opened.object,
    section: section.index,
    kind: section.kind,
    name: symbols.find((symbol) => symbol.stable)?.name ?? section.name,
    sectionName: section.name,
    size: section.size,
    align: section.align,
    padded: section.padded === true,
    bytes: opened.file.sectionBytes(section.index),
    mergeable: section.mergeable,
    strings: section.strings,
    entrySize: section.entrySize,
    symbols,
    get edges() {
      edges ??= opened.file.relocations(section.index).map((relocation) => edgeOf(opened, section, relocation));
      return edges;
    },
    get frames() {
      return (framesOf(opened).get(section.index) ?? NO_FRAMES).records;
    },
    get compactFrames() {
      return (framesOf(opened).get(section.index) ?? NO_FRAMES).compact;
    },
  };
}

function rowOf(opened: Opened, section: Section, relocation: Relocation): FixupRow {
  const row = opened.machine.rows.get(relocation.type);
  if (row !== undefined) return row;
  throw new IpbpError('IPBP2001', `relocation type ${relocation.type} is not known`, {
    where: `${opened.file.name}: ${section.name}+${hex(relocation.offset)}, symbol ${opened.file.symbols[relocation.symbol]?.name ?? '?'}`,
  });
}

function symbolOf({ file }: Opened, section: Section, { offset }: Relocation, index: number): ObjectSymbol {
  const symbol = file.symbols[index];
  if (symbol !== undefined) return symbol;
  throw new IpbpError('IPBP1002', 'a relocation names a symbol that does not exist', {
    expected: `an index below ${file.symbols.length}`,
    actual: String(index),
    where: `${file.name}: ${section.name}+${hex(offset)}`,
  });
}

function edgeOf(opened: Opened, section: Section, relocation: Relocation): Edge {
  const row = rowOf(opened, section, relocation);
  const symbol = symbolOf(opened, section, relocation, relocation.symbol);
  const addend = relocation.addend ?? row.field.decode(opened.file.sectionBytes(section.index), relocation.offset);
  const edge = edgeTo(opened, section, relocation, row, symbol, addend);
  if (relocation.minus === undefined) return edge;
  const subtracted = symbolOf(opened, section, relocation, relocation.minus);
  const minus = edgeTo(opened, section, relocation, row, subtracted, 0);
  return { ...edge, addend: edge.addend - minus.addend, minus: minus.target };
}

function edgeTo(
  opened: Opened,
  section: Section,
  relocation: Relocation,
  row: FixupRow,
  symbol: ObjectSymbol,
  addend: number,
): Edge {
  if (symbol.kind === 'section' && typeof symbol.section === 'number') {
    return sectionEdge(opened, section, relocation.offset, row, symbol.section, symbol.value + addend);
  }
  const target = targetOf(opened, symbol);
  const label = isPlaceInCode(section, row, target);
  return { offset: relocation.offset, row, target: label ? { ...target, label } : target, addend };
}

/**
 * Where functions are pieces of sections, labels in them are places behind their names: a distance from data into code of
 * the same object is then a jump table's entry, whatever the name says.
 */
function isPlaceInCode(from: Section, row: FixupRow, { atom }: Target): boolean {
  if (!isLinked(from) || from.kind === 'code' || from.kind === 'lsda' || from.padded !== true) return false;
  const { base } = EXPRESSIONS[row.expression];
  return atom?.kind === 'code' && (base === 'P' || base === 'T');
}

/** A target that is a symbol of its own: what it is called, and where this object has it. */
function targetOf(opened: Opened, symbol: ObjectSymbol): Target {
  const known = opened.targets.get(symbol.index);
  if (known !== undefined) return known;
  // What this object does not define can only be found by name, whoever made the name.
  const named = symbol.section === 'undefined' ? symbol.name !== '' : isStableName(symbol.name);
  const target: Target = {
    name: named ? opened.rename(stableName(symbol.name)) : null,
    spelling: named ? symbol.name : null,
    atom: typeof symbol.section === 'number' ? atomOf(opened, symbol.section) : null,
    offset: typeof symbol.section === 'number' ? symbol.value : 0,
    label: false,
    weak: symbol.binding === 'weak',
    kind: symbol.kind,
    signature: symbol.signature ?? null,
    absolute: symbol.section === 'absolute' || symbol.index === 0 ? symbol.value : null,
  };
  opened.targets.set(symbol.index, target);
  return target;
}

/**
 * A reference by section symbol and addend, which compilers write for local symbols: finds the item that is meant, so
 * that the same reference reads the same whether its target is local or global. A jump table's entry (PC-relative,
 * from data into code) is a label: it stays with the copy of the function it was compiled for.
 */
function sectionEdge(
  opened: Opened,
  from: Section,
  offset: number,
  row: FixupRow,
  sectionIndex: number,
  addend: number,
): Edge {
  const atom = atomOf(opened, sectionIndex);
  const kind: ObjectSymbol['kind'] =
    atom?.kind === 'code' ? 'function' : atom?.kind.startsWith('tls') === true ? 'tls' : 'data';
  const anonymous: Target = {
    name: null,
    spelling: null,
    atom,
    offset: 0,
    label: false,
    weak: false,
    kind,
    absolute: null,
  };
  if (atom === null) return { offset, row, target: anonymous, addend };
  // What stands behind the field in its instruction is not known here: nearly always nothing.
  const place = addend + (from.kind === 'code' ? biasOf(opened.machine, row) : 0);
  if (atom.kind === 'code') {
    const table = from.kind !== 'code' && row.expression.endsWith('-P');
    const entry = table ? undefined : atom.symbols.find((symbol) => symbol.stable && symbol.offset === place);
    if (entry === undefined) return { offset, row, target: { ...anonymous, label: true }, addend };
    const target: Target = { ...anonymous, name: entry.name, offset: entry.offset, weak: entry.weak };
    return { offset, row, target, addend: addend - entry.offset };
  }
  // An immediate of 1, 2 or 4 bytes may stand behind the field (`cmpl $5, COUNTER(%rip)`): then the place is that much
  // further on, and with a section per item what lies at the uncorrected place is nothing.
  const item = (from.kind === 'code' && row.expression.endsWith('-P') ? [0, 1, 2, 4] : [0])
    .map((behind) => itemAt(atom, place + behind))
    .find((found) => found !== undefined);
  const meant = item ?? itemAround(atom, place);
  if (meant === undefined) return { offset, row, target: anonymous, addend };
  const target: Target = { ...anonymous, name: meant.name, offset: meant.offset, weak: meant.weak, kind: meant.kind };
  return { offset, row, target, addend: addend - meant.offset };
}

function itemAt(atom: Atom, place: number): AtomSymbol | undefined {
  return atom.symbols.find(
    (symbol) => symbol.stable && symbol.offset <= place && place < symbol.offset + Math.max(symbol.size, 1),
  );
}

/**
 * The item to which a place belongs that is no byte of it. Loops are compiled to compare with the end of an array, or
 * to count from before its start: in a section of its own that can only be the item there; else it is what ends there.
 */
function itemAround(atom: Atom, place: number): AtomSymbol | undefined {
  const items = atom.symbols.filter((symbol) => symbol.stable && symbol.size > 0);
  return items.length === 1 ? items[0] : items.find((symbol) => symbol.offset + symbol.size === place);
}

/** Unwind records by the section of the code they describe. */
function framesOf(opened: Opened): ReadonlyMap<number, AtomFrames> {
  opened.framesBySection ??= readFrames(opened.file, (section, relocation) => edgeOf(opened, section, relocation));
  return opened.framesBySection;
}
