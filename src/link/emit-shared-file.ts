// Writes an ELF shared object: headers, sections, symbol tables. What goes where has been decided; nothing is here. The
// file is made once, and everything is put into its place in it. gABI chapters 4 and 5.
import { alignUp } from '../bytes/align.js';
import { KIND_IFUNC } from '../formats/columns.js';
import * as elf from '../formats/elf/constants.js';
import type { ProgramHeader, SectionHeader } from '../formats/elf/header.js';
import { linkedHeaderSize, putLinkedHeaders, sectionHeadersSize } from '../formats/elf/write-linked.js';
import { createStringTable } from '../formats/elf/encode-symbols.js';
import type { MachineName } from '../formats/object-file.js';
import type { DynamicPlan } from './emit-shared-dynamic.js';
import { PROPERTIES } from './emit-shared-properties.js';
import { encodeSymbolTable } from './emit-shared-symbols.js';
import type { Link } from './shared/link-state.js';
import type { OutputSection } from './shared/output-section.js';
import { imageParts, type Layout } from './shared/place.js';
import { hasFlag, STATE_COMMON, UNIQUE } from './shared/symbols.js';
import type { Tables } from './shared/tables.js';
import type { Values } from './shared/values.js';

/** Everything that is known before the file is written. */
export interface EmitJob {
  readonly link: Link;
  readonly machine: MachineName;
  readonly outputs: readonly OutputSection[];
  readonly layout: Layout;
  readonly values: Values;
  readonly plan: DynamicPlan;
  readonly tables: Tables;
  readonly entry: number;
}

/** Bytes of the headers at the start of a file with these sections. */
export function headerSize(link: Link, outputs: readonly OutputSection[]): number {
  return linkedHeaderSize(programCount(link, outputs));
}

/** As many as `programHeaders` makes. */
function programCount(link: Link, outputs: readonly OutputSection[]): number {
  const parts = imageParts(link, outputs);
  const has = (test: (output: OutputSection) => boolean): number => (outputs.some(test) ? 1 : 0);
  return (
    parts.length +
    has(({ kind }) => kind.startsWith('tls')) +
    1 + // the dynamic table
    (link.options.relro && parts.some(({ region }) => region === 'relro') ? 1 : 0) +
    has(({ name, alloc }) => name === '.eh_frame_hdr' && alloc) +
    has((output) => output.alloc && output.name === PROPERTIES) +
    1 + // the stack's protection
    noteRuns(outputs).length
  );
}

/** Runs of notes that follow one another with one alignment: a segment each. */
function noteRuns(outputs: readonly OutputSection[]): OutputSection[][] {
  const runs: OutputSection[][] = [];
  let last: OutputSection | undefined;
  for (const output of outputs) {
    if (output.alloc && output.kind === 'note') {
      const run = runs.at(-1);
      if (last?.kind === 'note' && run !== undefined && last.align === output.align) run.push(output);
      else runs.push([output]);
    }
    last = output;
  }
  return runs;
}

const REGION_FLAGS: Readonly<Record<string, number>> = {
  readonly: elf.PF_R,
  code: elf.PF_R + elf.PF_X,
  relro: elf.PF_R + elf.PF_W,
  data: elf.PF_R + elf.PF_W,
  large: elf.PF_R + elf.PF_W,
};

