// What the code of a shared object promises as a whole, from what its objects do: one note. All objects that are part of
// the link count, those that say nothing too: they promise nothing.
import { encodeProperties, hasLandings, mergeProperties, readProperties } from '../formats/elf/properties.js';
import type { MachineName } from '../formats/object-file.js';
import type { Link } from './shared/link-state.js';
import { addMadeSection, SECTION_CONSUMED } from './shared/sections.js';

/** The section that says it. */
export const PROPERTIES = '.note.gnu.property';

/** The made section and what it holds. */
export interface PropertiesPlan {
  readonly section: number;
  readonly bytes: Uint8Array;
}

/** Makes the section, and notes in the link what the link's own code has to keep; null when nothing is promised. */
export function planProperties(link: Link, machine: MachineName): PropertiesPlan | null {
  const { sections, files } = link;
  const none: ReadonlyMap<number, number> = new Map();
  const said = files.map(() => none);
  for (let number = 0; number < sections.section.length; number++) {
    if (sections.fate[number] !== SECTION_CONSUMED) continue;
    const section = sections.section[number];
    const file = files[sections.file[number] as number]?.file;
    // Nearly all are of other names, which are not decoded to see it.
    if (section === undefined || file === undefined || !section.nameBegins(PROPERTIES)) continue;
    if (section.name !== PROPERTIES) continue;
    said[sections.file[number] as number] = readProperties(file.sectionBytes(section.index), file.name);
  }
  const properties = mergeProperties(machine, said);
  if (properties.length === 0) return null;
  link.landings = hasLandings(machine, properties);
  const bytes = encodeProperties(properties);
  const section = addMadeSection(sections, { name: PROPERTIES, kind: 'note', align: 8, size: bytes.length });
  return { section, bytes };
}
