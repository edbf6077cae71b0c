// What the link put where, for maps and for who compares links.
import { KIND_SECTION } from '../../formats/columns.js';
import { localAddress, type Values } from './values.js';
import { MADE_FILE } from './sections.js';
import type { Link } from './link-state.js';
import type { OutputSection } from './output-section.js';

/** A section in the result. */
export interface MapEntry {
  /** Name of the output section. */
  readonly output: string;
  /** What messages call the object; null for what the link made. */
  readonly file: string | null;
  readonly section: string;
  /** Of what is not loaded, the offset in the output section. */
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly align: number;
}

/** A symbol in the result, by the object that defines it. */
export interface MapSymbol {
  /** Place among the objects of the link. */
  readonly file: number;
  /** The model's. */
  readonly name: string;
  readonly address: number;
  readonly size: number;
}

/** All symbols of what is kept, local ones too, by their addresses. */
export function linkSymbols(link: Link, values: Values): MapSymbol[] {
  const found: MapSymbol[] = [];
  for (const file of link.files) {
    const { columns, globals, base, number } = file;
    for (let row = 1; row < columns.count; row++) {
      const section = columns.section[row] as number;
      if (section < 0 || columns.kind[row] === KIND_SECTION || values.alive[base + section] === 0) continue;
      const symbol = globals[row] as number;
      if (symbol >= 0 && (link.symbols.file[symbol] !== number || link.symbols.row[symbol] !== row)) continue;
      const address = localAddress(values, file, row, 0);
      found.push({ file: number, name: columns.nameOf(row), address, size: columns.size[row] as number });
    }
  }
  return found.sort((a, b) => a.address - b.address);
}

/** All kept sections, output section by output section. */
export function linkMap(link: Link, outputs: readonly OutputSection[]): MapEntry[] {
  const { sections } = link;
  return outputs.flatMap((output) =>
    output.members.map((member) => {
      const file = sections.file[member] as number;
      const offset = sections.offset[member] as number;
      return {
        output: output.name,
        file: file === MADE_FILE ? null : (link.files[file]?.file.name ?? null),
        section: sections.section[member]?.name ?? '',
        address: output.alloc ? output.address + offset : offset,
        offset: output.offset + offset,
        size: sections.size[member] as number,
        align: sections.section[member]?.align ?? 1,
      };
    }),
  );
}
