// What the loader reads of an ELF shared object: .dynsym with its strings and hash tables, loader relocations, .dynamic.
// Planned before placing, as their sizes are part of it; written when addresses are known. gABI "Dynamic Linking".
import {
  BINDING_GLOBAL,
  BINDING_UNIQUE,
  BINDING_WEAK,
  SECTION_ABSOLUTE,
  SECTION_UNDEFINED,
  VISIBILITY_DEFAULT,
} from '../formats/columns.js';
import * as elf from '../formats/elf/constants.js';
import { encodeDynamic, encodeLoaderRelocations } from '../formats/elf/encode-dynamic.js';
import { createStringTable, encodeSymbols, symbolRows, type StringTableWriter } from '../formats/elf/encode-symbols.js';
import { encodeGnuHash, gnuHash } from '../formats/elf/gnu-hash.js';
import { encodeSysvHash, sysvHash } from '../formats/elf/sysv-hash.js';
import { planVersions, type NeededVersionTables } from './emit-shared-versions.js';
import { isImport } from './shared/scopes.js';
import type { Link } from './shared/link-state.js';
import * as work from './shared/loader-work.js';
import type { LoaderWork } from './shared/loader-work.js';
import type { Needs } from './shared/needs.js';
import type { OutputSection } from './shared/output-section.js';
import { addMadeSection, SECTION_KEPT } from './shared/sections.js';
import * as symbols from './shared/symbols.js';
import type { Tables } from './shared/tables.js';
import { tableValue, type Values } from './shared/values.js';

/** The made sections, −1 for those that are not needed, and what they will hold. */
export interface DynamicPlan {
  readonly dynsym: number;
  readonly dynstr: number;
  readonly gnuHash: number;
  readonly hash: number;
  readonly relaDyn: number;
  readonly relrDyn: number;
  readonly relaPlt: number;
  readonly dynamic: number;
  readonly versym: number;
  readonly verneed: number;
  readonly versions: NeededVersionTables | null;
  readonly strings: StringTableWriter;
  /** Symbols in the order of .dynsym, from index 1 on. */
  readonly order: readonly number[];
  /** Index in .dynsym by number of the symbol; 0 for none. */
  readonly indexOf: Int32Array;
  readonly hashes: { readonly gnu: Uint8Array | null; readonly sysv: Uint8Array | null };
  readonly nameOffsets: Uint32Array;
  readonly needed: readonly number[];
  readonly soname: number;
  readonly rpath: number;
  /** Output sections of constructors and destructors. */
  readonly arrays: ReadonlySet<string>;
}

/** How many loader relocations there will be, besides those of the PLT. */
export interface LoaderCounts {
  readonly relative: number;
  readonly packed: number;
  readonly other: number;
}