function programHeaders(job: EmitJob): ProgramHeader[] {
  const { link, layout, outputs } = job;
  const programs: ProgramHeader[] = layout.segments.map(({ region, address, offset, fileSize, memorySize }) => {
    const executable = region === 'data' && outputs.some((output) => output.region === region && output.executable);
    const flags = (REGION_FLAGS[region] ?? elf.PF_R) + (executable ? elf.PF_X : 0);
    return { type: elf.PT_LOAD, flags, offset, address, fileSize, memorySize, align: layout.pageSize };
  });
  if (layout.template !== null) programs.push({ type: elf.PT_TLS, flags: elf.PF_R, ...layout.template });
  const dynamic = outputs.find(({ name, alloc }) => name === '.dynamic' && alloc);
  if (dynamic !== undefined) programs.push(over(elf.PT_DYNAMIC, elf.PF_R + elf.PF_W, [dynamic]));
  const relro = layout.segments.find(({ region }) => region === 'relro');
  if (link.options.relro && relro !== undefined) {
    const { address, offset, fileSize, memorySize } = relro;
    programs.push({ type: elf.PT_GNU_RELRO, flags: elf.PF_R, offset, address, fileSize, memorySize, align: 1 });
  }
  const unwind = outputs.find(({ name, alloc }) => name === '.eh_frame_hdr' && alloc);
  if (unwind !== undefined) programs.push(over(elf.PT_GNU_EH_FRAME, elf.PF_R, [unwind]));
  const stack = elf.PF_R + elf.PF_W + (link.options.executableStack ? elf.PF_X : 0);
  programs.push({ type: elf.PT_GNU_STACK, flags: stack, offset: 0, address: 0, fileSize: 0, memorySize: 0, align: 16 });
  for (const run of noteRuns(outputs)) programs.push(over(elf.PT_NOTE, elf.PF_R, run));
  const properties = outputs.find(({ name, alloc }) => alloc && name === PROPERTIES);
  if (properties !== undefined) programs.push(over(elf.PT_GNU_PROPERTY, elf.PF_R, [properties]));
  return programs;
}

/** A program header over sections that follow one another. */
function over(type: number, flags: number, sections: readonly OutputSection[]): ProgramHeader {
  const [first] = sections;
  const last = sections.at(-1);
  if (first === undefined || last === undefined) throw new Error('internal: a program header over nothing');
  const size = last.address + last.size - first.address;
  const align = Math.max(...sections.map((section) => section.align));
  return { type, flags, offset: first.offset, address: first.address, fileSize: size, memorySize: size, align };
}

/** Types of the sections that have one of their own. */
const TYPES: Readonly<Record<string, number>> = {
  '.dynsym': elf.SHT_DYNSYM,
  '.dynstr': elf.SHT_STRTAB,
  '.gnu.hash': elf.SHT_GNU_HASH,
  '.hash': elf.SHT_HASH,
  '.rela.dyn': elf.SHT_RELA,
  '.rela.plt': elf.SHT_RELA,
  '.relr.dyn': elf.SHT_RELR,
  '.dynamic': elf.SHT_DYNAMIC,
  '.gnu.version': elf.SHT_GNU_VERSYM,
  '.gnu.version_r': elf.SHT_GNU_VERNEED,
  '.init_array': elf.SHT_INIT_ARRAY,
  '.fini_array': elf.SHT_FINI_ARRAY,
};

function typeOf(output: OutputSection): number {
  if (output.zero) return elf.SHT_NOBITS;
  if (output.kind === 'note') return elf.SHT_NOTE;
  return (output.alloc ? TYPES[output.name] : undefined) ?? elf.SHT_PROGBITS;
}

function flagsOf(output: OutputSection): number {
  return (
    (output.writable ? elf.SHF_WRITE : 0) +
    (output.alloc ? elf.SHF_ALLOC : 0) +
    (output.executable ? elf.SHF_EXECINSTR : 0) +
    (output.mergeable ? elf.SHF_MERGE : 0) +
    (output.strings ? elf.SHF_STRINGS : 0) +
    (output.kind.startsWith('tls') ? elf.SHF_TLS : 0)
  );
}

/** The file with headers and symbol tables; what the sections hold is to be put into it. */
export interface EmittedFile {
  readonly bytes: Uint8Array;
}

