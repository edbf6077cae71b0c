// `-y SYMBOL`: which inputs define a symbol, and which refer to it, in ld's words.
import { SECTION_COMMON, SECTION_UNDEFINED } from '../formats/columns.js';
import type { ObjectFile } from '../formats/object-file.js';
import type { MapEntry } from '../link/shared/map.js';
import type { LibraryFile, LinkInput } from '../link/shared/options.js';

/** A line for each definition and reference. Of archives the members that the link took count, by its map. */
export function traceSymbols(
  names: readonly string[],
  inputs: readonly LinkInput[],
  map: readonly MapEntry[],
): string[] {
  const taken = new Set(map.map(({ file }) => file));
  return inputs.flatMap((input) => {
    if (input.kind === 'shared') return names.flatMap((name) => mentionsOf(input.file, name, 'shared '));
    if (input.kind === 'object') return names.flatMap((name) => mentionsOf(input.file, name, ''));
    const { archive } = input;
    return archive.members.flatMap(({ index }) => {
      const file = archive.member(index);
      if (file === null || !taken.has(file.name)) return [];
      return names.flatMap((name) => mentionsOf(file, name, ''));
    });
  });
}

function mentionsOf(file: LibraryFile | ObjectFile, name: string, shared: '' | 'shared '): string[] {
  const rows = 'symbolColumns' in file && shared === '' ? file.symbolColumns() : file.linked?.dynamicColumns();
  if (rows === undefined) return [];
  for (let row = 0; row < rows.count; row++) {
    if (rows.nameOf(row) !== name) continue;
    const section = rows.section[row];
    if (section === SECTION_UNDEFINED) return [`${file.name}: reference to ${name}`];
    if (section === SECTION_COMMON) return [`${file.name}: common definition of ${name}`];
    return [`${file.name}: ${shared}definition of ${name}`];
  }
  return [];
}
