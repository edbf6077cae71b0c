// Links one prepared object by the engine's own rows and the passes of a patch, at the addresses that JITLink chose for its sections,
// slots and stubs: where things lie is given, what the bytes become is compared.
import { IpbpError } from '../../src/codes/error.js';
import type { ObjectFile } from '../../src/formats/object-file.js';
import { openLinkObject } from '../../src/link/atoms.js';
import type { Binding } from '../../src/link/binding.js';
import type { BoundEdge } from '../../src/link/close.js';
import { applyFixup, type FixupSite, type Words } from '../../src/link/fixups.js';
import type { Atom, Edge, LinkObject, Target } from '../../src/link/graph.js';
import type { Layout } from '../../src/link/place.js';
import { applyField } from '../../src/reloc/apply.js';
import { EXPRESSIONS, type FixupRow } from '../../src/reloc/fixup.js';
import { placeOf, unwindOf } from './prepare.js';
import { spelledIn } from './prepare-macho.js';
import type { JitlinkOutput } from './run-jitlink.js';

/** One relocation as we applied it: `refused` says why not, and then its field is as it was in the object. */
export interface Applied {
  readonly row: FixupRow;
  /** What it refers to, for messages. */
  readonly target: string;
  /** Of the field, in the linked bytes. */
  readonly offset: number;
  readonly address: number;
  readonly refused: string | null;
}

/** Bytes of one section, or of one unwind record. */
export interface OurPiece {
  /** The section's name in the object, for messages. */
  readonly name: string;
  /** The checker's name of the section that it is a part of, and its place there. */
  readonly section: string;
  readonly at: number;
  readonly before: Uint8Array;
  readonly bytes: Uint8Array;
  readonly applied: readonly Applied[];
}

/** Where the things of one link lie. */
interface Given {
  readonly output: JitlinkOutput;
  readonly outside: ReadonlyMap<string, number>;
  readonly object: LinkObject;
  /** JITLink's unwind record, as an offset in the table, by the address of the code that it describes. */
  readonly records: ReadonlyMap<number, number>;
}

/** Links what JITLink kept. */
export function linkOurs(
  file: ObjectFile,
  output: JitlinkOutput,
  outside: ReadonlyMap<string, number>,
): readonly OurPiece[] {
  const object = openLinkObject(file);
  const given: Given = { output, outside, object, records: recordsOf(file, output) };
  const pieces: OurPiece[] = [];
  for (const atom of object.atoms()) {
    const { section, at } = placeOf(file, atom.section);
    const kept = output.sections.get(section);
    if (kept === undefined) continue;
    const piece = { name: atom.sectionName, section, at, address: kept.address + at };
    pieces.push(link(piece, atom.bytes, atom.edges, given));
    pieces.push(...linkFrames(atom, piece.address, given));
  }
  return pieces;
}

/** Where the address of the code stands in a frame record (LSB Core, 10.6.1.1.2): behind length and CIE pointer. */
const CODE = 8;

function recordsOf(file: ObjectFile, { graph, sections }: JitlinkOutput): Map<number, number> {
  const records = new Map<number, number>();
  const name = unwindOf(file);
  const table = sections.get(name);
  if (table === undefined) return records;
  const view = new DataView(table.bytes.buffer);
  for (const { section, address, size } of graph.blocks) {
    const at = address - table.address;
    // The word behind the length is 0 in a CIE.
    if (section !== name || size < CODE + 4 || view.getUint32(at + 4, true) === 0) continue;
    records.set(address + CODE + view.getInt32(at + CODE, true), at);
  }
  return records;
}

/** The atom's unwind records, each where JITLink has the one that describes the same code. */
function linkFrames(atom: Atom, codeAt: number, given: Given): OurPiece[] {
  const name = unwindOf(given.object.file);
  const unwind = given.output.sections.get(name);
  if (unwind === undefined) return [];
  const pieces: OurPiece[] = [];
  const view = new DataView(unwind.bytes.buffer);
  for (const frame of atom.frames) {
    const begin = frame.edges.find(({ offset }) => offset === CODE);
    const at = begin === undefined ? undefined : given.records.get(codeAt + begin.target.offset + begin.addend);
    if (at === undefined) continue;
    const sharedAt = at + 4 - view.getUint32(at + 4, true);
    const before = frame.bytes.slice();
    // The pointer to the shared record is a distance that no relocation writes.
    new DataView(before.buffer).setUint32(4, at + 4 - sharedAt, true);
    const place = (offset: number): Parameters<typeof link>[0] => ({
      name,
      section: name,
      at: offset,
      address: unwind.address + offset,
    });
    pieces.push(link(place(at), before, frame.edges, given));
    pieces.push(link(place(sharedAt), frame.common.bytes, frame.common.edges, given));
  }
  return pieces;
}

