// Which output section an input section goes to: asked of the target by the number of a section. Families of sections,
// which compilers name per function or item, are told here.
import type { Link } from './link-state.js';
import type { Named } from './target.js';

/** A family of sections: its name, and how the names of its members begin that are not it. */
export interface Family {
  readonly family: string;
  readonly dotted: string;
}

/** The family of this name. */
export const familyOf = (family: string): Family => ({ family, dotted: `${family}.` });

/** `.text` and `.text.f` are of the family `.text`, `.text_of_mine` is not. */
export function isOfFamily(section: Named, { family, dotted }: Family): boolean {
  return section.nameBegins(family) && (section.nameBegins(dotted) || section.name === family);
}

/** The array that a table of constructors or destructors becomes part of, its words backwards; null for other sections. */
export function arrayOf(link: Link, number: number): string | null {
  const section = link.sections.section[number];
  if (section === undefined || (section.kind !== 'init' && section.kind !== 'fini')) return null;
  const file = link.files[link.sections.file[number] as number]?.file;
  if (file === undefined || section.size % link.machine.pointerSize !== 0) return null;
  return link.target.sections.arrayOf(section, file.name);
}
