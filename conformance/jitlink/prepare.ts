// Makes an object ready for JITLink's checker, which asks for bytes by section name: every loaded section gets a name
// of its own. JITLink links what it is asked for by name, so hidden symbols become visible. Relocation types that it does
// not know are taken out, so that the rest of the object can be compared. Contents and all other relocations stay.
import { readElf } from '../../src/formats/elf/read.js';
import { MH_MAGIC_64 } from '../../src/formats/macho/constants.js';
import { isMachoFile } from '../../src/formats/macho/read.js';
import type { ObjectFile } from '../../src/formats/object-file.js';
import { placeInFile, prepareMacho, type Prepared } from './prepare-macho.js';

const SHDR_SIZE = 64;
const RELA_SIZE = 24;
const SYM_SIZE = 24;
const SHT_SYMTAB = 2;
const SHT_RELA = 4;
/** JITLink knows unwind tables by this name; a file has one. */
const UNWIND = '.eh_frame';

/** The name by which JITLink knows a section of a prepared object. */
export function checkName(file: ObjectFile, section: number): string {
  return placeOf(file, section).section;
}

/** The same, and where in JITLink's section it begins. */
export function placeOf(file: ObjectFile, section: number): { readonly section: string; readonly at: number } {
  if (isMachoFile(file)) return placeInFile(file, section);
  const kind = file.sections[section]?.kind;
  return { section: kind === 'unwind' ? UNWIND : `s${section}`, at: 0 };
}

/** JITLink's name of the unwind table. */
export function unwindOf(file: ObjectFile): string {
  return isMachoFile(file) ? '__TEXT,__eh_frame' : UNWIND;
}

/** Makes an object of any format ready. */
export function prepare(input: Uint8Array, name: string, types: ReadonlySet<number>): Prepared {
  return new DataView(input.buffer, input.byteOffset).getUint32(0, true) === MH_MAGIC_64
    ? prepareMacho(input, name)
    : prepareObject(input, name, types);
}

/** Gives sections their names and takes relocations of `types` out. `name` is what messages call the object. */
function prepareObject(input: Uint8Array, name: string, types: ReadonlySet<number>): Prepared {
  const before = readElf(input, name);
  const names = [''];
  const offsets = before.sections.map(({ index, alloc }) => {
    if (!alloc) return null;
    const offset = names.join('\0').length + 1;
    names.push(checkName(before, index));
    return offset;
  });
  const table = Buffer.from(`${names.join('\0')}\0`, 'latin1');
  const head = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const headers = Number(head.getBigUint64(40, true));
  const count = before.sections.length;
  const nameSection = head.getUint16(62, true);
  const oldNames = before.sectionBytes(nameSection);
  // The old names stay in front for the sections that keep theirs.
  const tableAt = input.length;
  const bytes = new Uint8Array(tableAt + oldNames.length + table.length);
  bytes.set(input);
  bytes.set(oldNames, tableAt);
  bytes.set(table, tableAt + oldNames.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    const offset = offsets[i];
    if (offset != null) view.setUint32(headers + i * SHDR_SIZE, oldNames.length + offset, true);
  }
  const nameHeader = headers + nameSection * SHDR_SIZE;
  view.setBigUint64(nameHeader + 24, BigInt(tableAt), true);
  view.setBigUint64(nameHeader + 32, BigInt(oldNames.length + table.length), true);
  showHidden(view, headers, count);
  const masked = types.size === 0 ? new Map<number, number>() : maskTypes(view, headers, before, types);
  return { bytes, file: readElf(bytes, name), masked };
}

/** Gives every symbol that is not local the default visibility (the low two bits of st_other). */
function showHidden(view: DataView, headers: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const header = headers + i * SHDR_SIZE;
    if (view.getUint32(header + 4, true) !== SHT_SYMTAB) continue;
    const start = Number(view.getBigUint64(header + 24, true));
    const end = start + Number(view.getBigUint64(header + 32, true));
    const first = start + view.getUint32(header + 44, true) * SYM_SIZE;
    for (let at = first; at < end; at += SYM_SIZE) view.setUint8(at + 5, view.getUint8(at + 5) & ~3);
  }
}

/** Takes matching relocations of loaded sections out of their tables. */
function maskTypes(view: DataView, headers: number, file: ObjectFile, types: ReadonlySet<number>): Map<number, number> {
  const masked = new Map<number, number>();
  for (let i = 0; i < file.sections.length; i++) {
    const header = headers + i * SHDR_SIZE;
    if (view.getUint32(header + 4, true) !== SHT_RELA) continue;
    if (file.sections[view.getUint32(header + 44, true)]?.alloc !== true) continue;
    const start = Number(view.getBigUint64(header + 24, true));
    const end = start + Number(view.getBigUint64(header + 32, true));
    const bytes = new Uint8Array(view.buffer);
    let to = start;
    for (let at = start; at < end; at += RELA_SIZE) {
      const type = view.getUint32(at + 8, true);
      if (types.has(type)) masked.set(type, (masked.get(type) ?? 0) + 1);
      else {
        bytes.copyWithin(to, at, at + RELA_SIZE);
        to += RELA_SIZE;
      }
    }
    view.setBigUint64(header + 32, BigInt(to - start), true);
  }
  return masked;
}
