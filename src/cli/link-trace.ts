// `-y SYMBOL`: which inputs define a symbol, and which refer to it, in ld's words.
import { SECTION_COMMON, SECTION_UNDEFINED } from '../formats/columns.js';
import type { ObjectFile } from '../formats/object-file.js';
import type { MapEntry } from '../link/shared/map.js';
import type { LinkInput } from '../link/shared/options.js';

/** A line for each definition and reference. Of archives the members that the link took count, by its map. */
export function traceSymbols(
  names: readonly string[],
  inputs: readonly LinkInput[],
  map: readonly MapEntry[],
): string[] {
  const taken = new Set(map.map(({ file }) => file));
  return inputs.flatMap((input) => {
    if (input.kind !== 'archive') return names.flatMap((name) => mentions(input.file, name));
    const { archive } = input;
    return archive.members.flatMap(({ index }) => {
      const file = archive.member(index);
      if (file === null || !taken.has(file.name)) return [];
      return names.flatMap((name) => mentions(file, name));
    });
  });
}

function mentions(file: ObjectFile, name: string): string[] {
  const rows = file.kind === 'shared' ? file.linked?.dynamicColumns() : file.symbolColumns();
  if (rows === undefined) return [];
  for (let row = 0; row < rows.count; row++) {
    if (rows.nameOf(row) !== name) continue;
    const section = rows.section[row];
    if (section === SECTION_UNDEFINED) return [`${file.name}: reference to ${name}`];
    if (section === SECTION_COMMON) return [`${file.name}: common definition of ${name}`];
    return [`${file.name}: ${file.kind === 'shared' ? 'shared ' : ''}definition of ${name}`];
  }
  return [];
}
