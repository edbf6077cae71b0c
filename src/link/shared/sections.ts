// The sections of a link under one numbering: those of all objects that were taken in, and those that the link makes.
import { copied } from '../../bytes/columns.js';
import type { Section } from '../../formats/object-file.js';

/** What becomes of a section. */
export const SECTION_KEPT = 0;
/** Not reached, or not asked for. */
export const SECTION_DEAD = 1;
/** Another object's group of the same name was first. */
export const SECTION_DUPLICATE = 2;
/** Read by the link and no part of its result. */
export const SECTION_CONSUMED = 3;
/** Its content went into a made section, piece by piece or record by record. */
export const SECTION_ABSORBED = 4;

/** Bits of `traits`: what pass after pass asks of all sections. Loaded at run time. */
export const TRAIT_ALLOC = 1;
/** Member of a group. */
export const TRAIT_GROUPED = 2;
/** Describes another section, without which it is of no use. */
export const TRAIT_DESCRIBES = 4;
export const TRAIT_MERGEABLE = 8;
/** Unwind records. */
export const TRAIT_UNWIND = 16;
/** What is run before or after all else (arrays of constructors and destructors), or a note. */
export const TRAIT_ROOT_KIND = 32;

/** Number of the file of a made section. */
export const MADE_FILE = -1;

/** Columns with a row for each section, by its number, and room for more; grown by {@link reserveSections}. */
export interface SectionTable {
  readonly section: Section[];
  /** Number of the object, or MADE_FILE. */
  file: Int32Array;
  fate: Uint8Array;
  /** Bits, see TRAIT_ALLOC and the others: a look at them costs less than one at the section. */
  traits: Uint8Array;
  align: Float64Array;
  /** In memory; of made sections known late. */
  size: Float64Array;
  /** Number of the output section, −1 before it has one and for what is not kept. */
  output: Int32Array;
  /** Offset in the output section. */
  offset: Float64Array;
  /** Known after placing; 0 for what is not loaded. */
  address: Float64Array;
}

/** An empty table. */
export function createSections(): SectionTable {
  return {
    section: [],
    file: new Int32Array(0),
    fate: new Uint8Array(0),
    traits: new Uint8Array(0),
    align: new Float64Array(0),
    size: new Float64Array(0),
    output: new Int32Array(0),
    offset: new Float64Array(0),
    address: new Float64Array(0),
  };
}

/** Makes room for at least `count` rows. */
export function reserveSections(table: SectionTable, count: number): void {
  const before = table.fate.length;
  if (count <= before) return;
  const capacity = Math.max(before * 2, count, 64);
  table.file = copied(table.file, new Int32Array(capacity));
  table.fate = copied(table.fate, new Uint8Array(capacity));
  table.traits = copied(table.traits, new Uint8Array(capacity));
  table.align = copied(table.align, new Float64Array(capacity));
  table.size = copied(table.size, new Float64Array(capacity));
  table.output = copied(table.output, new Int32Array(capacity));
  table.offset = copied(table.offset, new Float64Array(capacity));
  table.address = copied(table.address, new Float64Array(capacity));
}

/** Adds a section and gives its number. */
export function addSection(table: SectionTable, section: Section, file: number, fate: number): number {
  const number = table.section.length;
  reserveSections(table, number + 1);
  table.section.push(section);
  table.file[number] = file;
  table.fate[number] = fate;
  table.traits[number] = traitsOf(section);
  table.align[number] = section.align;
  table.size[number] = section.size;
  table.output[number] = -1;
  return number;
}

function traitsOf(section: Section): number {
  const { kind } = section;
  return (
    (section.alloc ? TRAIT_ALLOC : 0) +
    (section.group === null ? 0 : TRAIT_GROUPED) +
    (section.describes === null ? 0 : TRAIT_DESCRIBES) +
    (section.mergeable ? TRAIT_MERGEABLE : 0) +
    (kind === 'unwind' ? TRAIT_UNWIND : 0) +
    (kind === 'init' || kind === 'fini' || kind === 'note' ? TRAIT_ROOT_KIND : 0)
  );
}

/** Has a section one of these traits? */
export function hasTrait(table: SectionTable, number: number, traits: number): boolean {
  return ((table.traits[number] as number) & traits) !== 0;
}

/** The facts of a made section that differ from those of plain read-only data. */
export interface MadeFacts {
  readonly name: string;
  readonly kind?: Section['kind'];
  readonly alloc?: boolean;
  readonly writable?: boolean;
  readonly executable?: boolean;
  readonly mergeable?: boolean;
  readonly strings?: boolean;
  readonly align: number;
  readonly entrySize?: number;
  readonly size?: number;
}

/** Adds a section that the link itself makes; its size may be set later. */
export function addMadeSection(table: SectionTable, facts: MadeFacts): number {
  const section: Section = {
    index: -1,
    name: facts.name,
    nameBegins: (text) => facts.name.startsWith(text),
    kind: facts.kind ?? 'readonly',
    alloc: facts.alloc ?? true,
    writable: facts.writable ?? false,
    executable: facts.executable ?? false,
    mergeable: facts.mergeable ?? false,
    strings: facts.strings ?? false,
    entrySize: facts.entrySize ?? 0,
    address: 0,
    offset: 0,
    size: facts.size ?? 0,
    fileSize: 0,
    align: facts.align,
    group: null,
    retain: false,
    consumed: false,
    packing: null,
    describes: null,
  };
  return addSection(table, section, MADE_FILE, SECTION_KEPT);
}
