// What code promises or asks for as a whole (.note.gnu.property): decoded, merged as linkers do, encoded. Only properties
// of 32 bits; those of other sizes are not carried over. Source: "Linux Extensions to gABI" (Program Property);
// x86-64 psABI, "Program Property", for the ranges; AAELF64, "Program Property".
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import type { MachineName } from '../object-file.js';
import * as elf from './constants.js';
import { encodeNote } from './encode-dynamic.js';
import { readNotes } from './notes.js';

/** One property: bits. */
export interface Property {
  readonly type: number;
  readonly value: number;
}

/**
 * How bits of several objects become those of the result: `and` what all of them have, `or` what one has, `or of all` the
 * same but nothing when an object does not say it.
 */
type Merging = 'and' | 'or' | 'or of all';
type Rule = readonly [first: number, last: number, merging: Merging];

const ANY_MACHINE: readonly Rule[] = [
  [0xb0000000, 0xb0007fff, 'and'],
  [0xb0008000, 0xb000ffff, 'or'],
];

interface MachineProperties {
  readonly rules: readonly Rule[];
  /** The property and the bit that say: whoever jumps through a register or a word finds a landing there. */
  readonly landing: Property;
}

const BY_MACHINE: Readonly<Record<MachineName, MachineProperties | null>> = {
  x86_64: {
    rules: [
      [0xc0000000, 0xc0000000, 'or of all'], // COMPAT_ISA_1_USED
      [0xc0000001, 0xc0000001, 'or'], // COMPAT_ISA_1_NEEDED
      [0xc0000002, 0xc0007fff, 'and'], // FEATURE_1_AND
      [0xc0008000, 0xc000ffff, 'or'], // ISA_1_NEEDED, FEATURE_2_NEEDED
      [0xc0010000, 0xc0017fff, 'or of all'], // ISA_1_USED, FEATURE_2_USED
    ],
    landing: { type: elf.GNU_PROPERTY_X86_FEATURE_1_AND, value: elf.GNU_PROPERTY_X86_FEATURE_1_IBT },
  },
  arm64: {
    rules: [[elf.GNU_PROPERTY_AARCH64_FEATURE_1_AND, elf.GNU_PROPERTY_AARCH64_FEATURE_1_AND, 'and']],
    landing: { type: elf.GNU_PROPERTY_AARCH64_FEATURE_1_AND, value: elf.GNU_PROPERTY_AARCH64_FEATURE_1_BTI },
  },
  wasm32: null,
};

/** Those of one object's section. What is said twice holds together. IPBP1001 when it ends too early. */
export function readProperties(section: Uint8Array, where: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const { owner, type, description } of readNotes(new ByteReader(section, where), 8)) {
    if (owner !== 'GNU' || type !== elf.NT_GNU_PROPERTY_TYPE_0) continue;
    const reader = new ByteReader(description, where);
    while (reader.remaining >= 8) {
      const property = reader.u32();
      const size = reader.u32();
      if (size === 4) found.set(property, ((found.get(property) ?? 0) | reader.u32()) >>> 0);
      else reader.skip(size);
      reader.skip(Math.min(reader.remaining, (8 - (reader.position % 8)) % 8));
    }
  }
  return found;
}

/** What holds for all of these objects together, by rising type. Types without a rule are left out. */
export function mergeProperties(machine: MachineName, objects: readonly ReadonlyMap<number, number>[]): Property[] {
  const rules = [...ANY_MACHINE, ...(BY_MACHINE[machine]?.rules ?? [])];
  const types = new Set(objects.flatMap((properties) => [...properties.keys()]));
  const merged: Property[] = [];
  for (const type of [...types].sort((a, b) => a - b)) {
    const merging = rules.find(([first, last]) => type >= first && type <= last)?.[2];
    if (merging === undefined) continue;
    const values = objects.flatMap((properties) => properties.get(type) ?? []);
    if (merging !== 'or' && values.length < objects.length) continue;
    const value = values.reduce((sum, one) => (merging === 'and' ? sum & one : sum | one)) >>> 0;
    if (value !== 0 || merging === 'or of all') merged.push({ type, value });
  }
  return merged;
}

/** Does all of this code let indirect branches in at landings only? */
export function hasLandings(machine: MachineName, properties: readonly Property[]): boolean {
  const landing = BY_MACHINE[machine]?.landing;
  return properties.some(({ type, value }) => type === landing?.type && (value & landing.value) !== 0);
}

/** The section: one note. */
export function encodeProperties(properties: readonly Property[]): Uint8Array<ArrayBuffer> {
  const description = new ByteWriter(properties.length * 16);
  for (const { type, value } of properties) description.u32(type).u32(4).u32(value).u32(0);
  return encodeNote('GNU', elf.NT_GNU_PROPERTY_TYPE_0, description.finish());
}