function link(
  piece: { readonly name: string; readonly section: string; readonly at: number; readonly address: number },
  before: Uint8Array,
  edges: readonly Edge[],
  given: Given,
): OurPiece {
  const bytes = before.slice();
  const applied = edges.map((edge): Applied => {
    const site: FixupSite = {
      bytes,
      offset: edge.offset,
      address: piece.address + edge.offset,
      where: `${given.object.name}: ${piece.name}`,
    };
    let refused: string | null = null;
    try {
      apply(edge, site, given);
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      refused = `${error.code} ${error.message}`;
    }
    const { spelling, atom } = edge.target;
    const target = spelling ?? atom?.sectionName ?? '?';
    return { row: edge.row, target, offset: edge.offset, address: site.address, refused };
  });
  return { ...piece, before, bytes, applied };
}

/** Binds one edge and applies it by the passes' own code. */
function apply(edge: Edge, site: FixupSite, given: Given): void {
  const { output, object } = given;
  const binding = bind(edge.target, given);
  const minus = edge.minus === undefined ? {} : { minus: bind(edge.minus, given) };
  const bound: BoundEdge = { edge, binding, ...minus };
  const target = binding.kind === 'absolute' ? binding.value : addressOf(binding, given);
  if (edge.row.relaxable && binding.kind !== 'absolute' && relax(edge, target, site, given)) return;
  const throughSlot = EXPRESSIONS[edge.row.expression].term === 'G';
  const slot = throughSlot ? output.slots.get(target) : undefined;
  if (throughSlot && slot === undefined) throw new IpbpError('IPBP2004', 'JITLink made no slot');
  // Where JITLink sends a branch through a stub, the stub's address is what L means; else it is the symbol's own.
  const sentTo = output.graph.edges.get(site.address)?.target ?? target;
  const stub = EXPRESSIONS[edge.row.expression].term === 'L' && sentTo !== target ? sentTo : undefined;
  const words: Words = { rebases: [], tlsWords: [], imports: [] };
  applyFixup(bound, site, {
    layout: { ...layoutOf(given), stubsAt: stub ?? 0 },
    slots: {
      slots: [],
      stubs: [],
      slotOf: () => (slot === undefined ? null : (slot - output.slotsAt) / object.machine.pointerSize),
      stubOf: () => (stub === undefined ? null : 0),
    },
    machine: object.machine,
    reach: 'near',
    indexes: null,
    words,
  });
  // What the process would fill in: nothing has moved here.
  for (const { value } of words.rebases) {
    applyField(object.machine.addressRow.field, site.bytes, site.offset, value, { what: 'rebase', where: site.where });
  }
}

/**
 * Drops the slot of a load where the target is near, as JITLink does; false where the code is not of a form for that.
 * The code that links shared objects does the same for targets that no other module can replace.
 */
function relax(edge: Edge, target: number, site: FixupSite, given: Given): boolean {
  const rewrite = given.object.machine.rewrite(edge.row, 'direct', site.bytes, site.offset);
  if (rewrite === null) return false;
  const code = site.bytes.slice();
  code.set(rewrite.bytes, site.offset + rewrite.from);
  for (const { at, row, addend } of rewrite.fields) {
    if (row.expression !== 'S+A-P' && row.expression !== 'L+A-P') return false;
    const value = target + edge.addend + addend - (site.address + at);
    if (value < row.field.min || value > row.field.max) return false;
    applyField(row.field, code, site.offset + at, value, { what: row.name, where: site.where });
  }
  site.bytes.set(code);
  return true;
}

function bind({ atom, absolute, offset, name, spelling }: Target, given: Given): Binding {
  if (atom !== null) return { kind: 'atom', atom, offset };
  if (absolute !== null) return { kind: 'absolute', value: absolute };
  const text = spelling ?? name ?? '';
  const address = given.outside.get(text) ?? given.output.graph.symbols.get(spelledIn(given.object.file, text));
  if (address === undefined) throw new IpbpError('IPBP2004', `nothing places ${spelling ?? name ?? 'the target'}`);
  return { kind: 'place', module: 0, address };
}

function addressOf(binding: Binding, given: Given): number {
  if (binding.kind === 'place') return binding.address;
  if (binding.kind === 'atom') return layoutOf(given).addressOf(binding.atom) + binding.offset;
  throw new Error(`internal: ${binding.kind}`);
}

function layoutOf({ output, object }: Given): Layout {
  const addressOfAtom = (atom: Atom): number => {
    const { section: name, at } = placeOf(object.file, atom.section);
    const block = output.graph.blocks.find(({ section }) => section === name);
    if (block === undefined) throw new IpbpError('IPBP2004', `JITLink did not keep ${atom.sectionName}`);
    return block.address + at;
  };
  return {
    regions: [],
    addressOf: addressOfAtom,
    contentOf: addressOfAtom,
    slotsAt: output.slotsAt,
    stubsAt: 0,
    unwindAt: 0,
    entryWordsAt: 0,
    threadLocals: null,
    slotsEnd: 0,
    tlsUsed: 0,
    bottom: 0,
  };
}
