// Symbol versions (LSB Core 5.0 §10.7): .gnu.version, .gnu.version_d and .gnu.version_r, found through the dynamic
// table. Written by encode-dynamic.ts.
import type { ByteReader } from '../../bytes/reader.js';
import type { SymbolVersion } from '../object-file.js';
import * as elf from './constants.js';

/** What finds the tables: values of the dynamic table, and file bytes from an address to its segment's end. */
export interface VersionTables {
  value(tag: number): number | null;
  at(address: number): ByteReader;
  nameOf(offset: number): string;
}

/** From a dynamic symbol's index to its version. IPBP1001 and IPBP1002, here or there, for broken tables. */
export function readVersions(tables: VersionTables): (symbol: number) => SymbolVersion | null {
  const versym = tables.value(elf.DT_VERSYM);
  if (versym === null) return () => null;
  const numbers = tables.at(versym);
  const shown = new Map<number, SymbolVersion>();
  const hidden = new Map<number, SymbolVersion>();
  const add = (number: number, name: string, library: string | null): void => {
    shown.set(number, { name, hidden: false, library });
    hidden.set(number, { name, hidden: true, library });
  };
  readDefinitions(tables, add);
  readNeeds(tables, add);
  return (symbol) => {
    const number = numbers.seek(symbol * 2).u16();
    if (number < elf.VER_NDX_HIDDEN) return shown.get(number) ?? null;
    return hidden.get(number - elf.VER_NDX_HIDDEN) ?? null;
  };
}

/** Of Elf64_Vernaux. */
const VERNAUX_SIZE = 16;

type Add = (number: number, name: string, library: string | null) => void;

/** Elf64_Verdef and its first Elf64_Verdaux, which has the name; the others are its parents. */
function readDefinitions({ value, at, nameOf }: VersionTables, add: Add): void {
  const table = value(elf.DT_VERDEF);
  if (table === null) return;
  const reader = at(table);
  forEachRecord(reader, 0, value(elf.DT_VERDEFNUM) ?? 0, (start) => {
    reader.seek(start + 2);
    const flags = reader.u16();
    const number = reader.u16();
    reader.skip(2 + 4); // vd_cnt, vd_hash
    const names = start + reader.u32();
    const next = reader.u32();
    // The base version is the file's name.
    if ((flags & elf.VER_FLG_BASE) === 0) add(number, nameOf(reader.seek(names).u32()), null);
    return next;
  });
}

/** Elf64_Verneed, one for each library, and its Elf64_Vernaux, one for each version. */
function readNeeds({ value, at, nameOf }: VersionTables, add: Add): void {
  const table = value(elf.DT_VERNEED);
  if (table === null) return;
  const reader = at(table);
  // Each library has versions of its own: lists that all lead through the same ones would cost the square of the table.
  let left = reader.length / VERNAUX_SIZE;
  forEachRecord(reader, 0, value(elf.DT_VERNEEDNUM) ?? 0, (start) => {
    reader.seek(start + 2);
    const count = reader.u16();
    const library = nameOf(reader.u32());
    const versions = start + reader.u32();
    const next = reader.u32();
    forEachRecord(reader, versions, count, (version) => {
      if (--left < 0) reader.malformed('needed versions overlap', {}, version);
      reader.seek(version + 4 + 2); // vna_hash, vna_flags
      const number = reader.u16() % elf.VER_NDX_HIDDEN;
      const name = nameOf(reader.u32());
      add(number, name, library);
      return reader.u32();
    });
    return next;
  });
}

/** Walks records that say how far the next one is. They only go forward, so that no table makes a ring. */
function forEachRecord(reader: ByteReader, first: number, count: number, read: (start: number) => number): void {
  let start = first;
  for (let index = 0; index < count; index++) {
    const next = read(start);
    if (next === 0) return;
    start += next;
  }
}
