// A relocatable Mach-O file with edits: what is not edited is carried over byte for byte, but for symbols' numbers and
// the places in the file that load commands name. Sections keep their addresses and numbers; new ones follow. Which edits
// are made is not decided here. Apple's <mach-o/loader.h>.
import { alignUp } from '../../bytes/align.js';
import { IpbpError } from '../../codes/error.js';
import { createRelocationRoom } from '../columns.js';
import type { NewSection, ObjectEdits } from '../object-edits.js';
import * as macho from './constants.js';
import { isZeroFill, type MachoHeaders, type MachoSection } from './header.js';
import type { MachoFile } from './read.js';
import { writeCommands, type AddedSection, type NewFile } from './rewrite-commands.js';
import {
  changedRelocations,
  relocationBytes,
  renumber,
  retarget,
  tableOf,
  writeNewRelocations,
  type RelocationWriter,
  type Retargeted,
} from './rewrite-relocations.js';
import { writeSymbols, type NewPlace, type WrittenSymbols } from './rewrite-symbols.js';

/** Sections of one file that symbols can name. */
const MOST_SECTIONS = 255;
/** Names of sections have 16 letters at most. */
const LONGEST_NAME = 16;

/**
 * The file's bytes with the edits.
 * @throws IpbpError IPBP2020 for edits that the format cannot express, and for objects with load commands whose places
 * in the file are not known
 */
