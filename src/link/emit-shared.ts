// From needs to an ELF shared object: which made sections there are and how large, where everything goes, and what is
// written there. Headers and symbol tables are emit-shared-file's, the loader's tables emit-shared-dynamic's.
import { encodeEhFrameHeader, ehFrameHeaderSize } from '../formats/dwarf/eh-frame-header.js';
import * as elf from '../formats/elf/constants.js';
import { encodeNote } from '../formats/elf/encode-dynamic.js';
import { encodeRelr } from '../formats/elf/relr.js';
import {
  encodeDynamicSymbols,
  encodeDynamicTable,
  encodeWork,
  planDynamic,
  type DynamicPlan,
} from './emit-shared-dynamic.js';
import { emitShared, headerSize } from './emit-shared-file.js';
import { planProperties, type PropertiesPlan } from './emit-shared-properties.js';
import { SHARED_LAYOUT, SHARED_SECTIONS, SHARED_SYMBOLS } from './emit-shared-rules.js';
import { placedLink, writeContents, type PlacedImage, type WrittenContents } from './shared/contents.js';
import type { Emitted, Emitter, LinkParts } from './shared/emitter.js';
import type { Link } from './shared/link-state.js';
import { bindingOf } from './shared/local-symbols.js';
import type { Needs } from './shared/needs.js';
import { makeOutputs } from './shared/outputs.js';
import { placeOutputs, type Layout } from './shared/place.js';
import { addMadeSection } from './shared/sections.js';
import * as symbols from './shared/symbols.js';
import { countTableWork, makeTables, rebasedSlots, tableAddresses, type Tables } from './shared/tables.js';
import type { Values } from './shared/values.js';
import { addVeneers } from './shared/veneers.js';

/** All sections and their places. */
interface SharedPlan extends PlacedImage {
  readonly dynamic: DynamicPlan;
  readonly unwindHeader: number;
  readonly buildId: number;
  readonly properties: PropertiesPlan | null;
  readonly packed: Uint8Array;
}

/** Makes the link's own sections and places everything. */
function planShared(parts: LinkParts): SharedPlan {
  const { scanning, unwind } = parts;
  const { link, needs } = scanning;
  const { sections, options } = link;
  const properties = planProperties(link, parts.machine);
  const tables = makeTables(link, needs);
  const bind = (symbol: number): number => bindingOf(scanning, symbol);
  const slots = countTableWork(needs, bind);
  const rebased = rebasedSlots(needs, bind);
  const dynamic = planDynamic(link, needs, {
    relative: needs.relative + (options.packRelative ? 0 : slots.relative),
    packed: options.packRelative ? needs.packedSection.length + slots.relative : 0,
    other: needs.dynamic + slots.other,
  });
  const unwindHeader =
    unwind === null || !options.unwindHeader
      ? -1
      : addMadeSection(sections, { name: '.eh_frame_hdr', align: 4, size: ehFrameHeaderSize(unwind.fdeCount) });
  const idSize =
    options.buildId === null ? 0 : 'bytes' in options.buildId ? options.buildId.bytes.length : options.buildId.size;
  const buildId =
    options.buildId === null
      ? -1
      : addMadeSection(sections, {
          name: '.note.gnu.build-id',
          kind: 'note',
          align: 4,
          size: encodeNote('GNU', elf.NT_GNU_BUILD_ID, new Uint8Array(idSize)).length,
        });
  const outputs = makeOutputs(link);
  let layout!: Layout;
  let packed: Uint8Array = new Uint8Array(0);
  const place = (): void => {
    layout = placeOutputs(link, outputs, headerSize(link, outputs));
    while (dynamic.relrDyn >= 0) {
      packed = encodeRelr(packedAddresses(link, needs, tables, rebased));
      const size = sections.size[dynamic.relrDyn] as number;
      if (packed.length <= size) break;
      sections.size[dynamic.relrDyn] = packed.length;
      for (const output of outputs) if (output.name === '.relr.dyn') output.size = packed.length;
      layout = placeOutputs(link, outputs, headerSize(link, outputs));
    }
  };
  place();
  const veneers = addVeneers(scanning, outputs, place, () => placedLink(parts, tables, layout, outputs));
  return { ...parts, outputs, layout, tables, dynamic, unwindHeader, buildId, properties, packed, veneers };
}

/** Addresses of the words whose rebases are packed, rising. */
function packedAddresses(link: Link, needs: Needs, tables: Tables, slots: readonly number[]): Float64Array {
  const { packedSection, packedOffset } = needs;
  const addresses = new Float64Array(packedSection.length + slots.length);
  packedSection.forEach((section, index) => {
    addresses[index] = (link.sections.address[section] as number) + (packedOffset[index] as number);
  });
  const { slots: start } = tableAddresses(link, tables);
  slots.forEach((word, index) => (addresses[packedSection.length + index] = start + word * link.machine.pointerSize));
  // Two relocations of one place are one word.
  return addresses.sort().filter((address, index) => address !== addresses[index - 1]);
}

