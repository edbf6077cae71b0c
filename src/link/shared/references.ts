// What relocations of a link refer to: sections by number, for the passes that only follow references.
import type { RelocationColumns } from '../../formats/columns.js';
import type { Link, TakenFile } from './link-state.js';
import { hasTrait, TRAIT_ALLOC } from './sections.js';

/** The relocations of a section: rows [first, end) of its file's. */
export interface SectionRelocations {
  readonly rows: RelocationColumns;
  readonly first: number;
  readonly end: number;
}

/**
 * The relocations of an object's section. Those of what is loaded, which pass after pass asks for, are read once; those of
 * the rest, which are nine of ten, when they are asked for, into the link's room: they are good until the next.
 */
export function relocationsOf(link: Link, file: TakenFile, section: number): SectionRelocations {
  if (!hasTrait(link.sections, file.base + section, TRAIT_ALLOC)) {
    const rows = file.file.relocationColumns(section, link.room);
    return { rows, first: 0, end: rows.count };
  }
  const all = (file.relocations ??= file.file.allRelocationColumns((index) =>
    hasTrait(link.sections, file.base + index, TRAIT_ALLOC),
  ));
  return { rows: all.rows, first: all.first[section] ?? 0, end: all.first[section + 1] ?? 0 };
}

/** The section that a row of an object's symbol table means in this link: below 0 when that is none. */
export function sectionOf(link: Link, file: TakenFile, row: number): number {
  const global = file.globals[row] as number;
  if (global >= 0) return link.symbols.section[global] as number;
  const at = file.columns.section[row] as number;
  return at < 0 ? at : file.base + at;
}
