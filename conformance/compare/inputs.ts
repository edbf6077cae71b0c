// The inputs of a link as the comparison needs them: objects, their sections with relocations and groups, and which of
// the sections lies where in an output.
import { readFileSync } from 'node:fs';
import { dirname, normalize, resolve } from 'node:path';
import { archiveMembers, isArchive, isThinArchive } from './archive-members.js';
import {
  type ElfFile,
  type ElfRelocation,
  readElf,
  relocationsAt,
  SHF_MERGE,
  SHT_GROUP,
  SHT_RELA,
} from './elf-file.js';
import { type Placement } from './link-map.js';

/** An object among the inputs. */
export interface InputObject {
  /** `path` or `path(member)`. */
  readonly key: string;
  /** Its number among all that were loaded. */
  readonly index: number;
  readonly elf: ElfFile;
  /** By the section they apply to. */
  readonly relocations: ReadonlyMap<number, readonly ElfRelocation[]>;
  /** The signature of the COMDAT group that a section is in. */
  readonly groups: ReadonlyMap<number, string>;
}

/** True for two members of one archive. */
export function ofOneArchive(one: InputObject | undefined, other: InputObject | undefined): boolean {
  const archive = one === undefined ? null : archiveOf(one.key);
  return archive !== null && other !== undefined && archiveOf(other.key) === archive;
}

function archiveOf(key: string): string | null {
  return key.endsWith(')') ? key.slice(0, key.lastIndexOf('(')) : null;
}

const GRP_COMDAT = 1;

function readObject(bytes: Uint8Array, key: string, index: number): InputObject | null {
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45) return null;
  const elf = readElf(bytes, key);
  if (elf.type !== 1) return null;
  const relocations = new Map<number, readonly ElfRelocation[]>();
  const groups = new Map<number, string>();
  for (const section of elf.sections) {
    if (section.type === SHT_RELA) {
      relocations.set(section.info, relocationsAt(elf.view, section.offset, section.size));
    }
    if (section.type === SHT_GROUP && elf.view.getUint32(section.offset, true) === GRP_COMDAT) {
      const symbol = elf.symbols[section.info]!;
      const signature = symbol.name === '' ? elf.sections[symbol.section]!.name : symbol.name;
      for (let at = 4; at < section.size; at += 4) {
        groups.set(elf.view.getUint32(section.offset + at, true), signature);
      }
    }
  }
  return { key, index, elf, relocations, groups };
}

/** A file's name as maps and commands agree on it. */
export function normalKey(file: string, folder: string): string {
  return normalize(resolve(folder, file));
}

/** Loads objects by the names that maps give; a member's name may stand for several of one archive. */
export class Inputs {
  readonly objects: InputObject[] = [];
  readonly #byKey = new Map<string, InputObject[]>();
  readonly #thin = new Map<string, boolean>();
  readonly #archives = new Map<string, Map<string, Uint8Array[]>>();

  /** Where an object is, however a map says it: members of thin archives are files of their own, beside them. */
  placeOf(key: string): string {
    const [, archive, member] = /^(.*)\(([^()]*)\)$/.exec(key) ?? [];
    if (archive === undefined || member === undefined) return key;
    let thin = this.#thin.get(archive);
    if (thin === undefined) this.#thin.set(archive, (thin = isThinArchive(readFileSync(archive))));
    return thin ? resolve(dirname(archive), member) : key;
  }

  /** All objects of a name; none where it is a shared library, a script or nothing that can be read. */
  named(key: string): readonly InputObject[] {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const objects: InputObject[] = [];
    for (const bytes of this.#bytesOf(key)) {
      const object = readObject(bytes, key, this.objects.length);
      if (object === null) continue;
      objects.push(object);
      this.objects.push(object);
    }
    this.#byKey.set(key, objects);
    return objects;
  }

  #bytesOf(key: string): readonly Uint8Array[] {
    const member = /^(.*)\(([^()]*)\)$/.exec(key);
    if (member === null) return [readFileSync(key)];
    let members = this.#archives.get(member[1]!);
    if (members === undefined) {
      members = new Map();
      const bytes = readFileSync(member[1]!);
      for (const one of isArchive(bytes) ? archiveMembers(bytes) : []) {
        // An ELF file's tables want alignment only of whoever casts; a view reads anywhere.
        members.set(one.name, [...(members.get(one.name) ?? []), one.bytes]);
      }
      this.#archives.set(member[1]!, members);
    }
    return members.get(member[2]!) ?? [];
  }
}

/** Where an object's sections lie, by section; NaN where it was dropped, or is not known (then `unsure` says so). */
export interface PlacedObject {
  readonly addresses: Float64Array;
  /** Sections that the map does not tell apart from others of the same name and size. */
  readonly unsure: ReadonlySet<number>;
}

/** True for a section whose pieces the linker shares: it has no address of its own. */
export function isMerged(object: InputObject, section: number): boolean {
  const { flags, entrySize } = object.elf.sections[section]!;
  return hasFlag(flags, SHF_MERGE) && entrySize > 0 && !object.relocations.has(section);
}

/** True when a section's flags contain one. */
export function hasFlag(flags: number, flag: number): boolean {
  return Math.floor(flags / flag) % 2 === 1;
}

/** Gives each placement of a map to a section of an object. `folder` is where the linker ran. */
export function placeInputs(
  inputs: Inputs,
  placements: readonly Placement[],
  folder: string,
): Map<InputObject, PlacedObject> {
  const placed = new Map<InputObject, { addresses: Float64Array; unsure: Set<number> }>();
  const byFile = new Map<string, Map<string, Placement[]>>();
  for (const one of placements) {
    const key = inputs.placeOf(normalKey(one.file, folder));
    const sections = byFile.get(key) ?? new Map<string, Placement[]>();
    byFile.set(key, sections);
    sections.set(one.section, [...(sections.get(one.section) ?? []), one]);
  }
  for (const [key, sections] of byFile) {
    const objects = inputs.named(key);
    for (const object of objects) {
      const addresses = new Float64Array(object.elf.sections.length).fill(Number.NaN);
      placed.set(object, { addresses, unsure: new Set() });
    }
    for (const [name, list] of sections) {
      const all = objects.flatMap((object) =>
        object.elf.sections
          .filter((section) => section.name === name && !isMerged(object, section.index))
          .map((section) => ({ object, section })),
      );
      give(all, list, placed);
    }
  }
  return placed;
}

function give(
  all: readonly { object: InputObject; section: { index: number; size: number } }[],
  list: readonly Placement[],
  placed: ReadonlyMap<InputObject, { addresses: Float64Array; unsure: Set<number> }>,
): void {
  const sizes = new Set(all.map(({ section }) => section.size));
  for (const size of sizes) {
    const sections = all.filter(({ section }) => section.size === size);
    const places = list.filter((one) => one.size === size);
    sections.forEach(({ object, section }, index) => {
      const { addresses, unsure } = placed.get(object)!;
      const place = places[index];
      if (places.length !== 0 && places.length !== sections.length) unsure.add(section.index);
      else if (place !== undefined) addresses[section.index] = place.address;
    });
  }
}
