// What each section is for: from header, flags and name to the model's Section. COMDAT groups too (gABI "Sections").
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { hex } from '../../codes/error.js';
import type { Packing, Section, SectionKind } from '../object-file.js';
import * as elf from './constants.js';
import { sectionHeader, type ElfHeaders, type SectionHeader, type SectionHeaderColumns } from './header.js';
import { readPacked, type PackedSection } from './packed.js';
import { openSectionNames, type SectionNames } from './section-names.js';
import type { SymbolTable } from './symbols.js';

/** A reader over a section's bytes in the file; IPBP1001 when the file ends before it. Empty for SHT_NOBITS. */
export function sectionReader(file: Windows, header: SectionHeader): ByteReader {
  return isStored(header.type) ? file.window(header.offset, header.size) : file.window(0, 0);
}

/** Has bytes in the file. */
function isStored(type: number): boolean {
  return type !== elf.SHT_NOBITS && type !== elf.SHT_NULL;
}

/** What the sections of a file look into. */
interface Facts {
  readonly headers: SectionHeaderColumns;
  readonly names: SectionNames;
  /** Section index → signature of the COMDAT group it is a member of. */
  readonly groups: ReadonlyMap<number, string>;
  readonly packed: ReadonlyMap<number, PackedSection>;
}

/**
 * A section that looks its facts up when it is asked: a file has tens of thousands, and most who read it ask each for two
 * or three. Only the kind is kept, which is asked for again and again.
 */
class ElfSection implements Section {
  readonly #facts: Facts;

  constructor(
    facts: Facts,
    readonly index: number,
    readonly kind: SectionKind,
  ) {
    this.#facts = facts;
  }

  get name(): string {
    return this.#facts.names.text(this.index);
  }

  nameBegins(text: string): boolean {
    return this.#facts.names.begins(this.index, text);
  }

  get alloc(): boolean {
    return this.#has(elf.SHF_ALLOC);
  }

  get writable(): boolean {
    return this.#has(elf.SHF_WRITE);
  }

  get executable(): boolean {
    return this.#has(elf.SHF_EXECINSTR);
  }

  get mergeable(): boolean {
    return this.#has(elf.SHF_MERGE);
  }

  get strings(): boolean {
    return this.#has(elf.SHF_STRINGS);
  }

  get entrySize(): number {
    return this.#facts.headers.entrySize[this.index] as number;
  }

  get address(): number {
    return this.#facts.headers.address[this.index] as number;
  }

  get offset(): number {
    return this.#facts.headers.offset[this.index] as number;
  }

  get size(): number {
    const { headers, packed } = this.#facts;
    if (headers.type[this.index] === elf.SHT_NULL) return 0;
    return packed.get(this.index)?.size ?? (headers.size[this.index] as number);
  }

  get fileSize(): number {
    const { type, size } = this.#facts.headers;
    return isStored(type[this.index] as number) ? (size[this.index] as number) : 0;
  }

  get align(): number {
    const { headers, packed } = this.#facts;
    return (packed.get(this.index)?.align ?? (headers.align[this.index] as number)) || 1;
  }

  get group(): string | null {
    return this.#facts.groups.get(this.index) ?? null;
  }

  get retain(): boolean {
    return this.#has(elf.SHF_GNU_RETAIN);
  }

