// From needs to a Mach-O library: which made sections there are and how large, where everything goes, and what is written
// there. What dyld reads is emit-dylib-loader's, symbols emit-dylib-symbols', unwinding emit-dylib-unwind's; load commands
// and signature are written by formats/macho/write-linked.ts.
import { encodeText } from '../bytes/text.js';
import { IpbpError, hex } from '../codes/error.js';
import * as macho from '../formats/macho/constants.js';
import { encodeFunctionStarts } from '../formats/macho/function-starts.js';
import {
  linkedHeaderSize,
  writeLinked,
  type LinkedHeader,
  type LinkedSection,
  type LinkedSegment,
} from '../formats/macho/write-linked.js';
import { encodeDataInCode } from './emit-dylib-data-in-code.js';
import { takeInitialisers, writeInitialisers, type Initialisers } from './emit-dylib-initialisers.js';
import { encodeExports, encodeFixups, exportedSymbols, neededLibraries } from './emit-dylib-loader.js';
import type { DylibOptions } from './emit-dylib-options.js';
import { DYLIB_TARGET } from './emit-dylib-rules.js';
import { sectionFlags } from './emit-dylib-sections.js';
import { encodeDylibSymbols, indirectSymbols } from './emit-dylib-symbols.js';
import {
  collectCompactUnwind,
  companionsOf,
  encodeUnwind,
  isDescribedBy,
  scanPersonalities,
  type CompactUnwind,
  type DylibMachine,
} from './emit-dylib-unwind.js';
import { KIND_FUNCTION } from '../formats/columns.js';
import { placedLink, writeContents, type PlacedImage } from './shared/contents.js';
import type { Emitted, Emitter, LinkParts } from './shared/emitter.js';
import { report, type Link } from './shared/link-state.js';
import type { OutputSection } from './shared/output-section.js';
import { makeOutputs } from './shared/outputs.js';
import { placeOutputs, type Layout } from './shared/place.js';
import { addMadeSection } from './shared/sections.js';
import * as symbols from './shared/symbols.js';
import { makeTables } from './shared/tables.js';
import { localAddress, type Values } from './shared/values.js';
import { addVeneers } from './shared/veneers.js';

/** All sections and their places. */
interface DylibPlan extends PlacedImage {
  readonly machine: DylibMachine;
  /** Number of the made section, −1 without one, and what it holds. */
  readonly unwindInfo: number;
  readonly unwindBytes: Uint8Array;
  /** Null where they stay pointers. */
  readonly initialisers: Initialisers | null;
}

/** Links objects to a library. */
export function dylibEmitter(options: DylibOptions): Emitter {
  return {
    target: DYLIB_TARGET,
    open(link) {
      refuseClasses(link);
      const compact = collectCompactUnwind(link);
      const machine = link.files[0]?.file.machine === 'arm64' ? 'arm64' : 'x86_64';
      return {
        companions: companionsOf(compact),
        isDescribed: (section, offset) => isDescribedBy(machine, compact, section, offset),
        scan: (scanning) => scanPersonalities(scanning, machine, compact),
        emit: (parts) => emitDylib(planDylib(parts, machine, compact, options), options),
      };
    },
  };
}

/** Sections of Objective-C. Its linkers make one of the objects' (image information, categories, method names). */
const OF_CLASSES = /^__OBJC,|,__objc_/;

function refuseClasses(link: Link): void {
  for (const { file } of link.files) {
    const found = file.sections.find(({ name }) => OF_CLASSES.test(name));
    if (found === undefined) continue;
    const where = `${file.name}: ${found.name}`;
    report(link, new IpbpError('IPBP2035', 'classes of Objective-C are not linked', { where }));
  }
}

const LONGEST_NAME = 16;
const UNWIND_INFO = '__TEXT,__unwind_info';
/** Longer ones make code move; functions of one segment keep their distances, so that a second look is enough. */
const MOST_LOOKS = 8;