/** Makes the sections. */
export function planDynamic(link: Link, needs: Needs, counts: LoaderCounts): DynamicPlan {
  const { options, sections } = link;
  const { imports, exports } = dynamicSymbols(link);
  const strings = createStringTable();
  const style = options.hashStyle;
  const hashesOf = (list: readonly number[], hash: (bytes: Uint8Array) => number): Uint32Array =>
    Uint32Array.from(list, (symbol) => hash(link.symbols.names.bytes(symbol)));
  let order = [...imports, ...exports];
  let gnu: Uint8Array | null = null;
  if (style !== 'sysv') {
    const encoded = encodeGnuHash(hashesOf(exports, gnuHash), imports.length + 1);
    gnu = encoded.bytes;
    order = [...imports, ...Array.from(encoded.order, (index) => exports[index] as number)];
  }
  let sysv: Uint8Array | null = null;
  if (style !== 'gnu') {
    const hashes = new Uint32Array(order.length + 1);
    order.forEach((symbol, index) => (hashes[index + 1] = sysvHash(link.symbols.names.bytes(symbol))));
    sysv = encodeSysvHash(hashes);
  }
  const indexOf = new Int32Array(link.symbols.names.count);
  const nameOffsets = new Uint32Array(order.length);
  order.forEach((symbol, index) => {
    indexOf[symbol] = index + 1;
    const bytes = link.symbols.names.bytes(symbol);
    nameOffsets[index] = strings.add(bytes, 0, bytes.length);
  });
  const libraryNames = new Map<number, number>();
  const libraryName = (number: number): number => {
    let offset = libraryNames.get(number);
    if (offset === undefined) libraryNames.set(number, (offset = strings.addText(link.libraries[number]?.name ?? '')));
    return offset;
  };
  const needed = link.libraries.flatMap(({ number, used }) => (used ? [libraryName(number)] : []));
  const versions = planVersions(link, order, strings, libraryName, counts.packed > 0);
  const soname = options.soname === null ? 0 : strings.addText(options.soname);
  const rpath = options.rpath === null ? 0 : strings.addText(options.rpath);
  const rela = counts.relative + counts.other;
  const relas = { align: 8, entrySize: elf.RELA_SIZE };
  const plan: DynamicPlan = {
    dynsym: addMadeSection(sections, {
      name: '.dynsym',
      align: 8,
      entrySize: elf.SYM_SIZE,
      size: (order.length + 1) * elf.SYM_SIZE,
    }),
    dynstr: addMadeSection(sections, { name: '.dynstr', align: 1, size: strings.size }),
    gnuHash: gnu === null ? -1 : addMadeSection(sections, { name: '.gnu.hash', align: 8, size: gnu.length }),
    hash: sysv === null ? -1 : addMadeSection(sections, { name: '.hash', align: 4, entrySize: 4, size: sysv.length }),
    relaDyn: rela === 0 ? -1 : addMadeSection(sections, { name: '.rela.dyn', ...relas, size: rela * elf.RELA_SIZE }),
    // What it takes is known when addresses are; a word at least.
    relrDyn:
      counts.packed === 0 ? -1 : addMadeSection(sections, { name: '.relr.dyn', align: 8, entrySize: 8, size: 8 }),
    relaPlt:
      needs.stubs.length === 0
        ? -1
        : addMadeSection(sections, { name: '.rela.plt', ...relas, size: needs.stubs.length * elf.RELA_SIZE }),
    dynamic: addMadeSection(sections, {
      name: '.dynamic',
      kind: 'relro',
      writable: true,
      align: 8,
      entrySize: elf.DYN_SIZE,
      size: elf.DYN_SIZE,
    }),
    versym:
      versions === null
        ? -1
        : addMadeSection(sections, { name: '.gnu.version', align: 2, entrySize: 2, size: versions.numbers.length }),
    verneed:
      versions === null
        ? -1
        : addMadeSection(sections, { name: '.gnu.version_r', align: 8, size: versions.needs.length }),
    versions,
    strings,
    order,
    indexOf,
    hashes: { gnu, sysv },
    nameOffsets,
    needed,
    soname,
    rpath,
    arrays: new Set(
      sections.section.flatMap((section, number) =>
        (section.kind === 'init' || section.kind === 'fini') &&
        sections.fate[number] === SECTION_KEPT &&
        sections.size[number] !== 0
          ? [link.target.sections.outputName(section)]
          : [],
      ),
    ),
  };
  sections.size[plan.dynamic] = (dynamicEntries(link, plan, needs, null, 0).length + 1) * elf.DYN_SIZE;
  return plan;
}

/** Imports that are referred to, and what is exported of what is kept; each by the number of the symbol. */
function dynamicSymbols(link: Link): { imports: number[]; exports: number[] } {
  const table = link.symbols;
  const imports: number[] = [];
  const exports: number[] = [];
  for (let symbol = 0; symbol < table.names.count; symbol++) {
    if (symbols.hasFlag(table, symbol, symbols.DYNAMIC)) {
      const section = table.section[symbol] as number;
      if (section < 0 || link.sections.fate[section] === SECTION_KEPT || isAbsorbed(link, section))
        exports.push(symbol);
      continue;
    }
    // Without dropping, what any object refers to is listed, wherever it does.
    const wanted = link.options.gc ? symbols.USED : symbols.USED_OR_REFERRED;
    const referred = symbols.hasFlag(table, symbol, symbols.REFERRED_SOMEHOW) && symbols.hasFlag(table, symbol, wanted);
    if (referred && isImport(link, symbol)) imports.push(symbol);
  }
  return { imports, exports };
}

function isAbsorbed(link: Link, section: number): boolean {
  return link.sections.section[section]?.mergeable === true && link.sections.fate[section] !== 1;
}

/** Section headers' indexes and addresses, once placed. */
export interface PlacedDynamic {
  readonly outputs: readonly OutputSection[];
  readonly values: Values;
  readonly tables: Tables;
}

/** Loader relocations in the order of the file. */
export interface SortedWork {
  readonly rela: Uint8Array;
  readonly relativeCount: number;
  readonly plt: Uint8Array;
}

