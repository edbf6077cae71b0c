// Writes all that a link places into its file: sections, veneers, merged pieces, unwind records, the tables. What the
// loader has to do is gathered on the way; how that is told to it is the target's.
import type { FdeColumns } from '../../formats/dwarf/eh-frame-header.js';
import type { LinkParts } from './emitter.js';
import type { FixupContext } from './fixups.js';
import { createLoaderWork, type LoaderWork } from './loader-work.js';
import { addressOf, bindingOf } from './local-symbols.js';
import { writeMerged } from './merge.js';
import type { OutputSection } from './output-section.js';
import type { Layout } from './place.js';
import { tableAddresses, writeTables, type Tables } from './tables.js';
import { computeValues, type Values } from './values.js';
import { detours, writeVeneers, type PlacedLink, type Veneers } from './veneers.js';
import { writeSections, writeUnwind } from './write.js';

/** A link of which everything has its place. */
export interface PlacedImage extends LinkParts {
  readonly outputs: readonly OutputSection[];
  readonly layout: Layout;
  readonly tables: Tables;
  readonly veneers: Veneers | null;
}

/** All addresses of a placed link. */
export function placedLink(
  parts: LinkParts,
  tables: Tables,
  layout: Layout,
  outputs: readonly OutputSection[],
): PlacedLink {
  const { link } = parts.scanning;
  const addresses = tableAddresses(link, tables);
  const section = parts.unwind?.section ?? -1;
  return {
    addresses,
    values: computeValues(link, parts.merged, section, layout, outputs, parts.made, addresses.table),
  };
}

/** What was written, and what is left to the loader. */
export interface WrittenContents {
  readonly values: Values;
  readonly loader: LoaderWork;
  /** Where each FDE and its code are; null without unwind records. */
  readonly fdes: FdeColumns | null;
  /** The bytes of a made section in the file. */
  bytesOf(section: number): Uint8Array;
}

/**
 * Writes into the file. `dynamicSection` is the number of the section whose address the tables begin with, −1 for none.
 * Errors are collected in the link.
 */
export function writeContents(
  image: PlacedImage,
  { values, addresses }: PlacedLink,
  bytes: Uint8Array,
  dynamicSection: number,
): WrittenContents {
  const { scanning, outputs, tables, veneers, merged, unwind } = image;
  const { link, needs } = scanning;
  const { sections } = link;
  const bytesOf = (section: number): Uint8Array => {
    const output = outputs[sections.output[section] as number];
    const start = (output?.offset ?? 0) + (sections.offset[section] as number);
    return bytes.subarray(start, start + (sections.size[section] as number));
  };
  const loader = createLoaderWork(needs.relative + needs.packedSection.length + needs.dynamic + needs.words);
  const detour = veneers === null ? null : detours(scanning, veneers, { values, addresses });
  const context: FixupContext = { ...scanning, values, addresses, loader, detour };
  writeSections(context, outputs, bytes);
  if (veneers !== null) writeVeneers(scanning, veneers, { values, addresses }, bytesOf);
  for (const section of merged.sections) writeMerged(section, bytesOf(section.section));
  const fdes = unwind === null ? null : writeUnwind(context, unwind, bytesOf(unwind.section));
  const content = { needs, tables, addresses, dynamicSection, templateStart: values.templateStart };
  writeTables(
    link,
    {
      ...content,
      bindingOf: (symbol) => bindingOf(scanning, symbol),
      addressOf: (symbol) => addressOf(scanning, values, symbol),
    },
    bytesOf,
    loader,
  );
  return { values, loader, fdes, bytesOf };
}