function planDylib(parts: LinkParts, machine: DylibMachine, compact: CompactUnwind, options: DylibOptions): DylibPlan {
  const { scanning, unwind } = parts;
  const { link, needs } = scanning;
  const { sections } = link;
  const tables = makeTables(link, needs);
  const initialisers = options.initOffsets ? takeInitialisers(scanning) : null;
  const hasUnwind = compact.size > 0 || unwind !== null;
  const unwindInfo = hasUnwind
    ? addMadeSection(sections, { name: UNWIND_INFO, kind: 'unwind-table', align: 4, size: 4 })
    : -1;
  const outputs = makeOutputs(link);
  checkSections(link, outputs);
  const sources = { scanning, machine, compact, frames: unwind };
  // Which sections and libraries there are is settled, and placing changes no name.
  const headers = headerSize(link, machine, outputs, options);
  let layout!: Layout;
  let unwindBytes: Uint8Array = new Uint8Array(0);
  const place = (): void => {
    for (let look = 0; look < MOST_LOOKS; look++) {
      layout = placeOutputs(link, outputs, headers);
      checkReach(layout);
      if (unwindInfo < 0) return;
      unwindBytes = encodeUnwind(sources, placedLink(parts, tables, layout, outputs));
      if (unwindBytes.length <= (sections.size[unwindInfo] as number)) return;
      sections.size[unwindInfo] = unwindBytes.length;
      for (const output of outputs) if (output.name === UNWIND_INFO) output.size = unwindBytes.length;
    }
    throw new Error('internal: unwind information finds no size');
  };
  place();
  const veneers = addVeneers(scanning, outputs, place, () => placedLink(parts, tables, layout, outputs));
  return { ...parts, machine, outputs, layout, tables, veneers, unwindInfo, unwindBytes, initialisers };
}

/** What says where code and its tables are counts from the file's start in 32 bits. */
function checkReach({ end }: Layout): void {
  if (end < 2 ** 32) return;
  throw new IpbpError('IPBP2035', 'the image is larger than the format has addresses for', {
    expected: 'less than 4 GiB',
    actual: hex(end),
    where: 'the end of the image',
  });
}

/** Symbols name a section by one byte; its name and its segment's have 16 bytes each. */
function checkSections(link: Link, outputs: readonly OutputSection[]): void {
  for (const { name, alloc, members } of outputs) {
    const { segment, name: own } = unplaced({ name });
    if (!alloc || [segment, own].every((part) => encodeText(part).length <= LONGEST_NAME)) continue;
    const file = link.files[link.sections.file[members[0] ?? -1] ?? -1]?.file.name ?? 'the link';
    throw new IpbpError('IPBP2035', 'the name of a section is longer than the format has room for', {
      expected: `${LONGEST_NAME} bytes for the segment, as many for the section`,
      where: `${file}: ${name}`,
    });
  }
  if (outputs.length > 255) {
    report(
      link,
      new IpbpError('IPBP2035', 'there are more sections than the format has numbers for', {
        expected: 'at most 255',
        actual: String(outputs.length),
      }),
    );
  }
}

function headerSize(
  link: Link,
  machine: DylibMachine,
  outputs: readonly OutputSection[],
  options: DylibOptions,
): number {
  const regions = [...new Set(['__TEXT', ...outputs.map(({ region }) => region)])];
  const segments = regions.map((region): LinkedSegment => {
    const members = outputs.filter((output) => output.region === region);
    return linkedSegment(region, { address: 0, offset: 0, memorySize: 0, fileSize: 0 }, members.map(unplaced));
  });
  return linkedHeaderSize(linkedHeader(link, machine, segments, options)) + options.headerPad;
}

function unplaced({ name }: Pick<OutputSection, 'name'>): LinkedSection {
  const [segment = '', section = ''] = name.split(',');
  return { segment, name: section, address: 0, size: 0, offset: 0, align: 1, flags: 0, indirect: 0, stubSize: 0 };
}

type Place = Pick<LinkedSegment, 'address' | 'offset' | 'memorySize' | 'fileSize'>;

function linkedSegment(name: string, place: Place, sections: readonly LinkedSection[]): LinkedSegment {
  const protection = name === '__TEXT' ? 'rx' : 'rw';
  return { ...place, name, protection, readOnlyLater: name === '__DATA_CONST', sections };
}

function linkedHeader(
  link: Link,
  machine: DylibMachine,
  segments: readonly LinkedSegment[],
  options: DylibOptions,
): LinkedHeader {
  const { identity, build, fixups, searchPaths, signed, identified } = options;
  const needed = neededLibraries(link).map(({ name, how, versions }) => ({ name, kind: how, ...versions }));
  const flags = headerFlags(
    link,
    needed.some(({ kind }) => kind === 'reexported'),
  );
  return {
    machine,
    fileType: macho.MH_DYLIB,
    flags,
    identity,
    needed,
    searchPaths,
    build,
    segments,
    fixups,
    unsigned: !signed,
    unidentified: !identified,
  };
}