/** Writes the file. Errors of fixups are collected in the link. */
function writeShared(plan: SharedPlan): Emitted {
  const { scanning, layout, outputs, tables, dynamic, unwind } = plan;
  const { link } = scanning;
  const placed = placedLink(plan, tables, layout, outputs);
  const { values } = placed;
  const { machine } = plan;
  const { bytes } = emitShared({
    link,
    machine,
    outputs,
    layout,
    values,
    plan: dynamic,
    tables,
    entry: entryAddress(link, values),
  });
  const contents = writeContents(plan, placed, bytes, dynamic.dynamic);
  if (plan.unwindHeader >= 0 && unwind !== null && contents.fdes !== null) {
    const { address } = link.sections;
    const at = address[plan.unwindHeader] as number;
    contents.bytesOf(plan.unwindHeader).set(encodeEhFrameHeader(at, address[unwind.section] as number, contents.fdes));
  }
  if (link.errors.length > 0) return { bytes, outputs, values };
  writeLoaderTables(plan, contents);
  writeBuildId(plan, bytes, contents.bytesOf);
  return { bytes, outputs, values };
}

function writeLoaderTables(plan: SharedPlan, { values, loader, bytesOf }: WrittenContents): void {
  const { dynamic, outputs, tables, scanning } = plan;
  const { link } = scanning;
  const placed = { outputs, values, tables };
  const sorted = encodeWork(link, dynamic, loader);
  const put = (section: number, content: Uint8Array | null): void => {
    if (section < 0 || content === null) return;
    const to = bytesOf(section);
    if (content.length > to.length) throw new Error('internal: a table is larger than planned');
    to.set(content);
  };
  put(plan.properties?.section ?? -1, plan.properties?.bytes ?? null);
  put(dynamic.dynsym, encodeDynamicSymbols(link, dynamic, placed));
  put(dynamic.dynstr, dynamic.strings.finish());
  put(dynamic.gnuHash, dynamic.hashes.gnu);
  put(dynamic.hash, dynamic.hashes.sysv);
  put(dynamic.versym, dynamic.versions?.numbers ?? null);
  put(dynamic.verneed, dynamic.versions?.needs ?? null);
  put(dynamic.relaDyn, sorted.rela);
  put(dynamic.relaPlt, sorted.plt);
  put(dynamic.dynamic, encodeDynamicTable(link, dynamic, scanning.needs, placed, sorted.relativeCount));
  if (dynamic.relrDyn >= 0) {
    const to = bytesOf(dynamic.relrDyn);
    to.set(plan.packed);
    // Bitmaps of no word fill what was planned too large.
    for (let at = plan.packed.length; at < to.length; at += 8) to[at] = 1;
  }
}

function writeBuildId(plan: SharedPlan, bytes: Uint8Array, bytesOf: (section: number) => Uint8Array): void {
  const { buildId } = plan.scanning.link.options;
  if (buildId === null) return;
  const note = (id: Uint8Array): Uint8Array => encodeNote('GNU', elf.NT_GNU_BUILD_ID, id);
  const to = bytesOf(plan.buildId);
  if ('bytes' in buildId) to.set(note(buildId.bytes));
  else {
    to.set(note(new Uint8Array(buildId.size)));
    to.set(note(buildId.digest(bytes).subarray(0, buildId.size)));
  }
}

function entryAddress(link: Link, values: Values): number {
  const { entry } = link.options;
  if (entry === null) return 0;
  const symbol = symbols.findSymbol(link.symbols, entry);
  if (symbol >= 0 && (link.symbols.state[symbol] as number) >= symbols.STATE_COMMON) {
    return values.symbolAddress[symbol] as number;
  }
  const number = Number(entry);
  if (Number.isSafeInteger(number) && entry.trim() !== '') return number;
  link.warnings.push(`the entry ${entry} is not defined; it is 0`);
  return 0;
}

/** Links objects to a shared object. */
export const SHARED_OBJECT: Emitter = {
  target: {
    format: 'elf',
    sections: SHARED_SECTIONS,
    layout: SHARED_LAYOUT,
    symbols: SHARED_SYMBOLS,
    // The address of .dynamic.
    reservedSlots: 1,
    keepsUnloaded: true,
  },
  open: () => ({
    companions: null,
    isDescribed: () => false,
    scan() {
      // Nothing that the passes do not see.
    },
    emit: (parts) => writeShared(planShared(parts)),
  }),
};
