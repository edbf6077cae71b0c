// What the link put where, for maps and for who compares links.
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