function headerFlags({ symbols: table, sections }: Link, reexports: boolean): number {
  let weak = false;
  for (let symbol = 0; symbol < table.names.count && !weak; symbol++) {
    weak = symbols.hasFlag(table, symbol, symbols.DYNAMIC) && symbols.hasFlag(table, symbol, symbols.WEAK);
  }
  const descriptors = sections.section.some(
    ({ kind }, number) => kind === 'tls-descriptors' && sections.fate[number] === 0,
  );
  return (
    macho.MH_NOUNDEFS +
    macho.MH_DYLDLINK +
    macho.MH_TWOLEVEL +
    (weak ? macho.MH_WEAK_DEFINES + macho.MH_BINDS_TO_WEAK : 0) +
    (reexports ? 0 : macho.MH_NO_REEXPORTED_DYLIBS) +
    (descriptors ? macho.MH_HAS_TLV_DESCRIPTORS : 0)
  );
}

/** Writes the file. Errors of fixups are collected in the link. */
function emitDylib(plan: DylibPlan, options: DylibOptions): Emitted {
  const { scanning, layout, outputs, tables, machine } = plan;
  const { link, needs } = scanning;
  const placed = placedLink(plan, tables, layout, outputs);
  const { values } = placed;
  const body = new Uint8Array(layout.fileEnd);
  const contents = writeContents(plan, placed, body, -1);
  if (plan.unwindInfo >= 0) contents.bytesOf(plan.unwindInfo).set(plan.unwindBytes);
  const { initialisers } = plan;
  if (initialisers !== null && initialisers.section >= 0)
    writeInitialisers(initialisers, placed, contents.bytesOf(initialisers.section));
  if (link.errors.length > 0) return { bytes: body, outputs, values };
  const segments = linkedSegments(plan);
  const exported = exportedSymbols(link, values);
  const symbolTable = encodeDylibSymbols({
    link,
    values,
    exported,
    work: contents.loader,
    modified: (file) => options.modified(file),
  });
  const bytes = writeLinked(body, linkedHeader(link, machine, segments, options), {
    fixups: encodeFixups(link, values, contents.loader, body, segments, options.fixups),
    exports: encodeExports(link, values, exported),
    functionStarts: encodeFunctionStarts(functionStarts(link, values)),
    dataInCode: encodeDataInCode(link, values),
    symbols: symbolTable.encoded,
    indirect: indirectSymbols(needs, symbolTable),
    identifier: options.identifier,
  });
  return { bytes, outputs, values };
}

function linkedSegments({ layout, outputs, tables, scanning }: DylibPlan): LinkedSegment[] {
  const { link, needs } = scanning;
  const stubs = outputs[link.sections.output[tables.plt] ?? -1];
  const slots = outputs[link.sections.output[tables.got >= 0 ? tables.got : tables.gotPlt] ?? -1];
  return layout.segments.map(({ region, ...place }) => {
    const members = outputs.filter((output) => output.region === region);
    const sections = members.map((output): LinkedSection => {
      const { address, size, align } = output;
      const indirect = output === slots ? needs.stubs.length : 0;
      const stubSize = output === stubs ? link.machine.shared.plt.entrySize : 0;
      const offset = output.zero ? 0 : output.offset;
      return { ...unplaced(output), address, size, offset, align, flags: sectionFlags(output), indirect, stubSize };
    });
    return linkedSegment(region, place, sections);
  });
}

/** Addresses of all functions, rising. */
function functionStarts(link: Link, values: Values): number[] {
  const starts = new Set<number>();
  for (const file of link.files) {
    const { columns, base, globals } = file;
    for (let row = 1; row < columns.count; row++) {
      const at = columns.section[row] as number;
      if (columns.kind[row] !== KIND_FUNCTION || at < 0 || values.alive[base + at] === 0) continue;
      const symbol = globals[row] as number;
      if (symbol >= 0 && link.symbols.file[symbol] !== file.number) continue;
      starts.add(localAddress(values, file, row, 0));
    }
  }
  return [...starts].sort((a, b) => a - b);
}
