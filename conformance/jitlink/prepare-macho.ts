// Makes a Mach-O object ready for JITLink: nothing in it may be dropped, so that its sections keep their shape, and hidden
// symbols become visible. Thread-locals are taken out: without a platform of its own JITLink leaves them undone.
import { fileName } from '../../src/formats/macho/names.js';
import { readMacho, type MachoFile } from '../../src/formats/macho/read.js';
import * as types from '../../src/formats/macho/relocation-types.js';
import type { ObjectFile } from '../../src/formats/object-file.js';

const SEGMENT_HEADER = 72;
const SECTION_SIZE = 80;
const NLIST_SIZE = 16;
const N_PEXT = 0x10;
const N_NO_DEAD_STRIP = 0x20;

/** Types of a machine's relocations that ask for a thread-local. */
const THREAD_LOCALS: Readonly<Record<string, ReadonlySet<number>>> = {
  x86_64: new Set([types.X86_64_RELOC_TLV]),
  arm64: new Set([types.ARM64_RELOC_TLVP_LOAD_PAGE21, types.ARM64_RELOC_TLVP_LOAD_PAGEOFF12]),
};

/** An object as both sides link it. */
export interface Prepared {
  readonly bytes: Uint8Array;
  readonly file: ObjectFile;
  /** Relocations that were taken out, by type. */
  readonly masked: ReadonlyMap<number, number>;
}

/** Where a section of the model lies: in which of the file's, which JITLink keeps whole, and where in that. */
export function placeInFile(file: MachoFile, section: number): { readonly section: string; readonly at: number } {
  const { pieces, headers } = file.macho;
  const home = headers.sections[pieces().section[section]!]!;
  return { section: `${home.segment},${home.name}`, at: pieces().start[section]! };
}

/** The name by which JITLink knows a symbol of the model. */
export function spelledIn(file: ObjectFile, name: string): string {
  return file.format === 'macho' ? fileName(name) : name;
}

/** `name` is what messages call the object. */
export function prepareMacho(input: Uint8Array, name: string): Prepared {
  const before = readMacho(input, name);
  // A Buffer's slice would be no copy.
  const bytes = new Uint8Array(input);
  const view = new DataView(bytes.buffer);
  const { commands, sections, symbolTable, machine } = before.macho.headers;
  const masked = new Map<number, number>();
  const segment = commands.find(({ type }) => type === 0x19)!;
  sections.forEach((section, index) => {
    const at = segment.offset + SEGMENT_HEADER + index * SECTION_SIZE;
    view.setUint32(at + 60, withoutThreadLocals(view, section, machine, masked), true);
  });
  for (let i = 0; i < (symbolTable?.count ?? 0); i++) {
    const at = symbolTable!.offset + i * NLIST_SIZE;
    view.setUint8(at + 4, view.getUint8(at + 4) & ~N_PEXT);
    if (view.getUint8(at + 5) !== 0) view.setUint16(at + 6, view.getUint16(at + 6, true) | N_NO_DEAD_STRIP, true);
  }
  return { bytes, file: readMacho(bytes, name), masked };
}

/** Takes relocations out of a section's table; how many are left. */
function withoutThreadLocals(
  view: DataView,
  section: MachoFile['macho']['headers']['sections'][number],
  machine: string,
  masked: Map<number, number>,
): number {
  const { relocationOffset: start, relocationCount: count, type: kind } = section;
  let to = start;
  for (let at = start; at < start + 8 * count; at += 8) {
    const info = view.getUint32(at + 4, true);
    const type = info >>> 28;
    // Descriptors hold the offset in the template.
    const inDescriptor = kind === 0x13 && view.getUint32(at, true) % 24 === 16;
    if (THREAD_LOCALS[machine]!.has(type) || inDescriptor) {
      const number = types.relocationType(type, (info & 0x100_0000) !== 0, (info >>> 25) & 3);
      const key = number + (inDescriptor ? types.IN_TEMPLATE : 0);
      masked.set(key, (masked.get(key) ?? 0) + 1);
      continue;
    }
    view.setUint32(to, view.getUint32(at, true), true);
    view.setUint32(to + 4, info, true);
    to += 8;
  }
  return (to - start) / 8;
}
