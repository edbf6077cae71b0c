// Pass: equal strings and constants of mergeable sections become one (gABI "Section Attribute Flags"). Sections of one output
// section, entry size and alignment are merged into a made section; a table maps places in the inputs to places there.
import { alignUp } from '../../bytes/align.js';
import { createNameTable, type NameTable } from '../../bytes/name-table.js';
import type { Section } from '../../formats/object-file.js';
import { contentOf } from './content.js';
import type { Link } from './link-state.js';
import { outputName } from './output-names.js';
import { relocationsOf } from './references.js';
import { addMadeSection, SECTION_ABSORBED, SECTION_KEPT } from './sections.js';

/** Where the pieces of an input section went. `from` and `to` are offsets, by rising `from`; the first is 0. */
export interface MergedInput {
  /** Number of the made section. */
  readonly section: number;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

/** A made section of merged pieces. */
export interface MergedSection {
  readonly section: number;
  readonly pieces: NameTable;
  readonly offsets: readonly number[];
}

export interface Merged {
  /** By the number of the input section. */
  readonly inputs: ReadonlyMap<number, MergedInput>;
  readonly sections: readonly MergedSection[];
}

interface Open {
  readonly section: number;
  readonly align: number;
  readonly pieces: NameTable;
  readonly offsets: number[];
  end: number;
}

/** Merges all that is kept and mergeable. */
export function mergeSections(link: Link): Merged {
  const { sections } = link;
  const inputs = new Map<number, MergedInput>();
  const open = new Map<string, Open>();
  const count = sections.section.length;
  for (let number = 0; number < count; number++) {
    const section = sections.section[number] as Section;
    if (!section.mergeable || sections.fate[number] !== SECTION_KEPT) continue;
    const file = link.files[sections.file[number] as number];
    if (file === undefined || !isMergeable(section)) continue;
    const { first, end: last } = relocationsOf(file, section.index);
    if (first !== last) continue;
    const bytes = contentOf(file.file, section, link.options);
    const starts = section.strings ? stringStarts(bytes, section.entrySize) : constantStarts(bytes, section.entrySize);
    if (starts === null) continue;
    const target = openFor(link, open, section);
    const to = new Uint32Array(starts.length);
    for (let piece = 0; piece < starts.length; piece++) {
      const start = starts[piece] as number;
      const end = piece + 1 < starts.length ? (starts[piece + 1] as number) : bytes.length;
      const known = target.pieces.intern(bytes, start, end);
      if (known === target.offsets.length) {
        const place = alignUp(target.end, target.align);
        target.offsets.push(place);
        target.end = place + end - start;
      }
      to[piece] = target.offsets[known] as number;
    }
    sections.fate[number] = SECTION_ABSORBED;
    inputs.set(number, { section: target.section, from: starts, to });
  }
  for (const { section, end } of open.values()) sections.size[section] = end;
  return { inputs, sections: [...open.values()] };
}

function isMergeable(section: Section): boolean {
  const { entrySize, fileSize, size, writable, packing } = section;
  const whole = packing !== null || fileSize === size;
  return !writable && entrySize > 0 && fileSize > 0 && whole && size % entrySize === 0;
}

function openFor(link: Link, open: Map<string, Open>, section: Section): Open {
  const name = outputName(section.name);
  const key = `${name} ${section.alloc} ${section.executable} ${section.strings} ${section.entrySize} ${section.align}`;
  let found = open.get(key);
  if (found === undefined) {
    const { kind, alloc, executable, strings, entrySize, align } = section;
    const facts = { name, kind, alloc, executable, mergeable: true, strings, entrySize, align };
    const number = addMadeSection(link.sections, facts);
    found = { section: number, align, pieces: createNameTable(Math.ceil(section.size / 16)), offsets: [], end: 0 };
    open.set(key, found);
  }
  return found;
}

/** Where the strings start; null when the last does not end, as then it is none. */
function stringStarts(bytes: Uint8Array, entrySize: number): Uint32Array<ArrayBuffer> | null {
  let starts = new Uint32Array(Math.ceil(bytes.length / entrySize / 8) + 16);
  let count = 0;
  let start = 0;
  for (let at = 0; at < bytes.length; at += entrySize) {
    if (bytes[at] !== 0 || (entrySize > 1 && !isZero(bytes, at + 1, entrySize - 1))) continue;
    if (count === starts.length) {
      const longer = new Uint32Array(count * 2);
      longer.set(starts);
      starts = longer;
    }
    starts[count++] = start;
    start = at + entrySize;
  }
  return start === bytes.length ? starts.slice(0, count) : null;
}

function isZero(bytes: Uint8Array, at: number, size: number): boolean {
  for (let index = at; index < at + size; index++) if (bytes[index] !== 0) return false;
  return true;
}

function constantStarts(bytes: Uint8Array, entrySize: number): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(bytes.length / entrySize);
  for (let index = 0; index < starts.length; index++) starts[index] = index * entrySize;
  return starts;
}

/** The offset in the made section of an offset in an input section. Places behind the end follow the last piece. */
export function mergedOffset(input: MergedInput, offset: number): number {
  const { from, to } = input;
  let low = 0;
  let high = from.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    if ((from[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return (to[low] ?? 0) + offset - (from[low] ?? 0);
}

/** Writes a made section's pieces into `bytes`, which starts where the section does. */
export function writeMerged(merged: MergedSection, bytes: Uint8Array): void {
  for (let piece = 0; piece < merged.offsets.length; piece++) {
    bytes.set(merged.pieces.bytes(piece), merged.offsets[piece]);
  }
}
