// The tables that the loader reads, as bytes: .dynamic and loader relocations (gABI "Dynamic Linking"), needed versions
// (LSB Core 5.0 §10.7), notes. The counterpart of linked.ts, versions.ts and notes.ts.
import { ByteWriter } from '../../bytes/writer.js';
import * as elf from './constants.js';
import type { DynamicEntry } from './linked.js';
import { sysvHash } from './sysv-hash.js';
import { encodeText } from '../../bytes/text.js';

/** .dynamic, with the end mark. A table for `entries.length` entries has `(entries.length + 1) * DYN_SIZE` bytes. */
export function encodeDynamic(entries: readonly DynamicEntry[]): Uint8Array<ArrayBuffer> {
  const table = new ByteWriter((entries.length + 1) * elf.DYN_SIZE);
  for (const { tag, value } of entries) table.u64(tag).u64(value);
  return table.u64(elf.DT_NULL).u64(0).finish();
}

/** Relocations for the loader: `offset` is an address, `symbol` an index of .dynsym. Columns may be longer than `count`. */
export interface LoaderRelocations {
  readonly count: number;
  readonly offset: Float64Array;
  readonly type: Uint32Array;
  readonly symbol: Uint32Array;
  readonly addend: Float64Array;
}

/** SHT_RELA entries in the given order. */
export function encodeLoaderRelocations(rows: LoaderRelocations): Uint8Array<ArrayBuffer> {
  const table = new ByteWriter(rows.count * elf.RELA_SIZE);
  for (let row = 0; row < rows.count; row++) {
    table.u64(rows.offset[row] as number).u32(rows.type[row] as number);
    table.u32(rows.symbol[row] as number).i64(rows.addend[row] as number);
  }
  return table.finish();
}

/** Versions of one library that symbols are taken from. */
export interface NeededVersions {
  /** Offset in .dynstr of the name that DT_NEEDED says. */
  readonly fileName: number;
  readonly versions: readonly {
    readonly name: string;
    /** Offset of the name in .dynstr. */
    readonly nameOffset: number;
    /** What .gnu.version says of the symbols; 2 and above. */
    readonly index: number;
    /** A loader without the version warns and goes on. */
    readonly weak: boolean;
  }[];
}

const VERNEED_SIZE = 16;
const VERNAUX_SIZE = 16;

/** .gnu.version_r. Libraries without versions must not be in it. */
export function encodeNeededVersions(libraries: readonly NeededVersions[]): Uint8Array<ArrayBuffer> {
  const table = new ByteWriter(256);
  libraries.forEach(({ fileName, versions }, at) => {
    const size = VERNEED_SIZE + versions.length * VERNAUX_SIZE;
    table.u16(elf.VER_NEED_CURRENT).u16(versions.length).u32(fileName).u32(VERNEED_SIZE);
    table.u32(at === libraries.length - 1 ? 0 : size);
    versions.forEach(({ name, nameOffset, index, weak }, position) => {
      table.u32(sysvHash(encodeText(name))).u16(weak ? elf.VER_FLG_WEAK : 0);
      table.u16(index).u32(nameOffset);
      table.u32(position === versions.length - 1 ? 0 : VERNAUX_SIZE);
    });
  });
  return table.finish();
}

/** One note; entries are padded to four bytes. A build id is `encodeNote('GNU', NT_GNU_BUILD_ID, id)`. */
export function encodeNote(owner: string, type: number, description: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = encodeText(`${owner}\0`);
  const note = new ByteWriter(12 + name.length + description.length + 8);
  note.u32(name.length).u32(description.length).u32(type);
  return note.raw(name).align(4).raw(description).align(4).finish();
}
