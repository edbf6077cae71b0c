// Header and load commands of a relocatable Mach-O file whose parts have moved: every place in the file that they name is
// written anew, what they name beside sections and symbols is carried along. Apple's <mach-o/loader.h>.
import { encodeText } from '../../bytes/text.js';
import { IpbpError, hex } from '../../codes/error.js';
import type { NewSection } from '../object-edits.js';
import * as macho from './constants.js';
import type { LoadCommand } from './header.js';
import type { MachoFile } from './read.js';
import { RELOCATION_SIZE } from './rewrite-relocations.js';
import type { WrittenSymbols } from './rewrite-symbols.js';

/** A section that the file did not have: new ones of the model, side by side. */
export interface AddedSection {
  readonly segment: string;
  readonly name: string;
  readonly kind: NewSection['kind'];
  readonly address: number;
  readonly align: number;
  readonly bytes: Uint8Array;
  readonly members: readonly { readonly section: NewSection; readonly number: number; readonly start: number }[];
}

/** Where everything is in the new file; `put` finds room for more and gives its place, 0 for nothing. */
export interface NewFile {
  readonly added: readonly AddedSection[];
  readonly symbols: WrittenSymbols;
  /** How far the old sections' content moved. */
  readonly shift: number;
  /** Of the added sections. */
  readonly contents: readonly number[];
  /** Of all sections with content. */
  readonly contentSize: number;
  /** Relocations by section, the added ones last. */
  readonly tables: readonly { readonly at: number; readonly size: number }[];
  put(bytes: Uint8Array): number;
}

/** Numbers of an indirect table from here on say that it is no symbol's. */
const INDIRECT_SYMBOL_ABS = 0x4000_0000;

/** Commands that name nothing in the file. */
const PLAIN: ReadonlySet<number> = new Set([
  macho.LC_UUID,
  macho.LC_BUILD_VERSION,
  macho.LC_SOURCE_VERSION,
  macho.LC_LINKER_OPTION,
  macho.LC_VERSION_MIN_MACOSX,
  macho.LC_VERSION_MIN_IPHONEOS,
  macho.LC_VERSION_MIN_TVOS,
  macho.LC_VERSION_MIN_WATCHOS,
]);
/** Commands of one range of bytes (linkedit_data_command) that hold addresses only. */
const RANGES: ReadonlySet<number> = new Set([
  macho.LC_DATA_IN_CODE,
  macho.LC_LINKER_OPTIMIZATION_HINT,
  macho.LC_FUNCTION_STARTS,
]);

/** The bytes before the content. Throws IPBP2020 for a command that is not known. */
export function writeCommands(file: MachoFile, to: NewFile): Uint8Array {
  const { headers } = file.macho;
  const more = macho.SECTION_64_SIZE * to.added.length;
  const written = headers.commands.map((command) => commandOf(file, command, to));
  const size = written.reduce((sum, { length }) => sum + length, 0);
  const old = headers.commands.reduce((sum, command) => sum + command.size, 0);
  if (size !== old + more) throw new Error('internal: load commands of another size');
  const bytes = new Uint8Array(macho.MACH_HEADER_64_SIZE + size);
  bytes.set(file.range(0, macho.MACH_HEADER_64_SIZE));
  new DataView(bytes.buffer).setUint32(20, size, true); // sizeofcmds
  let at = macho.MACH_HEADER_64_SIZE;
  for (const command of written) {
    bytes.set(command, at);
    at += command.length;
  }
  return bytes;
}

function commandOf(file: MachoFile, command: LoadCommand, to: NewFile): Uint8Array {
  const bytes = file.range(command.offset, command.size).slice();
  switch (command.type) {
    case macho.LC_SEGMENT_64:
      return segmentOf(file, bytes, to);
    case macho.LC_SYMTAB:
      writeSymtab(bytes, to);
      return bytes;
    case macho.LC_DYSYMTAB:
      writeDysymtab(file, bytes, to);
      return bytes;
    default:
  }
  if (RANGES.has(command.type)) {
    const view = viewOf(bytes);
    view.setUint32(8, to.put(file.range(view.getUint32(8, true), view.getUint32(12, true))), true);
    return bytes;
  }
  if (PLAIN.has(command.type)) return bytes;
  throw new IpbpError('IPBP2020', 'an object has a load command that is not known', {
    actual: hex(command.type),
    where: `${file.name}, offset ${hex(command.offset)}`,
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function segmentOf(file: MachoFile, old: Uint8Array, to: NewFile): Uint8Array {
  const { sections } = file.macho.headers;
  const bytes = new Uint8Array(old.length + macho.SECTION_64_SIZE * to.added.length);
  bytes.set(old);
  const view = viewOf(bytes);
  const last = to.added.at(-1);
  view.setUint32(4, bytes.length, true);
  if (last !== undefined) view.setUint32(32, last.address + last.bytes.length - view.getUint32(24, true), true);
  view.setUint32(40, view.getUint32(40, true) + to.shift, true);
  view.setUint32(48, to.contentSize, true);
  view.setUint32(64, sections.length + to.added.length, true);
  sections.forEach((section, index) => {
    const at = macho.SEGMENT_COMMAND_64_SIZE + index * macho.SECTION_64_SIZE;
    if (section.offset !== 0) view.setUint32(at + 48, section.offset + to.shift, true);
    view.setUint32(at + 56, to.tables[index]?.at ?? 0, true);
  });
  to.added.forEach((section, index) => {
    const number = sections.length + index;
    const at = macho.SEGMENT_COMMAND_64_SIZE + number * macho.SECTION_64_SIZE;
    bytes.set(encodeText(section.name), at);
    bytes.set(encodeText(section.segment), at + 16);
    view.setUint32(at + 32, section.address, true);
    view.setUint32(at + 40, section.bytes.length, true);
    view.setUint32(at + 48, to.contents[index] as number, true);
    view.setUint32(at + 52, Math.log2(section.align), true);
    view.setUint32(at + 56, to.tables[number]?.at ?? 0, true);
    view.setUint32(at + 60, (to.tables[number]?.size ?? 0) / RELOCATION_SIZE, true);
    view.setUint32(at + 64, section.kind === 'code' ? macho.S_ATTR_SOME_INSTRUCTIONS : 0, true);
  });
  return bytes;
}

function writeSymtab(bytes: Uint8Array, { symbols, put }: NewFile): void {
  const view = viewOf(bytes);
  view.setUint32(8, put(symbols.entries), true);
  view.setUint32(12, symbols.entries.length / macho.NLIST_64_SIZE, true);
  view.setUint32(16, put(symbols.strings), true);
  view.setUint32(20, symbols.strings.length, true);
}

/** The three parts of the table, and the table of symbols that sections of pointers are of. */
function writeDysymtab(file: MachoFile, bytes: Uint8Array, { symbols, put }: NewFile): void {
  const view = viewOf(bytes);
  const { locals, defined, undefined: missing } = symbols;
  [0, locals, locals, defined, locals + defined, missing].forEach((value, index) => {
    view.setUint32(8 + 4 * index, value, true);
  });
  const count = view.getUint32(60, true);
  if (count === 0) return;
  const table = file.range(view.getUint32(56, true), 4 * count).slice();
  const numbers = viewOf(table);
  for (let at = 0; at < table.length; at += 4) {
    const number = numbers.getUint32(at, true);
    if (number < INDIRECT_SYMBOL_ABS) numbers.setUint32(at, symbols.moved[number] ?? 0, true);
  }
  view.setUint32(56, put(table), true);
}
