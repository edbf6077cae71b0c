// Pass: joins what is kept into output sections and puts those in order: the target's regions, then what is not loaded.
import { alignUp } from '../../bytes/align.js';
import type { Section, SectionKind } from '../../formats/object-file.js';
import type { Link } from './link-state.js';
import { arrayOf } from './output-names.js';
import type { OutputSection, Region } from './output-section.js';
import { MADE_FILE, SECTION_KEPT } from './sections.js';

/** Makes all output sections; their sizes are set, addresses are not. */
export function makeOutputs(link: Link): OutputSection[] {
  const { sections, target } = link;
  const { layout, sections: rules } = target;
  const loaded = new Map<string, OutputSection>();
  const others = new Map<string, OutputSection>();
  const outputs: OutputSection[] = [];
  for (let number = 0; number < sections.section.length; number++) {
    if (sections.fate[number] !== SECTION_KEPT) continue;
    const section = sections.section[number] as Section;
    const made = sections.file[number] === MADE_FILE;
    if (made && sections.size[number] === 0 && section.name !== rules.made.common) continue;
    const array = arrayOf(link, number);
    const name = array ?? rules.outputName(section);
    // Of one name can be what is loaded and what is not: two sections.
    const byName = section.alloc ? loaded : others;
    let output = byName.get(name);
    if (output === undefined) {
      output = open(name, section);
      byName.set(name, output);
      outputs.push(output);
    } else join(output, section);
    output.members.push(number);
    // The loader reads arrays and descriptors as words.
    if (array !== null || section.kind === 'tls-descriptors')
      output.align = Math.max(output.align, link.machine.pointerSize);
  }
  for (const output of outputs) finish(link, output);
  alignTemplate(outputs);
  const regions = [...layout.regions];
  const ordered = outputs
    .map((output, index) => ({
      output,
      index,
      region: regionNumber(regions, output),
      rank: output.alloc ? layout.rank(output) : 0,
    }))
    .sort((a, b) => a.region - b.region || a.rank - b.rank || a.index - b.index)
    .map(({ output }) => output);
  ordered.forEach((output, number) => {
    (output as { number: number }).number = number;
    for (const member of output.members) sections.output[member] = number;
  });
  return ordered;
}

/** Regions that the target does not know come in the order of the inputs, what is not loaded behind all. */
function regionNumber(regions: Region[], { region }: OutputSection): number {
  if (region === 'none') return Infinity;
  const number = regions.indexOf(region);
  return number < 0 ? regions.push(region) - 1 : number;
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
  const { sections, target } = link;
  if (!output.mergeable) output.strings = false;
  if (output.kind === 'init' || output.kind === 'fini') {
    const priority = (number: number): number => target.sections.priorityOf(sections.section[number]?.name ?? '');
    output.members.sort((a, b) => priority(a) - priority(b));
  }
  layOutMembers(link, output);
  output.region = output.alloc ? target.layout.regionOf(output) : 'none';
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
