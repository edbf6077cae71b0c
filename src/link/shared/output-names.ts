// Which output section an input section goes to: sections that compilers name per function or item are joined under
// the family's name, as ld's scripts and lld have it.
import type { Section } from '../../formats/object-file.js';
import type { Link } from './link-state.js';

/** What has a section's name. */
type Named = Pick<Section, 'name' | 'nameBegins'>;

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

/** Longer names before those that they begin with; what there is most of first. */
const FAMILIES = [
  '.text',
  '.data.rel.ro',
  '.data',
  '.rodata',
  '.bss.rel.ro',
  '.bss',
  '.init_array',
  '.fini_array',
  '.ctors',
  '.dtors',
  '.tbss',
  '.gcc_except_table',
  '.tdata',
  '.lrodata',
  '.ldata',
  '.lbss',
  '.ltext',
].map(familyOf);

/** `.text.f` → `.text`, `.init_array.101` → `.init_array`, `COMMON` → `.bss`; other names stay. */
export function outputName(section: Named): string {
  for (const family of FAMILIES) if (isOfFamily(section, family)) return family.family;
  const { name } = section;
  if (name === 'COMMON') return '.bss';
  return name.startsWith('.gnu.linkonce.') ? linkOnce(name) : name;
}

/** What old compilers wrote before there were groups. */
function linkOnce(name: string): string {
  const short = /^\.gnu\.linkonce\.(d\.rel\.ro|[a-z]+)\./.exec(name)?.[1];
  switch (short) {
    case 't':
      return '.text';
    case 'r':
      return '.rodata';
    case 'd':
      return '.data';
    case 'd.rel.ro':
      return '.data.rel.ro';
    case 'b':
      return '.bss';
    case 'td':
      return '.tdata';
    case 'tb':
      return '.tbss';
    default:
      return name;
  }
}

/**
 * Where constructors stand among those of their family: the number in `.init_array.101`, and 65,536 for those without.
 * Old tables (`.ctors`) are run from their end, so their numbers count backwards.
 */
export function priorityOf(name: string): number {
  const number = /^\.(init_array|fini_array|ctors|dtors)\.(\d+)$/.exec(name);
  if (number === null) return 65_536;
  const value = Number(number[2]);
  return number[1]?.endsWith('tors') === true ? 65_535 - value : value;
}

/** Old startup files bring the edges of the old tables, and run these: their parts stay what they are. */
const STARTUP_FILES = /crt(?:begin|end).?\.o$/;

/**
 * The array that a table of constructors or destructors becomes part of, if it is one as compilers wrote them before there
 * were arrays (.ctors, .dtors). Today's startup files run arrays only, and those the other way round: so its words go there
 * backwards. As GNU ld's own script has it; lld and mold leave such tables where nothing runs them.
 */
export function arrayOf(link: Link, number: number): '.init_array' | '.fini_array' | null {
  const section = link.sections.section[number];
  if (section === undefined || (section.kind !== 'init' && section.kind !== 'fini')) return null;
  const first = section.kind === 'init';
  const file = link.files[link.sections.file[number] as number]?.file;
  if (file === undefined || !section.name.startsWith(first ? '.ctors' : '.dtors')) return null;
  if (STARTUP_FILES.test(file.name) || section.size % link.machine.pointerSize !== 0) return null;
  return first ? '.init_array' : '.fini_array';
}
