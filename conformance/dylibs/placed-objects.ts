// Where a linker put the symbols of each object, by the map that it wrote (the form of ld64's -map), or, of a linker that
// writes none, by its symbol table, as far as names are unique.
import { readFileSync } from 'node:fs';
import type { LinkedFile } from './linked-file.js';
import { archiveMembers, N_EXT, N_SECT, N_WEAK_DEF, N_STAB, readRaw, type RawMacho } from './object-file.js';

export interface PlacedObject {
  readonly object: RawMacho;
  /** The address of one of its symbols, by the name; null for what is not there, or there several times. */
  addressOf(name: string): number | null;
}

/** All objects of all links, each read once. */
export class Objects {
  readonly #objects = new Map<string, RawMacho>();
  readonly #archives = new Map<string, Map<string, Uint8Array>>();

  /** An object by the name that maps have: a path, or `archive(member)`. Null for what is none. */
  open(name: string): RawMacho | null {
    const known = this.#objects.get(name);
    if (known !== undefined) return known;
    const member = /^(.*)\(([^()]+)\)$/.exec(name);
    const bytes = member === null ? new Uint8Array(readFileSync(name)) : this.#member(member[1] ?? '', member[2] ?? '');
    if (bytes.length < 4 || bytes[0] !== 0xcf) return null;
    const object = readRaw(bytes, name);
    this.#objects.set(name, object);
    return object;
  }

  #member(archive: string, name: string): Uint8Array {
    let members = this.#archives.get(archive);
    if (members === undefined) {
      this.#archives.set(archive, (members = archiveMembers(new Uint8Array(readFileSync(archive)))));
    }
    const found = members.get(name);
    if (found === undefined) throw new Error(`${archive} has no member ${name}`);
    return found;
  }
}

/** The objects of a map, with the places of their symbols. */
export function placedByMap(objects: Objects, mapFile: string): PlacedObject[] {
  const text = readFileSync(mapFile, 'latin1');
  const files = [...text.matchAll(/^\[ *(\d+)\] (.*)$/gm)].map(([, number, path = '']) => ({
    number: Number(number),
    path,
  }));
  const symbols = new Map<number, Map<string, number | null>>();
  const body = text.slice(text.indexOf('# Symbols:'), text.search(/^# Dead Stripped/m) >>> 0);
  for (const [, address, file, name = ''] of body.matchAll(/^(0x[0-9A-F]+)\t0x[0-9A-F]+\t\[ *(\d+)\] (.*)$/gm)) {
    const own = symbols.get(Number(file)) ?? new Map<string, number | null>();
    symbols.set(Number(file), own);
    const before = own.get(name);
    own.set(name, before === undefined || before === Number(address) ? Number(address) : null);
  }
  return files.flatMap(({ number, path }): PlacedObject[] => {
    if (number === 0 || path.endsWith('.tbd') || path.endsWith('.dylib')) return [];
    const object = objects.open(path);
    const own = symbols.get(number);
    if (object === null || own === undefined) return [];
    return [{ object, addressOf: (name) => own.get(name) ?? null }];
  });
}

/** The same objects in another linker's file, by names that other objects could refer to: only one of them defines each. */
export function placedByNames(like: readonly PlacedObject[], { defined }: LinkedFile): PlacedObject[] {
  const counts = new Map<string, number>();
  for (const { object } of like) {
    for (const { name, type, description } of object.symbols) {
      const seen = (type & N_STAB) === 0 && (type & 0xe) === N_SECT && (type & N_EXT) !== 0;
      // Of weak ones the linker's own library may have another.
      if ((description & N_WEAK_DEF) !== 0) counts.set(name, 2);
      if (seen) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  const addressOf = (name: string): number | null => (counts.get(name) === 1 ? (defined.get(name) ?? null) : null);
  return like.map(({ object }) => ({ object, addressOf }));
}
