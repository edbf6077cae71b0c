// What relocations of a link refer to: sections by number, for the passes that only follow references.
import type { RelocationColumns } from '../../formats/columns.js';
import type { Link, TakenFile } from './link-state.js';

const NONE: RelocationColumns = {
  count: 0,
  offset: new Uint32Array(0),
  type: new Uint32Array(0),
  symbol: new Uint32Array(0),
  addend: new Float64Array(0),
  implicit: false,
};

/** The relocations of a section, read once. */
export function relocationsOf(link: Link, section: number): RelocationColumns {
  const { sections } = link;
  const known = sections.relocations[section];
  if (known != null) return known;
  const file = link.files[sections.file[section] as number];
  const index = sections.section[section]?.index ?? -1;
  const found = file === undefined || index < 0 ? NONE : file.file.relocationColumns(index);
  sections.relocations[section] = found;
  return found;
}

/** The section that a row of an object's symbol table means in this link: below 0 when that is none. */
export function sectionOf(link: Link, file: TakenFile, row: number): number {
  const global = file.globals[row] as number;
  if (global >= 0) return link.symbols.section[global] as number;
  const at = file.columns.section[row] as number;
  return at < 0 ? at : file.base + at;
}