/** Makes the file. */
export function emitShared(job: EmitJob): EmittedFile {
  const { link, outputs, layout } = job;
  const names = createStringTable();
  const sections: SectionHeader[] = outputs.map((output) => ({
    nameOffset: names.addText(output.name),
    type: typeOf(output),
    flags: flagsOf(output),
    address: output.address,
    offset: output.offset,
    size: output.size,
    link: linkOf(job, output),
    info: infoOf(job, output),
    align: output.align,
    entrySize: output.entrySize,
  }));
  let end = layout.fileEnd;
  const parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  const add = (name: string, bytes: Uint8Array, header: Partial<SectionHeader> & { type: number }): void => {
    const align = header.align ?? 1;
    const offset = alignUp(end, align);
    const facts = { flags: 0, address: 0, link: 0, info: 0, align, entrySize: 0 };
    sections.push({ ...facts, ...header, nameOffset: names.addText(name), offset, size: bytes.length });
    parts.push({ offset, bytes });
    end = offset + bytes.length;
  };
  if (link.options.strip !== 'all') {
    const table = encodeSymbolTable(link, job.values);
    // Behind it come its strings.
    const strings = sections.length + (table.extended === null ? 2 : 3);
    const symtab = sections.length + 1;
    const facts = { link: strings, info: table.firstGlobal, align: 8, entrySize: elf.SYM_SIZE };
    add('.symtab', table.entries, { type: elf.SHT_SYMTAB, ...facts });
    if (table.extended !== null) {
      add('.symtab_shndx', table.extended, { type: elf.SHT_SYMTAB_SHNDX, link: symtab, align: 4, entrySize: 4 });
    }
    add('.strtab', table.strings, { type: elf.SHT_STRTAB });
  }
  // Its own name is in it.
  const nameOffset = names.addText('.shstrtab');
  const nameBytes = names.finish();
  const facts = { flags: 0, address: 0, link: 0, info: 0, align: 1, entrySize: 0 };
  sections.push({ ...facts, type: elf.SHT_STRTAB, nameOffset, offset: end, size: nameBytes.length });
  parts.push({ offset: end, bytes: nameBytes });
  const sectionsAt = alignUp(end + nameBytes.length, 8);
  const bytes = new Uint8Array(sectionsAt + sectionHeadersSize(sections.length));
  for (const part of parts) bytes.set(part.bytes, part.offset);
  putLinkedHeaders(bytes, {
    // Such symbols are GNU's: without the mark their binding or kind means nothing.
    osAbi: hasGnuSymbols(link) ? elf.ELFOSABI_GNU : elf.ELFOSABI_NONE,
    machine: job.machine,
    type: elf.ET_DYN,
    entry: job.entry,
    programs: programHeaders(job),
    sections,
    sectionsAt,
    nameTable: sections.length,
  });
  return { bytes };
}

function hasGnuSymbols(link: Link): boolean {
  const { names, state, kind } = link.symbols;
  for (let symbol = 0; symbol < names.count; symbol++) {
    if ((state[symbol] as number) < STATE_COMMON) continue;
    if (kind[symbol] === KIND_IFUNC || hasFlag(link.symbols, symbol, UNIQUE)) return true;
  }
  return false;
}

function indexOfMade(job: EmitJob, made: number): number {
  return made < 0 ? 0 : (job.link.sections.output[made] as number) + 1;
}

function linkOf(job: EmitJob, output: OutputSection): number {
  if (!output.alloc) return 0;
  switch (output.name) {
    case '.dynsym':
    case '.dynamic':
    case '.gnu.version_r':
      return indexOfMade(job, job.plan.dynstr);
    case '.gnu.hash':
    case '.hash':
    case '.rela.dyn':
    case '.rela.plt':
    case '.gnu.version':
      return indexOfMade(job, job.plan.dynsym);
    default:
      return 0;
  }
}

function infoOf(job: EmitJob, output: OutputSection): number {
  if (!output.alloc) return 0;
  if (output.name === '.gnu.version_r') return job.plan.versions?.libraries ?? 0;
  if (output.name === '.dynsym') return 1;
  return output.name === '.rela.plt' ? indexOfMade(job, job.tables.gotPlt) : 0;
}