/** Encodes what is left to the loader: rebases first, by address, then the others by symbol. */
export function encodeWork(link: Link, plan: DynamicPlan, loader: LoaderWork): SortedWork {
  const { dynamic } = link.machine.shared;
  if (dynamic === null) throw new Error('internal: a machine without the numbers of loader relocations');
  const types = new Uint32Array(work.WORK_PACKED);
  types[work.WORK_RELATIVE] = dynamic.relative;
  types[work.WORK_ABSOLUTE] = dynamic.absolute;
  types[work.WORK_SLOT] = dynamic.globDat;
  types[work.WORK_STUB] = dynamic.jumpSlot;
  types[work.WORK_MODULE] = dynamic.moduleId;
  types[work.WORK_MODULE_OFFSET] = dynamic.moduleOffset;
  types[work.WORK_THREAD] = dynamic.threadOffset;
  types[work.WORK_DESCRIPTOR] = dynamic.tlsDescriptor;
  const relative: number[] = [];
  const others: number[] = [];
  const stubs: number[] = [];
  for (let index = 0; index < loader.count; index++) {
    const kind = loader.kind[index];
    if (kind === work.WORK_STUB) stubs.push(index);
    else if (kind !== work.WORK_RELATIVE && kind !== work.WORK_PACKED) others.push(index);
    else if (kind === work.WORK_RELATIVE) relative.push(index);
  }
  const address = (index: number): number => loader.address[index] as number;
  const symbol = (index: number): number => {
    const number = loader.symbol[index] as number;
    return number < 0 ? 0 : (plan.indexOf[number] as number);
  };
  relative.sort((a, b) => address(a) - address(b));
  others.sort((a, b) => symbol(a) - symbol(b) || address(a) - address(b));
  const encode = (list: readonly number[]): Uint8Array =>
    encodeLoaderRelocations({
      count: list.length,
      offset: Float64Array.from(list, address),
      type: Uint32Array.from(list, (index) => types[loader.kind[index] as number] as number),
      symbol: Uint32Array.from(list, symbol),
      addend: Float64Array.from(list, (index) => loader.addend[index] as number),
    });
  return { rela: encode([...relative, ...others]), relativeCount: relative.length, plt: encode(stubs) };
}

/** .dynsym, when addresses are known. */
export function encodeDynamicSymbols(link: Link, plan: DynamicPlan, placed: PlacedDynamic): Uint8Array {
  const table = link.symbols;
  const rows = symbolRows(plan.order.length);
  rows.count = plan.order.length;
  plan.order.forEach((symbol, row) => {
    rows.name[row] = plan.nameOffsets[row] as number;
    rows.kind[row] = table.kind[symbol] as number;
    if (!symbols.hasFlag(table, symbol, symbols.DYNAMIC)) {
      rows.section[row] = SECTION_UNDEFINED;
      rows.binding[row] = symbols.hasFlag(table, symbol, symbols.REFERRED) ? BINDING_GLOBAL : BINDING_WEAK;
      rows.visibility[row] = VISIBILITY_DEFAULT;
      return;
    }
    rows.binding[row] = symbols.hasFlag(table, symbol, symbols.UNIQUE)
      ? BINDING_UNIQUE
      : symbols.hasFlag(table, symbol, symbols.WEAK)
        ? BINDING_WEAK
        : BINDING_GLOBAL;
    rows.visibility[row] = table.visibility[symbol] as number;
    rows.section[row] = sectionIndex(link, placed.values, symbol);
    rows.value[row] = tableValue(link, placed.values, symbol);
    rows.size[row] = table.size[symbol] as number;
  });
  return encodeSymbols(rows).entries;
}

/** Index of a defined symbol's section header. */
export function sectionIndex(link: Link, values: Values, symbol: number): number {
  const section = link.symbols.section[symbol] as number;
  if (section < 0) return SECTION_ABSOLUTE;
  const merged = values.merged[section];
  return (link.sections.output[merged?.section ?? section] as number) + 1;
}

