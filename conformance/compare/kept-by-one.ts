// Why an output has not a section that another has: each reason is looked for in both, and there is none for "other".
import { type LinkerName } from '../cases/machine-tools.js';
import { type KeptByOne } from './between.js';
import { SHF_ALLOC, SHN_UNDEF, STB_LOCAL } from './elf-file.js';
import { type IgnoredClass } from './ignored.js';
import { hasFlag, ofOneArchive, type InputObject, type PlacedObject } from './inputs.js';

/** An output, as far as it matters here. */
export interface KeepingOutput {
  readonly linker: LinkerName;
  readonly placed: ReadonlyMap<InputObject, PlacedObject>;
}

/** What the link was told. */
export interface KeepingLink {
  /** --gc-sections. */
  readonly dropsUnused: boolean;
  /** The two outputs may have met the copies of a group in another order. */
  readonly reordered: boolean;
}

function isPlaced({ placed }: KeepingOutput, object: InputObject, section: number): boolean {
  const at = placed.get(object);
  return at !== undefined && (!Number.isNaN(at.addresses[section]!) || at.unsure.has(section));
}

/** Has the output a section of that group and name, of whatever object? */
function hasCopy(output: KeepingOutput, signature: string, name: string): boolean {
  for (const object of output.placed.keys()) {
    for (const [section, group] of object.groups) {
      const isCopy = group === signature && object.elf.sections[section]!.name === name;
      if (isCopy && isPlaced(output, object, section)) return true;
    }
  }
  return false;
}

/** Does the output have all that the object defines from other members of the object's archive? */
function hasOtherMembers({ placed }: KeepingOutput, object: InputObject): boolean {
  const names = new Set<string>();
  for (const other of placed.keys()) {
    if (ofOneArchive(object, other)) for (const name of definedBy(other)) names.add(name);
  }
  return object.key.endsWith(')') && definedBy(object).every((name) => names.has(name));
}

function definedBy({ elf }: InputObject): string[] {
  return elf.symbols
    .filter(({ binding, section, name }) => binding !== STB_LOCAL && section !== SHN_UNDEF && name !== '')
    .map(({ name }) => name);
}

/** Why `without` has not the section that `having` has; null where there is no reason. */
export function reasonOf(
  { object, section }: KeptByOne,
  having: KeepingOutput,
  without: KeepingOutput,
  { dropsUnused, reordered }: KeepingLink,
): IgnoredClass | null {
  const { sections } = object.elf;
  const isLoaded = (index: number): boolean => hasFlag(sections[index]!.flags, SHF_ALLOC);
  const signature = object.groups.get(section);
  if (signature !== undefined && hasCopy(without, signature, sections[section]!.name)) {
    if (reordered) return 'other-copy';
    if (having.linker === 'mold' && !isLoaded(section)) return 'debug-of-copies';
  }
  const hasNone = (wanted: (index: number) => boolean): boolean =>
    sections.every(({ index }) => !wanted(index) || !isPlaced(without, object, index));
  if (without.linker === 'mold' && object.key.endsWith(')') && hasNone(() => true)) return 'library-first';
  if (having.linker === 'mold' && hasNone(() => true) && hasOtherMembers(without, object)) return 'other-member';
  return without.linker === 'ld' && dropsUnused && !isLoaded(section) && hasNone(isLoaded) ? 'debug-of-nothing' : null;
}

/** The section in words. */
export function tellKept({ object, section, by, places }: KeptByOne): string {
  const { name } = object.elf.sections[section]!;
  return `only ${by === 'one' ? 'the first' : 'the second'} kept ${object.key}:${name}, ${places} places`;
}
