// Pass: equal strings and constants of mergeable sections become one (gABI "Section Attribute Flags"). Sections of one output
// section, entry size and alignment are merged into a made section; a table maps places in the inputs to places there.
import { alignUp } from '../../bytes/align.js';
import { copied } from '../../bytes/columns.js';
import { createNameTable, type NameTable } from '../../bytes/name-table.js';
import type { Section } from '../../formats/object-file.js';
import { contentOf } from './content.js';
import type { Link } from './link-state.js';
import { relocationsOf } from './references.js';
import { addMadeSection, hasTrait, SECTION_ABSORBED, SECTION_KEPT, TRAIT_MERGEABLE } from './sections.js';

/** Where the pieces of an input section went. `from` and `to` are offsets, by rising `from`; the first is 0. */
export interface MergedInput {
  /** Number of the made section. */
  readonly section: number;
  readonly pieces: number;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  /** The piece that holds each BLOCK-th byte: who looks for one starts there. */
  readonly blocks: Uint32Array;
}

/** Pieces of debug information's strings are twice as long. */
const BLOCK = 32;

/** A made section of merged pieces; the value of each is its offset. */
export interface MergedSection {
  readonly section: number;
  readonly pieces: NameTable;
}

export interface Merged {
  /** By the number of the input section. */
  readonly inputs: ReadonlyMap<number, MergedInput>;
  readonly sections: readonly MergedSection[];
}

interface Open extends MergedSection {
  readonly align: number;
  end: number;
}

/** Merges all that is kept and mergeable. */
export function mergeSections(link: Link): Merged {
  const { sections } = link;
  const { outputName } = link.target.sections;
  const inputs = new Map<number, MergedInput>();
  const families = new Map<string, { readonly members: number[]; bytes: number }>();
  const count = sections.section.length;
  for (let number = 0; number < count; number++) {
    if (!hasTrait(sections, number, TRAIT_MERGEABLE) || sections.fate[number] !== SECTION_KEPT) continue;
    const section = sections.section[number] as Section;
    if (!isMergeable(section) || hasRelocations(link, number)) continue;
    const { alloc, executable, strings, entrySize, align } = section;
    const key = `${outputName(section)} ${alloc} ${executable} ${strings} ${entrySize} ${align}`;
    const family = families.get(key) ?? { members: [], bytes: 0 };
    families.set(key, family);
    family.members.push(number);
    family.bytes += section.size;
  }
  const merged: Open[] = [];
  for (const { members, bytes } of families.values()) {
    let target: Open | null = null;
    for (const number of members) {
      const section = sections.section[number] as Section;
      const file = link.files[sections.file[number] as number];
      if (file === undefined) continue;
      const content = contentOf(file.file, section, link.options);
      if (section.strings && !endsWithZero(content, section.entrySize)) continue;
      if (target === null) merged.push((target = openFor(link, section, bytes)));
      inputs.set(number, splitInto(target, content, section));
      sections.fate[number] = SECTION_ABSORBED;
    }
  }
  for (const { section, end } of merged) sections.size[section] = end;
  return { inputs, sections: merged };
}

function isMergeable(section: Section): boolean {
  const { entrySize, fileSize, size, writable, packing } = section;
  const whole = packing !== null || fileSize === size;
  return !writable && entrySize > 0 && fileSize > 0 && whole && size % entrySize === 0;
}

function hasRelocations(link: Link, number: number): boolean {
  const { sections } = link;
  const file = link.files[sections.file[number] as number];
  if (file === undefined) return true;
  const { first, end } = relocationsOf(link, file, sections.section[number]?.index ?? 0);
  return first !== end;
}

/** How many bytes of input come on one piece in the end: names of items are long, and most are in several objects. */
const BYTES_PER_PIECE = 128;

/** A made section for sections like this one, which have so many bytes together. */
function openFor(link: Link, like: Section, bytes: number): Open {
  const { kind, alloc, executable, strings, entrySize, align } = like;
  const facts = {
    name: link.target.sections.outputName(like),
    kind,
    alloc,
    executable,
    mergeable: true,
    strings,
    entrySize,
    align,
  };
  const section = addMadeSection(link.sections, facts);
  return { section, align, pieces: createNameTable(Math.ceil(bytes / BYTES_PER_PIECE)), end: 0 };
}

/** Puts the pieces of a section into its made section. */
function splitInto(target: Open, bytes: Uint8Array, { strings, entrySize }: Section): MergedInput {
  const { pieces: table } = target;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = new Uint32Array(Math.floor(bytes.length / BLOCK) + 1);
  let capacity = strings ? Math.ceil(bytes.length / 16) + 16 : bytes.length / entrySize;
  let from = new Uint32Array(capacity);
  let to = new Uint32Array(capacity);
  let pieces = 0;
  let block = 0;
  for (let start = 0; start < bytes.length; pieces++) {
    const before = table.count;
    const piece =
      strings && entrySize === 1
        ? table.internTerminated(bytes, view, start)
        : table.intern(bytes, start, strings ? endOfString(bytes, start, entrySize) : start + entrySize);
    const size = table.size(piece);
    if (piece === before) place(target, piece, size);
    if (pieces === capacity) {
      capacity *= 2;
      from = copied(from, new Uint32Array(capacity));
      to = copied(to, new Uint32Array(capacity));
    }
    from[pieces] = start;
    to[pieces] = table.valueOf(piece);
    start += size;
    for (; block * BLOCK < start; block++) blocks[block] = pieces;
  }
  blocks.fill(pieces - 1, block);
  return { section: target.section, pieces, from, to, blocks };
}

/** A new piece goes behind the others. */
function place(target: Open, piece: number, size: number): void {
  const offset = alignUp(target.end, target.align);
  target.pieces.setValue(piece, offset);
  target.end = offset + size;
}

/** Strings of which the last does not end are none. */
function endsWithZero(bytes: Uint8Array, entrySize: number): boolean {
  return isZero(bytes, bytes.length - entrySize, entrySize);
}

/** Behind the zero that ends the string of wide characters at `start`; there is one. */
function endOfString(bytes: Uint8Array, start: number, entrySize: number): number {
  let at = start;
  while (!isZero(bytes, at, entrySize)) at += entrySize;
  return at + entrySize;
}

function isZero(bytes: Uint8Array, at: number, size: number): boolean {
  for (let index = at; index < at + size; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** The offset in the made section of an offset in an input section. Places behind the end follow the last piece. */
export function mergedOffset(input: MergedInput, offset: number): number {
  const { from, to, blocks } = input;
  const last = input.pieces - 1;
  const block = Math.floor(Math.min(Math.max(0, offset) / BLOCK, blocks.length - 1));
  let piece = blocks[block] as number;
  while (piece < last && (from[piece + 1] as number) <= offset) piece++;
  return (to[piece] as number) + offset - (from[piece] as number);
}

/** Writes a made section's pieces into `bytes`, which starts where the section does. */
export function writeMerged({ pieces }: MergedSection, bytes: Uint8Array): void {
  for (let piece = 0; piece < pieces.count; piece++) pieces.copy(piece, bytes, pieces.valueOf(piece));
}
