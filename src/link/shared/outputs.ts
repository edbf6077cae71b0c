// Pass: joins what is kept into output sections and puts those in order: read-only, code, what is read-only after the
// loader's work, data, zero-filled; what is not loaded comes last.
import { alignUp } from '../../bytes/align.js';
import type { Section, SectionKind } from '../../formats/object-file.js';
import type { Link } from './link-state.js';
import { arrayOf, outputName, priorityOf } from './output-names.js';
import { MADE_FILE, SECTION_KEPT } from './sections.js';

/** The parts of the image that have a protection of their own, in the order of their addresses. */
export const REGIONS = ['readonly', 'code', 'relro', 'data', 'large', 'none'] as const;
export type Region = (typeof REGIONS)[number];

export interface OutputSection {
  readonly number: number;
  readonly name: string;
  kind: SectionKind;
  readonly alloc: boolean;
  writable: boolean;
  executable: boolean;
  mergeable: boolean;
  strings: boolean;
  entrySize: number;
  align: number;
  region: Region;
  /** Numbers of the sections that it holds, in order. */
  readonly members: number[];
  size: number;
  /** No bytes in the file. */
  zero: boolean;
  address: number;
  /** In the file. */
  offset: number;
}

/** Sections that are made read-only once the loader is done with them, by name. */
const RELRO_NAMES = new Set(['.dynamic', '.got', '.jcr', '.preinit_array', '.bss.rel.ro', '.data.rel.ro']);
const RELRO_KINDS: ReadonlySet<SectionKind> = new Set<SectionKind>(['init', 'fini', 'relro', 'tls-data', 'tls-zero']);

/** Within a region: sections of these names come first, in this order; others behind them in the order of the inputs. */
const FIRST = [
  '.note.gnu.build-id',
  '.note.gnu.property',
  '.note.ABI-tag',
  '.gnu.hash',
  '.hash',
  '.dynsym',
  '.dynstr',
  '.gnu.version',
  '.gnu.version_r',
  '.rela.dyn',
  '.relr.dyn',
  '.rela.plt',
  '.init',
  '.plt',
  '.plt.got',
  '.text',
  '.fini',
  '.tdata',
  '.tbss',
  '.preinit_array',
  '.init_array',
  '.fini_array',
  '.ctors',
  '.dtors',
];
/** And these last. */
const LAST = [
  '.eh_frame_hdr',
  '.eh_frame',
  '.gcc_except_table',
  '.data.rel.ro',
  '.dynamic',
  '.got',
  '.got.plt',
  '.data',
];

/** Makes all output sections; their sizes are set, addresses are not. */
export function makeOutputs(link: Link): OutputSection[] {
  const { sections } = link;
  const loaded = new Map<string, OutputSection>();
  const others = new Map<string, OutputSection>();
  const outputs: OutputSection[] = [];
  for (let number = 0; number < sections.section.length; number++) {
    if (sections.fate[number] !== SECTION_KEPT) continue;
    const section = sections.section[number] as Section;
    const made = sections.file[number] === MADE_FILE;
    if (made && sections.size[number] === 0 && section.name !== 'COMMON') continue;
    const array = arrayOf(link, number);
    const name = array ?? outputName(section);
    // Of one name can be what is loaded and what is not: two sections.
    const byName = section.alloc ? loaded : others;
    let output = byName.get(name);
    if (output === undefined) {
      output = open(name, section);
      byName.set(name, output);
      outputs.push(output);
    } else join(output, section);
    output.members.push(number);
    // The loader reads arrays as words.
    if (array !== null) output.align = Math.max(output.align, link.machine.pointerSize);
  }
  for (const output of outputs) finish(link, output);
  alignTemplate(outputs);
  const ordered = outputs
    .map((output, index) => ({ output, index }))
    .sort((a, b) => rank(a.output) - rank(b.output) || a.index - b.index)
    .map(({ output }) => output);
  ordered.forEach((output, number) => {
    (output as { number: number }).number = number;
    for (const member of output.members) sections.output[member] = number;
  });
  return ordered;
}