export function rewriteMacho(file: MachoFile, edits: ObjectEdits): Uint8Array<ArrayBuffer> {
  const { headers } = file.macho;
  if (file.kind !== 'relocatable' || headers.segments.length !== 1 || edits.appended.size > 0) {
    throw new IpbpError('IPBP2020', 'only whole sections can be added, to an object', { where: file.name });
  }
  const added = layOut(file, edits.newSections);
  const places = new Map<number, NewPlace>();
  added.forEach(({ members, address }, index) => {
    const section = headers.sections.length + index + 1;
    for (const { number, start } of members) places.set(number, { section, address: address + start });
  });
  const symbols = writeSymbols(file, edits, (number) => places.get(number) as NewPlace);
  const writer: RelocationWriter = { entryOf: symbols.entryOf, machine: headers.machine };
  const tables = headers.sections.map((section) => tableOf(file, section));
  for (const table of tables) renumber(table, symbols.moved);
  for (const section of added) tables.push(newTable(file, section, edits, symbols, writer));
  const { bytes, layout } = assemble(file, { added, symbols, content: contentOf(file), tables });
  // In place, as contents are what is largest.
  for (const [index, changes] of changesOf(file, edits)) {
    const section = headers.sections[index] as MachoSection;
    const { at, size } = layout.tables[index] as NewFile['tables'][number];
    const start = section.offset + layout.shift;
    const content = { view: viewOf(bytes.subarray(start, start + section.size)), where: whereOf(file, section) };
    retarget(bytes.subarray(at, at + size), changes, content, writer);
  }
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function whereOf(file: MachoFile, { segment, name }: MachoSection): string {
  return `${file.name}: ${segment},${name}`;
}

/** New sections of the model by the sections of the file that they become. */
function layOut(file: MachoFile, sections: readonly NewSection[]): AddedSection[] {
  const { headers } = file.macho;
  const groups = new Map<string, { section: NewSection; number: number }[]>();
  sections.forEach((section, number) => {
    const key = `${section.kind} ${section.name}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ section, number }]);
    else group.push({ section, number });
  });
  let end = headers.sections.reduce((most, { address, size }) => Math.max(most, address + size), 0);
  const added = [...groups.values()].map((group): AddedSection => {
    const { kind, name } = (group[0] as { section: NewSection }).section;
    const align = group.reduce((most, { section }) => Math.max(most, section.align), 1);
    let size = 0;
    const members = group.map(({ section, number }) => {
      const start = alignUp(size, section.align);
      size = start + section.bytes.length;
      return { section, number, start };
    });
    const bytes = new Uint8Array(size);
    for (const { section, start } of members) bytes.set(section.bytes, start);
    const address = alignUp(end, align);
    end = address + size;
    const own = `__${name}`;
    if (own.length > LONGEST_NAME) throw new Error(`internal: the name ${own} is too long`);
    return { segment: kind === 'code' ? '__TEXT' : '__DATA', name: own, kind, address, align, bytes, members };
  });
  if (headers.sections.length + added.length > MOST_SECTIONS) {
    throw new IpbpError('IPBP2020', 'the object has too many sections for more', { where: file.name });
  }
  return added;
}

function contentStart({ segments }: MachoHeaders): number {
  return segments[0]?.offset ?? 0;
}

/** All sections' content, a view. */
function contentOf(file: MachoFile): Uint8Array {
  const { segments, sections } = file.macho.headers;
  const { offset, fileSize } = segments[0] ?? { offset: 0, fileSize: 0 };
  for (const section of sections) {
    const outside = section.offset < offset || section.offset + section.size > offset + fileSize;
    if (section.size > 0 && !isZeroFill(section.type) && outside) {
      throw new IpbpError('IPBP2020', 'a section lies outside of its segment', { where: whereOf(file, section) });
    }
  }
  return file.range(offset, fileSize);
}

/** What refers to something else, by the file's sections. */
function changesOf(file: MachoFile, edits: ObjectEdits): Map<number, Retargeted[]> {
  const { section, start } = file.macho.pieces();
  const changes = new Map<number, Retargeted[]>();
  const room = createRelocationRoom();
  for (const [piece, relocations] of edits.relocations) {
    const index = section[piece] as number;
    const where = whereOf(file, file.macho.headers.sections[index] as MachoSection);
    const found = changedRelocations(file.relocationColumns(piece, room), relocations, start[piece] as number, where);
    const known = changes.get(index);
    if (known === undefined) changes.set(index, [...found]);
    else known.push(...found);
  }
  return changes;
}

/** The table of an added section. A place in it counts from the first new symbol of its part. */
function newTable(
  file: MachoFile,
  { members, name, bytes }: AddedSection,
  edits: ObjectEdits,
  symbols: WrittenSymbols,
  writer: RelocationWriter,
): Uint8Array {
  const known = file.sections.length;
  const first = new Map<number, { entry: number; offset: number }>();
  edits.newSymbols.forEach(({ section, value }, index) => {
    if (typeof section !== 'number' || first.has(section)) return;
    first.set(section, { entry: symbols.entryOf(file.symbols.length + index), offset: value });
  });
  const entries: number[] = [];
  const content = { view: viewOf(bytes), where: `${file.name}: ${name}` };
  for (const { section, number, start } of members)
    writeNewRelocations(section.relocations, start, content, writer, first.get(known + number) ?? null, entries);
  return relocationBytes(entries);
}

interface Parts {
  readonly added: readonly AddedSection[];
  readonly symbols: WrittenSymbols;
  readonly content: Uint8Array;
  /** By section of the file, the added ones last. */
  readonly tables: readonly Uint8Array[];
}

/** Header, commands, content, relocations, what other commands name, symbols, names: as LLVM writes objects. */
function assemble(
  file: MachoFile,
  { added, symbols, content, tables }: Parts,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly layout: NewFile } {
  const { headers } = file.macho;
  const commandsEnd = contentStart(headers) + macho.SECTION_64_SIZE * added.length;
  const pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [{ at: commandsEnd, bytes: content }];
  // Nothing in a file needs more than the alignment of a word; addresses are apart from it.
  const align = 8;
  let end = commandsEnd + content.length;
  const put = (bytes: Uint8Array): number => {
    if (bytes.length === 0) return 0;
    const at = alignUp(end, align);
    pieces.push({ at, bytes });
    end = at + bytes.length;
    return at;
  };
  const contents = added.map(({ bytes }) => put(bytes));
  const contentEnd = end;
  const layout: NewFile = {
    added,
    symbols,
    shift: commandsEnd - contentStart(headers),
    contents,
    contentSize: contentEnd - commandsEnd,
    tables: tables.map((bytes) => ({ at: put(bytes), size: bytes.length })),
    put,
  };
  const commands = writeCommands(file, layout);
  const bytes = new Uint8Array(end);
  bytes.set(commands);
  for (const piece of pieces) bytes.set(piece.bytes, piece.at);
  return { bytes, layout };
}
