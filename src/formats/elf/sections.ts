// What each section is for: from header, flags and name to the model's Section. COMDAT groups too (gABI "Sections").
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { hex } from '../../codes/error.js';
import type { Section, SectionKind } from '../object-file.js';
import * as elf from './constants.js';
import type { ElfHeaders, SectionHeader } from './header.js';
import { readPacked } from './packed.js';
import { openStringTable } from './string-table.js';
import type { SymbolTable } from './symbols.js';

/** Has the section flag? Flags are 32 bits, where bit operations are exact. */
function has(header: SectionHeader, flag: number): boolean {
  return (header.flags & flag) !== 0;
}

/** A reader over a section's bytes in the file; IPBP1001 when the file ends before it. Empty for SHT_NOBITS. */
export function sectionReader(file: Windows, header: SectionHeader): ByteReader {
  return header.type === elf.SHT_NOBITS || header.type === elf.SHT_NULL
    ? file.window(0, 0)
    : file.window(header.offset, header.size);
}

/** The model's sections, in the file's order. `symbols` is the table that group signatures are in, if there is one. */
export function readSections(reader: Windows, headers: ElfHeaders, symbols: () => SymbolTable | null): Section[] {
  const nameHeader = headers.sections[headers.nameTable];
  const nameOf =
    nameHeader === undefined || headers.nameTable === 0 ? () => '' : openStringTable(sectionReader(reader, nameHeader));
  const names = headers.sections.map((header) => nameOf(header.nameOffset));
  const groups = readGroups(reader, headers, names, symbols);
  return headers.sections.map((header, index) => {
    const name = names[index] as string;
    const stored = header.type !== elf.SHT_NOBITS && header.type !== elf.SHT_NULL;
    // Not a window: making 20,000 views costs more than checking 20,000 ranges.
    if (stored && header.offset + header.size > reader.length) reader.check(header.offset, header.size);
    const packed = has(header, elf.SHF_COMPRESSED) && stored ? readPacked(sectionReader(reader, header)) : null;
    if (packed !== null && has(header, elf.SHF_ALLOC)) {
      reader.malformed('a section that is loaded is packed', { actual: name }, header.offset);
    }
    const align = (packed ?? header).align || 1;
    if (!Number.isInteger(Math.log2(align))) {
      reader.malformed('a section alignment is not a power of two', { actual: `${name}: ${hex(align)}` }, 0);
    }
    return {
      index,
      name,
      kind: sectionKind(name, header),
      alloc: has(header, elf.SHF_ALLOC),
      writable: has(header, elf.SHF_WRITE),
      executable: has(header, elf.SHF_EXECINSTR),
      mergeable: has(header, elf.SHF_MERGE),
      strings: has(header, elf.SHF_STRINGS),
      entrySize: header.entrySize,
      address: header.address,
      offset: header.offset,
      size: header.type === elf.SHT_NULL ? 0 : (packed ?? header).size,
      fileSize: stored ? header.size : 0,
      align,
      group: groups.get(index) ?? null,
      retain: has(header, elf.SHF_GNU_RETAIN),
      consumed: isConsumed(name, header),
      packing: packed?.packing ?? null,
      describes: has(header, elf.SHF_LINK_ORDER) && header.link < headers.sections.length ? header.link : null,
    };
  });
}

/** By type and flags first; names only decide where those are the same. */
function sectionKind(name: string, header: SectionHeader): SectionKind {
  const type = header.type;
  if (!has(header, elf.SHF_ALLOC)) {
    if (type === elf.SHT_NOTE || name.startsWith('.note')) return 'note';
    return type === elf.SHT_PROGBITS && /^\.z?debug_|^\.gdb_index$|^\.debug$|^\.line$|^\.stab/.test(name)
      ? 'debug'
      : 'other';
  }
  if (type === elf.SHT_NOTE) return 'note';
  if (type === elf.SHT_INIT_ARRAY || type === elf.SHT_PREINIT_ARRAY || isOrIn(name, '.ctors')) return 'init';
  if (type === elf.SHT_FINI_ARRAY || isOrIn(name, '.dtors')) return 'fini';
  if (name === '.eh_frame_hdr') return 'readonly';
  if (name === '.eh_frame' || type === elf.SHT_X86_64_UNWIND) return 'unwind';
  if (isOrIn(name, '.gcc_except_table')) return 'lsda';
  if (has(header, elf.SHF_TLS)) return type === elf.SHT_NOBITS ? 'tls-zero' : 'tls-data';
  if (has(header, elf.SHF_EXECINSTR)) return 'code';
  if (type === elf.SHT_NOBITS) return 'zero';
  if (!has(header, elf.SHF_WRITE)) return 'readonly';
  return isRelro(name, type) ? 'relro' : 'data';
}

function isRelro(name: string, type: number): boolean {
  return type === elf.SHT_DYNAMIC || name === '.got' || isOrIn(name, '.data.rel.ro') || name.startsWith('.relro');
}

/** Not the loader's tables in linked files: those are loaded. */
function isConsumed(name: string, header: SectionHeader): boolean {
  if (has(header, elf.SHF_EXCLUDE)) return true;
  switch (header.type) {
    case elf.SHT_NULL:
    case elf.SHT_SYMTAB:
    case elf.SHT_STRTAB:
    case elf.SHT_RELA:
    case elf.SHT_REL:
    case elf.SHT_CREL:
    case elf.SHT_GROUP:
    case elf.SHT_SYMTAB_SHNDX:
    case elf.SHT_LLVM_ADDRSIG:
    case elf.SHT_LLVM_CALL_GRAPH_PROFILE:
      return !has(header, elf.SHF_ALLOC);
    default:
      // An empty mark that says whether the stack may be executed; and what all code of a program has to promise together.
      return name === '.note.GNU-stack' || name === '.note.gnu.property';
  }
}

/** `.ctors` and `.ctors.65535`, but not `.ctors_of_something`. */
function isOrIn(name: string, family: string): boolean {
  return name.startsWith(family) && (name.length === family.length || name[family.length] === '.');
}

/** Section index → signature of the COMDAT group it is a member of (gABI "Section Groups"). */
function readGroups(
  reader: Windows,
  headers: ElfHeaders,
  names: readonly string[],
  openSymbols: () => SymbolTable | null,
): Map<number, string> {
  const groups = new Map<number, string>();
  headers.sections.forEach((header, index) => {
    if (header.type !== elf.SHT_GROUP) return;
    const words: ByteReader = sectionReader(reader, header);
    if (words.u32() !== elf.GRP_COMDAT) return;
    const symbols = openSymbols();
    if (symbols === null) words.malformed('a section group without a symbol table', { actual: names[index] ?? '' }, 0);
    const signature = symbols.at(header.info);
    const sectionName = typeof signature.section === 'number' ? names[signature.section] : undefined;
    const name = signature.kind === 'section' ? (sectionName ?? '') : signature.name;
    while (words.remaining >= 4) {
      const member = words.u32();
      if (member === 0 || member >= headers.sections.length) {
        words.malformed('a group member is no section', { actual: `${member}` }, words.position - 4);
      }
      groups.set(member, name);
    }
  });
  return groups;
}
