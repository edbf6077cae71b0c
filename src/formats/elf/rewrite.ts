// A relocatable ELF file with edits: what is not edited is carried over byte for byte, but for the places that hold
// symbol indexes, as new local symbols move the global ones. Which edits are made is not decided here.
import { IpbpError } from '../../codes/error.js';
import type { NewSection, ObjectEdits } from '../object-edits.js';
import type { Relocation } from '../object-file.js';
import * as elf from './constants.js';
import type { SectionHeader } from './header.js';
import type { ElfFile } from './read.js';
import { growNames, type GrowingNames } from './write-names.js';
import { renumberRelocations, writeRelocations } from './write-relocations.js';
import { writeSymbols, type WrittenSymbols } from './write-symbols.js';
import { writeElfObject, type SectionPart } from './write.js';

/** The tables of a file that hold symbols and names, by section index. 0: there is none. */
interface Tables {
  readonly symbols: number;
  readonly symbolNames: number;
  readonly sectionNames: number;
  readonly extended: number;
}

const NULL_SECTION: SectionHeader = {
  nameOffset: 0,
  type: elf.SHT_NULL,
  flags: 0,
  address: 0,
  offset: 0,
  size: 0,
  link: 0,
  info: 0,
  align: 0,
  entrySize: 0,
};

/**
 * The file's bytes with the edits. Sections keep their indexes; new ones follow.
 * @throws IpbpError IPBP2020 when the file has no symbol table or relocations without addends where edits are.
 */
export function rewriteElf(file: ElfFile, edits: ObjectEdits): Uint8Array<ArrayBuffer> {
  const tables = findTables(file);
  const symbolNames = growNames(file.sectionBytes(tables.symbolNames));
  // LLVM keeps both kinds of names in one table.
  const sectionNames =
    tables.sectionNames === tables.symbolNames ? symbolNames : growNames(file.sectionBytes(tables.sectionNames));
  const symbols = writeSymbols(
    {
      entries: file.sectionBytes(tables.symbols),
      extended: tables.extended === 0 ? null : file.sectionBytes(tables.extended),
    },
    edits,
    symbolNames,
  );
  const waiting = new Map(edits.relocations);
  const parts = file.headers.sections.map((header, index) =>
    partOf(file, header, index, { tables, symbols, edits, waiting }),
  );
  for (const section of edits.newSections) parts.push(newPart(section, sectionNames));
  edits.newSections.forEach(({ relocations }, index) => waiting.set(file.sections.length + index, relocations));
  for (const [target, relocations] of waiting) {
    if (relocations.length === 0) continue;
    const added = edits.newSections[target - file.sections.length];
    const name = file.sections[target]?.name ?? (added === undefined ? '' : newName(added));
    const bytes = writeRelocations(relocations, symbols.indexes, file.name);
    parts.push({ header: relocationHeader(sectionNames.add(`.rela${name}`), target, tables.symbols), bytes });
  }
  if (symbols.extended !== null && tables.extended === 0)
    parts.push(extendedPart(symbols.extended, tables, sectionNames));
  // Last: all names are known now.
  for (const [index, names] of [
    [tables.symbolNames, symbolNames],
    [tables.sectionNames, sectionNames],
  ] as const) {
    const part = parts[index];
    if (part !== undefined) parts[index] = { header: part.header, bytes: names.bytes() };
  }
  return writeElfObject(file.range(0, elf.EHDR_SIZE), parts, tables.sectionNames);
}

function findTables(file: ElfFile): Tables {
  const { sections, nameTable } = file.headers;
  const symbols = sections.findIndex(({ type }) => type === elf.SHT_SYMTAB);
  const header = sections[symbols];
  if (file.kind !== 'relocatable' || header === undefined || nameTable === 0) {
    throw new IpbpError('IPBP2020', 'an object without symbols or section names cannot be rewritten', {
      where: file.name,
    });
  }
  const extended = sections.findIndex(({ type, link }) => type === elf.SHT_SYMTAB_SHNDX && link === symbols);
  return { symbols, symbolNames: header.link, sectionNames: nameTable, extended: Math.max(extended, 0) };
}

