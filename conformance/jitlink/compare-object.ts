// One object through both linkers: prepared, placed by JITLink, linked by us at the same addresses, compared.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineFor } from '../../src/reloc/machines.js';
import { EXPRESSIONS, type FixupRow } from '../../src/reloc/fixup.js';
import type { ObjectFile } from '../../src/formats/object-file.js';
import { compare, type Comparison } from './compare.js';
import type { CorpusObject } from './corpus-object.js';
import { linkOurs } from './ours.js';
import { linkOursShared } from './ours-shared.js';
import { prepare } from './prepare.js';
import { JitlinkError, runJitlink, type JitlinkInput } from './run-jitlink.js';

/** Whose fixups were compared: those of a patch, and those of shared objects. */
export const LINKERS = ['patch', 'shared'] as const;

export type Linker = (typeof LINKERS)[number];

/** What became of an object: it was compared, or why not. */
export type Outcome =
  | {
      readonly kind: 'compared';
      readonly comparisons: Readonly<Record<Linker, Comparison | null>>;
      readonly masked: ReadonlyMap<string, number>;
    }
  | { readonly kind: 'skipped'; readonly why: string };

/** Where names lie that the object does not define: below JITLink's memory, within reach of the shortest fields. */
const NEAR = 0x0fff_0000;
/** Some are out of reach, so that slots and stubs are used. */
const FAR = 0x7000_0000_0000;
/** On x86_64 JITLink defines it itself, as the start of its slots; for it the name is just another on arm64. */
const TABLE = '_GLOBAL_OFFSET_TABLE_';
const UNSUPPORTED = /Unsupported \S+ relocation(?: type |:\d+: )(R_[A-Z0-9_]+)/;
/** What JITLink asks for on its own when it makes slots for thread-locals. */
const RUNTIME = ['__tls_get_addr', '__tlsdesc_resolver'];

/** Compares one object; `folder` is for scratch files. */
export function compareObject({ name, bytes }: CorpusObject, linkers: readonly Linker[], folder: string): Outcome {
  const masked = new Set<number>();
  for (;;) {
    const prepared = prepare(bytes, name, masked);
    const { file } = prepared;
    const rows = machineFor(file.format, file.machine, name).rows;
    const entry = entryOf(file);
    if (entry === null) return { kind: 'skipped', why: 'defines nothing that others can see' };
    const path = join(folder, 'object.o');
    writeFileSync(path, prepared.bytes);
    const input: JitlinkInput = { path, file, entry, outside: outsideOf(file, rows) };
    try {
      const output = runJitlink(input, folder);
      const comparisons = {
        patch: compare(linkOurs(file, output, input.outside), output, true),
        shared: linkers.includes('shared') ? compare(linkOursShared(file, output, input.outside), output, false) : null,
      };
      const names = [...prepared.masked].map(([type, times]): [string, number] => [rows.get(type)!.name, times]);
      return { kind: 'compared', comparisons, masked: new Map(names) };
    } catch (error) {
      if (!(error instanceof JitlinkError)) throw error;
      const unsupported = UNSUPPORTED.exec(error.message)?.[1];
      const row = [...rows.values()].find((one) => one.name === unsupported);
      if (row === undefined || masked.has(row.type)) return { kind: 'skipped', why: `JITLink: ${error.message}` };
      masked.add(row.type);
    }
  }
}

/** A name by which JITLink is asked for the object. */
function entryOf(file: ObjectFile): string | null {
  const entry = file.symbols.find(
    ({ binding, visibility, section, kind }) =>
      binding !== 'local' && visibility === 'default' && kind !== 'tls' && typeof section === 'number',
  );
  return entry?.name ?? null;
}

function outsideOf(file: ObjectFile, rows: ReadonlyMap<number, FixupRow>): Map<string, number> {
  const outside = new Map<string, number>();
  const near = nearOnly(file, rows);
  const place = (name: string, far: boolean): void => {
    const size = outside.size * 16;
    outside.set(name, far ? FAR + size : NEAR - size);
  };
  const known = new Set(file.symbols.map(({ name }) => name));
  for (const { index, name, section } of file.symbols) {
    if (section !== 'undefined' || name === '' || (name === TABLE && file.machine === 'x86_64')) continue;
    place(name, outside.size % 3 === 0 && !near.has(index));
  }
  for (const name of RUNTIME) if (!known.has(name)) place(name, false);
  return outside;
}

/** Symbols that something refers to by a field that reaches not everywhere, past slot and stub. */
function nearOnly(file: ObjectFile, rows: ReadonlyMap<number, FixupRow>): Set<number> {
  const near = new Set<number>();
  for (const { index, alloc } of file.sections) {
    if (!alloc) continue;
    for (const { type, symbol } of file.relocations(index)) {
      const row = rows.get(type);
      const term = row === undefined ? 'S' : EXPRESSIONS[row.expression].term;
      if (term !== 'L' && term !== 'G' && row?.field.size !== 8) near.add(symbol);
    }
  }
  return near;
}