/** The template starts at a multiple of its largest alignment, so that offsets in it are as aligned as addresses. */
function alignTemplate(outputs: readonly OutputSection[]): void {
  const parts = outputs.filter(({ kind }) => kind === 'tls-data' || kind === 'tls-zero');
  const first = parts.find(({ kind }) => kind === 'tls-data') ?? parts[0];
  if (first !== undefined) first.align = Math.max(...parts.map(({ align }) => align));
}

function open(name: string, section: Section): OutputSection {
  return {
    number: -1,
    name,
    kind: section.kind,
    alloc: section.alloc,
    writable: section.writable,
    executable: section.executable,
    mergeable: section.mergeable,
    strings: section.strings,
    entrySize: section.entrySize,
    align: section.align,
    region: 'none',
    members: [],
    size: 0,
    zero: isZero(section.kind),
    address: 0,
    offset: 0,
  };
}

function isZero(kind: SectionKind): boolean {
  return kind === 'zero' || kind === 'tls-zero';
}

function join(output: OutputSection, section: Section): void {
  output.writable ||= section.writable;
  output.executable ||= section.executable;
  output.align = Math.max(output.align, section.align);
  if (section.mergeable !== output.mergeable || section.strings !== output.strings) output.mergeable = false;
  if (section.entrySize !== output.entrySize) {
    output.mergeable = false;
    output.entrySize = 0;
  }
  if (!isZero(section.kind) && output.zero) {
    output.zero = false;
    output.kind = section.kind;
  } else if (output.kind !== section.kind && !isZero(section.kind)) {
    // What is written at run time in one of them is so in all.
    if (section.kind === 'data' || (section.kind === 'code' && output.kind !== 'data')) output.kind = section.kind;
  }
}

/** Orders the members and lays them out. */
function finish(link: Link, output: OutputSection): void {
  const { sections } = link;
  if (!output.mergeable) output.strings = false;
  if (output.kind === 'init' || output.kind === 'fini') {
    const priority = (number: number): number => priorityOf(sections.section[number]?.name ?? '');
    output.members.sort((a, b) => priority(a) - priority(b));
  }
  layOutMembers(link, output);
  output.region = regionOf(output);
}

/** Gives every member its offset; the section's size with it. */
export function layOutMembers(link: Link, output: OutputSection): void {
  const { sections } = link;
  let end = 0;
  for (const member of output.members) {
    const start = alignUp(end, sections.align[member] as number);
    sections.offset[member] = start;
    end = start + (sections.size[member] as number);
  }
  output.size = end;
}

function regionOf(output: OutputSection): Region {
  if (!output.alloc) return 'none';
  // What need not be near code lies behind all the rest; constants of that kind before it (rank).
  if (output.name === '.ldata' || output.name === '.lbss') return 'large';
  if (output.executable) return output.writable ? 'data' : 'code';
  if (!output.writable && !output.kind.startsWith('tls')) return 'readonly';
  return RELRO_KINDS.has(output.kind) || RELRO_NAMES.has(output.name) ? 'relro' : 'data';
}

function rank(output: OutputSection): number {
  const region = REGIONS.indexOf(output.region) * 1000;
  if (output.region === 'none') return region;
  if (output.name === '.lrodata') return region - 1;
  if (output.name === '.ltext') return region + 900;
  // Notes stand together, so that one segment holds them.
  if (output.kind === 'note' && !FIRST.includes(output.name)) return region + FIRST.indexOf('.note.ABI-tag') + 0.5;
  if (output.zero && output.kind !== 'tls-zero') return region + (output.name === '.bss' ? 900 : 800);
  // The template is one block: whatever the names are.
  if (output.kind === 'tls-data') return region + FIRST.indexOf('.tdata');
  if (output.kind === 'tls-zero') return region + FIRST.indexOf('.tbss');
  const first = FIRST.indexOf(output.name);
  if (first >= 0) return region + first;
  const last = LAST.indexOf(output.name);
  return region + (last >= 0 ? 200 + last : 100);
}