  get consumed(): boolean {
    return isConsumed(this.#facts, this.index);
  }

  get packing(): Packing | null {
    return this.#facts.packed.get(this.index)?.packing ?? null;
  }

  get describes(): number | null {
    if (!this.#has(elf.SHF_LINK_ORDER)) return null;
    const { link, count } = this.#facts.headers;
    const described = link[this.index] as number;
    return described < count ? described : null;
  }

  /** Flags are 32 bits, where bit operations are exact. */
  #has(flag: number): boolean {
    return ((this.#facts.headers.flags[this.index] as number) & flag) !== 0;
  }
}

/** The model's sections, in the file's order. `symbols` is the table that group signatures are in, if there is one. */
export function readSections(reader: Windows, headers: ElfHeaders, symbols: () => SymbolTable | null): Section[] {
  const { table, nameTable } = headers;
  const names = openSectionNames(
    nameTable === 0 || nameTable >= table.count ? null : sectionReader(reader, sectionHeader(table, nameTable)),
    table.nameOffset,
  );
  const packed = new Map<number, PackedSection>();
  const groups = readGroups(reader, headers, names, symbols);
  const facts: Facts = { headers: table, names, groups, packed };
  const sections: Section[] = [];
  for (let index = 0; index < table.count; index++) {
    const type = table.type[index] as number;
    const flags = table.flags[index] as number;
    if ((flags & elf.SHF_COMPRESSED) !== 0 && isStored(type)) {
      if ((flags & elf.SHF_ALLOC) !== 0) {
        reader.malformed('a section that is loaded is packed', { actual: names.text(index) }, table.offset[index] ?? 0);
      }
      packed.set(index, readPacked(sectionReader(reader, sectionHeader(table, index))));
    }
    const section = new ElfSection(facts, index, sectionKind(type, flags, index, names));
    if (!isPowerOfTwo(section.align)) {
      const actual = `${section.name}: ${hex(section.align)}`;
      reader.malformed('a section alignment is not a power of two', { actual }, 0);
    }
    sections.push(section);
  }
  return sections;
}

/** Below 2^31 a look at the bits tells, above it the logarithm. */
function isPowerOfTwo(align: number): boolean {
  return align < 0x8000_0000 ? (align & (align - 1)) === 0 : Number.isInteger(Math.log2(align));
}

/** By type and flags first; names only decide where those are the same. */
function sectionKind(type: number, flags: number, index: number, names: SectionNames): SectionKind {
  if ((flags & elf.SHF_ALLOC) === 0) {
    // As many as all others together.
    if (type === elf.SHT_RELA) return 'other';
    if (type === elf.SHT_NOTE || names.begins(index, '.note')) return 'note';
    return type === elf.SHT_PROGBITS && isDebug(index, names) ? 'debug' : 'other';
  }
  if (type === elf.SHT_NOTE) return 'note';
  if (type === elf.SHT_INIT_ARRAY || type === elf.SHT_PREINIT_ARRAY) return 'init';
  if (type === elf.SHT_FINI_ARRAY) return 'fini';
  const named = NAMED_LETTERS.has(names.letter(index)) ? kindByName(index, names) : null;
  if (named !== null) return named;
  if (type === elf.SHT_X86_64_UNWIND) return 'unwind';
  if ((flags & elf.SHF_TLS) !== 0) return type === elf.SHT_NOBITS ? 'tls-zero' : 'tls-data';
  if ((flags & elf.SHF_EXECINSTR) !== 0) return 'code';
  if (type === elf.SHT_NOBITS) return 'zero';
  if ((flags & elf.SHF_WRITE) === 0) return 'readonly';
  return isRelro(type, index, names) ? 'relro' : 'data';
}

/** What the names below begin with: .text, .rodata and .bss, which most are, do not. */
const NAMED_LETTERS: ReadonlySet<number> = new Set([...'cdeg'].map((letter) => letter.charCodeAt(0)));

/** What is known by its name whatever its type is. */
function kindByName(index: number, names: SectionNames): SectionKind | null {
  if (names.inFamily(index, '.ctors')) return 'init';
  if (names.inFamily(index, '.dtors')) return 'fini';
  if (names.is(index, '.eh_frame_hdr')) return 'readonly';
  if (names.is(index, '.eh_frame')) return 'unwind';
  return names.inFamily(index, '.gcc_except_table') ? 'lsda' : null;
}

function isDebug(index: number, names: SectionNames): boolean {
  return (
    names.begins(index, '.debug_') ||
    names.begins(index, '.zdebug_') ||
    names.begins(index, '.stab') ||
    names.is(index, '.gdb_index') ||
    names.is(index, '.debug') ||
    names.is(index, '.line')
  );
}

function isRelro(type: number, index: number, names: SectionNames): boolean {
  return (
    type === elf.SHT_DYNAMIC ||
    names.is(index, '.got') ||
    names.inFamily(index, '.data.rel.ro') ||
    names.begins(index, '.relro')
  );
}

/** Not the loader's tables in linked files: those are loaded. */
function isConsumed({ headers, names }: Facts, index: number): boolean {
  const flags = headers.flags[index] as number;
  if ((flags & elf.SHF_EXCLUDE) !== 0) return true;
  switch (headers.type[index]) {
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
      return (flags & elf.SHF_ALLOC) === 0;
    default:
      // An empty mark that says whether the stack may be executed; and what all code of a program has to promise together.
      return names.is(index, '.note.GNU-stack') || names.is(index, '.note.gnu.property');
  }
}

/** Section index → signature of the COMDAT group it is a member of (gABI "Section Groups"). */
function readGroups(
  reader: Windows,
  headers: ElfHeaders,
  names: SectionNames,
  openSymbols: () => SymbolTable | null,
): Map<number, string> {
  const { table } = headers;
  const groups = new Map<number, string>();
  for (let index = 0; index < table.count; index++) {
    if (table.type[index] !== elf.SHT_GROUP) continue;
    const words: ByteReader = sectionReader(reader, sectionHeader(table, index));
    if (words.u32() !== elf.GRP_COMDAT) continue;
    const symbols = openSymbols();
    if (symbols === null) words.malformed('a section group without a symbol table', { actual: names.text(index) }, 0);
    const signature = symbols.at(table.info[index] as number);
    const at = signature.section;
    const sectionName = typeof at === 'number' && at < table.count ? names.text(at) : '';
    const name = signature.kind === 'section' ? sectionName : signature.name;
    while (words.remaining >= 4) {
      const member = words.u32();
      if (member === 0 || member >= table.count) {
        words.malformed('a group member is no section', { actual: `${member}` }, words.position - 4);
      }
      groups.set(member, name);
    }
  }
  return groups;
}
