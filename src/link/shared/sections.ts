// The sections of a link under one numbering: those of all objects that were taken in, and those that the link makes.
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

/** Number of the file of a made section. */
export const MADE_FILE = -1;

/** Columns, each with `count` rows; row = the section's number. */
export interface SectionTable {
  readonly section: Section[];
  /** Number of the object, or MADE_FILE. */
  readonly file: number[];
  readonly fate: number[];
  /** In memory; of made sections known late. */
  readonly size: number[];
  /** Number of the output section, −1 before it has one and for what is not kept. */
  readonly output: number[];
  /** Offset in the output section. */
  readonly offset: number[];
  /** Known after placing; 0 for what is not loaded. */
  readonly address: number[];
}

/** An empty table. */
export function createSections(): SectionTable {
  return { section: [], file: [], fate: [], size: [], output: [], offset: [], address: [] };
}

/** Adds a section and gives its number. */
export function addSection(table: SectionTable, section: Section, file: number, fate: number): number {
  const number = table.section.length;
  table.section.push(section);
  table.file.push(file);
  table.fate.push(fate);
  table.size.push(section.size);
  table.output.push(-1);
  table.offset.push(0);
  table.address.push(0);
  return number;
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
