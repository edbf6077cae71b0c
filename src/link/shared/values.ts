// Addresses of symbols once everything is placed. Local symbols are computed when asked for, global ones once.
import { KIND_SECTION, KIND_TLS } from '../../formats/columns.js';
import type { Link, TakenFile } from './link-state.js';
import type { MadeSymbol } from './made-symbols.js';
import { mergedOffset, type Merged, type MergedInput } from './merge.js';
import type { OutputSection } from './output-section.js';
import type { Layout } from './place.js';
import { hasTrait, SECTION_ABSORBED, SECTION_KEPT, TRAIT_ALLOC, TRAIT_UNWIND } from './sections.js';
import * as symbols from './symbols.js';

/** What fixups ask for. Columns by section number and by number of a global symbol. */
export interface Values {
  /** Address of the section; of what is not loaded, its offset in the output section. 0 for what is gone. */
  readonly sectionAddress: Float64Array;
  /** 1 where the section's content is part of the result. */
  readonly alive: Uint8Array;
  readonly merged: readonly (MergedInput | undefined)[];
  /** Address of a global symbol; of a thread-local one too. 0 for what is not defined. */
  readonly symbolAddress: Float64Array;
  readonly templateStart: number;
}

/** Computes all of them, and fills in what the link itself defines. */
export function computeValues(
  link: Link,
  merged: Merged,
  unwindSection: number,
  layout: Layout,
  outputs: readonly OutputSection[],
  made: readonly MadeSymbol[],
  table: number,
): Values {
  const { sections } = link;
  const count = sections.section.length;
  const sectionAddress = new Float64Array(count);
  const alive = new Uint8Array(count);
  const mergedBySection: (MergedInput | undefined)[] = new Array<MergedInput | undefined>(count).fill(undefined);
  for (const [number, input] of merged.inputs) mergedBySection[number] = input;
  for (let number = 0; number < count; number++) {
    const fate = sections.fate[number];
    if (fate === SECTION_KEPT) {
      alive[number] = 1;
      const alloc = hasTrait(sections, number, TRAIT_ALLOC);
      sectionAddress[number] = (alloc ? sections.address[number] : sections.offset[number]) as number;
    } else if (fate === SECTION_ABSORBED) {
      alive[number] = 1;
      if (hasTrait(sections, number, TRAIT_UNWIND) && unwindSection >= 0) {
        sectionAddress[number] = sections.address[unwindSection] as number;
      }
    }
  }
  const values: Values = {
    sectionAddress,
    alive,
    merged: mergedBySection,
    symbolAddress: new Float64Array(link.symbols.names.count),
    templateStart: layout.template?.address ?? 0,
  };
  fillGlobals(link, values);
  for (const [section, { symbol, offset }] of link.copies) {
    sectionAddress[section] = (values.symbolAddress[symbol] as number) - offset;
  }
  for (const { symbol, place } of made) {
    const address = madeAddress(link, values, place, layout, outputs, table);
    link.symbols.value[symbol] = address;
    values.symbolAddress[symbol] = address;
  }
  return values;
}

function fillGlobals(link: Link, values: Values): void {
  const table = link.symbols;
  for (let symbol = 0; symbol < table.names.count; symbol++) {
    if ((table.state[symbol] as number) < symbols.STATE_COMMON) continue;
    const section = table.section[symbol] as number;
    const value = table.value[symbol] as number;
    if (section === symbols.ABSOLUTE) values.symbolAddress[symbol] = value;
    else if (section >= 0) values.symbolAddress[symbol] = placeInSection(values, section, value);
  }
}

/** The address of an offset in a section, through the table of a merged one. */
export function placeInSection(values: Values, section: number, offset: number): number {
  const merged = values.merged[section];
  if (merged === undefined) return (values.sectionAddress[section] as number) + offset;
  return (values.sectionAddress[merged.section] as number) + mergedOffset(merged, offset);
}

/** S + A of a local row. Of a section's own symbol in a merged section, the addend says which piece is meant. */
export function localAddress(values: Values, file: TakenFile, row: number, addend: number): number {
  const at = file.columns.section[row] as number;
  const value = file.columns.value[row] as number;
  if (at < 0) return value + addend;
  const section = file.base + at;
  const merged = values.merged[section];
  if (merged === undefined) return (values.sectionAddress[section] as number) + value + addend;
  const start = values.sectionAddress[merged.section] as number;
  if (file.columns.kind[row] === KIND_SECTION) return start + mergedOffset(merged, value + addend);
  return start + mergedOffset(merged, value) + addend;
}

/** What symbol tables say of a global symbol: an address, or an offset in the template. */
export function tableValue(link: Link, values: Values, symbol: number): number {
  const address = values.symbolAddress[symbol] as number;
  return link.symbols.kind[symbol] === KIND_TLS ? address - values.templateStart : address;
}

function madeAddress(
  link: Link,
  values: Values,
  place: MadeSymbol['place'],
  layout: Layout,
  outputs: readonly OutputSection[],
  table: number,
): number {
  switch (place.kind) {
    case 'image-start':
      return 0;
    case 'code-end': {
      const code = layout.segments.findLast(({ region }) => region === 'code') ?? layout.segments[0];
      return code === undefined ? 0 : code.address + code.memorySize;
    }
    case 'data-end': {
      const data = layout.segments.at(-1);
      return data === undefined ? layout.end : data.address + data.fileSize;
    }
    case 'zero-start': {
      const zero = outputs.find((output) => output.name === place.section && output.alloc);
      const data = layout.segments.at(-1);
      return zero?.address ?? (data === undefined ? layout.end : data.address + data.fileSize);
    }
    case 'image-end': {
      return Math.max(
        0,
        ...outputs
          .filter(({ region }) => region !== 'none')
          .map((o) => o.address + (o.kind === 'tls-zero' ? 0 : o.size)),
      );
    }
    case 'template':
      return values.templateStart;
    case 'table':
      return table;
    case 'section': {
      const output = outputs.find((candidate) => candidate.alloc && candidate.name === place.name);
      if (output === undefined) return 0;
      return place.edge === 'start' ? output.address : output.address + output.size;
    }
    case 'region': {
      const segment = layout.segments.find(({ region }) => region === place.name);
      // Of a region that is not there both edges are one place.
      if (segment === undefined) return layout.end;
      return place.edge === 'start' ? segment.address : segment.address + segment.memorySize;
    }
    case 'handle': {
      // Any address of this module will do, as long as it is rebased; it is compared only.
      return 0;
    }
    case 'symbol':
      return (values.symbolAddress[place.base] as number) + place.offset;
  }
}