/** The entries of .dynamic; before placing (`outputs` null) with values of no meaning. */
export function dynamicEntries(
  link: Link,
  plan: DynamicPlan,
  needs: Needs,
  placed: { readonly outputs: readonly OutputSection[]; readonly values: Values } | null,
  relativeCount: number,
): { tag: number; value: number }[] {
  const { options, sections } = link;
  const entries: { tag: number; value: number }[] = [];
  const add = (tag: number, value: number): void => {
    entries.push({ tag, value });
  };
  const at = (section: number): number => sections.address[section] ?? 0;
  const size = (section: number): number => sections.size[section] ?? 0;
  const output = (name: string): OutputSection | undefined =>
    placed?.outputs.find((candidate) => candidate.name === name && candidate.alloc);
  for (const name of plan.needed) add(elf.DT_NEEDED, name);
  if (plan.soname !== 0) add(elf.DT_SONAME, plan.soname);
  if (plan.rpath !== 0) add(options.runpath ? elf.DT_RUNPATH : elf.DT_RPATH, plan.rpath);
  const flags =
    (options.origin ? elf.DF_ORIGIN : 0) +
    (options.symbolic === 'all' ? elf.DF_SYMBOLIC : 0) +
    (needs.textRelocations ? elf.DF_TEXTREL : 0) +
    (options.now ? elf.DF_BIND_NOW : 0) +
    (needs.staticThread ? elf.DF_STATIC_TLS : 0);
  const flags1 =
    (options.now ? elf.DF_1_NOW : 0) +
    (options.noDelete ? elf.DF_1_NODELETE : 0) +
    (options.noOpen ? elf.DF_1_NOOPEN : 0) +
    (options.origin ? elf.DF_1_ORIGIN : 0);
  if (options.symbolic === 'all') add(elf.DT_SYMBOLIC, 0);
  if (needs.textRelocations) add(elf.DT_TEXTREL, 0);
  if (flags !== 0) add(elf.DT_FLAGS, flags);
  if (flags1 !== 0) add(elf.DT_FLAGS_1, flags1);
  if (plan.relaDyn >= 0) {
    add(elf.DT_RELA, at(plan.relaDyn));
    add(elf.DT_RELASZ, size(plan.relaDyn));
    add(elf.DT_RELAENT, elf.RELA_SIZE);
    add(elf.DT_RELACOUNT, relativeCount);
  }
  if (plan.relrDyn >= 0) {
    add(elf.DT_RELR, at(plan.relrDyn));
    add(elf.DT_RELRSZ, size(plan.relrDyn));
    add(elf.DT_RELRENT, 8);
  }
  if (plan.relaPlt >= 0) {
    add(elf.DT_JMPREL, at(plan.relaPlt));
    add(elf.DT_PLTRELSZ, size(plan.relaPlt));
    add(elf.DT_PLTGOT, output('.got.plt')?.address ?? 0);
    add(elf.DT_PLTREL, elf.DT_RELA);
  }
  add(elf.DT_SYMTAB, at(plan.dynsym));
  add(elf.DT_SYMENT, elf.SYM_SIZE);
  add(elf.DT_STRTAB, at(plan.dynstr));
  add(elf.DT_STRSZ, size(plan.dynstr));
  if (plan.gnuHash >= 0) add(elf.DT_GNU_HASH, at(plan.gnuHash));
  if (plan.hash >= 0) add(elf.DT_HASH, at(plan.hash));
  if (plan.versions !== null) {
    add(elf.DT_VERSYM, at(plan.versym));
    add(elf.DT_VERNEED, at(plan.verneed));
    add(elf.DT_VERNEEDNUM, plan.versions.libraries);
  }
  for (const [name, address, length] of [
    ['.init_array', elf.DT_INIT_ARRAY, elf.DT_INIT_ARRAYSZ],
    ['.fini_array', elf.DT_FINI_ARRAY, elf.DT_FINI_ARRAYSZ],
  ] as const) {
    if (!plan.arrays.has(name)) continue;
    add(address, output(name)?.address ?? 0);
    add(length, output(name)?.size ?? 0);
  }
  for (const [name, tag] of [
    [options.init, elf.DT_INIT],
    [options.fini, elf.DT_FINI],
  ] as const) {
    const symbol = symbols.findSymbol(link.symbols, name);
    if (symbol < 0 || (link.symbols.state[symbol] as number) < symbols.STATE_COMMON) continue;
    add(tag, placed?.values.symbolAddress[symbol] ?? 0);
  }
  return entries;
}

/** The bytes of .dynamic. */
export function encodeDynamicTable(
  link: Link,
  plan: DynamicPlan,
  needs: Needs,
  placed: PlacedDynamic,
  relativeCount: number,
): Uint8Array {
  return encodeDynamic(dynamicEntries(link, plan, needs, placed, relativeCount));
}