/** What the parts are made with; `waiting` loses the relocations that found their section. */
interface Rewriting {
  readonly tables: Tables;
  readonly symbols: WrittenSymbols;
  readonly edits: ObjectEdits;
  readonly waiting: Map<number, readonly Relocation[]>;
}

function partOf(file: ElfFile, header: SectionHeader, index: number, rewriting: Rewriting): SectionPart {
  const { tables, symbols, edits, waiting } = rewriting;
  const bytes = file.sectionBytes(index);
  if (index === tables.symbols) {
    return { header: { ...header, info: symbols.firstGlobal }, bytes: symbols.entries };
  }
  if (index === tables.extended && symbols.extended !== null) return { header, bytes: symbols.extended };
  switch (header.type) {
    case elf.SHT_NULL:
      return { header: NULL_SECTION, bytes: null };
    case elf.SHT_NOBITS:
      return { header, bytes: null };
    case elf.SHT_LLVM_ADDRSIG:
      // Symbol indexes in LEB128. Without it a linker takes every address as compared, which is the safe side.
      return { header: NULL_SECTION, bytes: null };
    case elf.SHT_GROUP:
      return {
        header: { ...header, info: symbols.indexes[header.info] ?? 0 },
        bytes: edits.symbols.get(header.info)?.binding === 'local' ? notShared(bytes) : bytes,
      };
    case elf.SHT_RELA:
    case elf.SHT_REL: {
      if (!edits.relocations.has(header.info)) {
        return { header, bytes: renumberRelocations(bytes, header.type, symbols.indexes) };
      }
      // A second section for one target would be read as more of them.
      const relocations = waiting.get(header.info) ?? [];
      waiting.delete(header.info);
      return {
        header: { ...header, type: elf.SHT_RELA, entrySize: elf.RELA_SIZE },
        bytes: writeRelocations(relocations, symbols.indexes, file.name),
      };
    }
    default:
      return { header, bytes: joined(bytes, edits.appended.get(index)) };
  }
}

/** A group that is known by a local name has no copies in other files, though linkers would look for some. */
function notShared(group: Uint8Array): Uint8Array {
  const bytes = group.slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(0, view.getUint32(0, true) - (view.getUint32(0, true) % 2), true); // GRP_COMDAT is 1
  return bytes;
}

function joined(bytes: Uint8Array, more: Uint8Array | undefined): Uint8Array {
  if (more === undefined) return bytes;
  const all = new Uint8Array(bytes.length + more.length);
  all.set(bytes);
  all.set(more, bytes.length);
  return all;
}

/** As compilers name the section of one item, so that linkers put it where they put those. */
function newName({ kind, name }: NewSection): string {
  return `${kind === 'code' ? '.text' : '.data'}.${name}`;
}

function newPart(section: NewSection, names: GrowingNames): SectionPart {
  const flags = elf.SHF_ALLOC + (section.kind === 'code' ? elf.SHF_EXECINSTR : elf.SHF_WRITE);
  const nameOffset = names.add(newName(section));
  return {
    header: { ...NULL_SECTION, nameOffset, type: elf.SHT_PROGBITS, flags, align: section.align },
    bytes: section.bytes,
  };
}

function relocationHeader(nameOffset: number, target: number, symbols: number): SectionHeader {
  return {
    ...NULL_SECTION,
    nameOffset,
    type: elf.SHT_RELA,
    flags: elf.SHF_INFO_LINK,
    link: symbols,
    info: target,
    align: 8,
    entrySize: elf.RELA_SIZE,
  };
}

function extendedPart(bytes: Uint8Array, tables: Tables, names: GrowingNames): SectionPart {
  const nameOffset = names.add('.symtab_shndx');
  return {
    header: { ...NULL_SECTION, nameOffset, type: elf.SHT_SYMTAB_SHNDX, link: tables.symbols, align: 4, entrySize: 4 },
    bytes,
  };
}
