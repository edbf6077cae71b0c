// Links one prepared object by the fixup pass of shared objects, relocation by relocation, at the addresses that JITLink
// chose. Whether code goes through a slot or a stub is JITLink's choice too; what its bytes become then is compared.
import { SECTION_COMMON } from '../../src/formats/columns.js';
import type { ObjectFile } from '../../src/formats/object-file.js';
import { SHARED_OBJECT } from '../../src/link/emit-shared.js';
import { TO_ADDRESS, TO_DYNAMIC } from '../../src/link/shared/bindings.js';
import { applyLoaded, type FixupContext, type FixupRange } from '../../src/link/shared/fixups.js';
import { openLink, type Link, type TakenFile } from '../../src/link/shared/link-state.js';
import { createLoaderWork } from '../../src/link/shared/loader-work.js';
import { lowerRows } from '../../src/link/shared/lowered-rows.js';
import { createNeeds } from '../../src/link/shared/needs.js';
import { DEFAULT_SHARED_OPTIONS } from '../../src/link/shared/options.js';
import { resolveInputs } from '../../src/link/shared/resolve.js';
import { machineFor } from '../../src/reloc/machines.js';
import type { Applied, OurPiece } from './ours.js';
import { checkName } from './prepare.js';
import type { JitlinkOutput } from './run-jitlink.js';

/** JITLink's names for what it makes. */
const SLOT_SECTIONS = new Set(['$__GOT', '$__TLSINFO', '$__TLSDESC']);
const STUB_SECTION = '$__STUBS';

/** A link of one object, resolved. */
function resolved(file: ObjectFile): Link {
  const link = openLink(machineFor(file.format, file.machine, file.name), DEFAULT_SHARED_OPTIONS, SHARED_OBJECT.target);
  resolveInputs(link, [{ kind: 'object', file }]);
  return link;
}

/** Links what JITLink kept. Unwind tables only where JITLink kept all of their records. */
export function linkOursShared(
  file: ObjectFile,
  output: JitlinkOutput,
  outside: ReadonlyMap<string, number>,
): readonly OurPiece[] {
  const link = resolved(file);
  const taken = link.files[0];
  if (taken === undefined) throw new Error(`internal: ${file.name} was not taken into the link`);
  const needs = createNeeds(link);
  // Each relocation gets tables of its own, with the one slot or stub that it uses in the first place.
  needs.addressSlot.fill(0);
  needs.stubOf.fill(0);
  needs.localSlot = 0;
  const sectionAddress = new Float64Array(link.sections.section.length);
  for (const { index } of file.sections) {
    const address = addressOf(output, checkName(file, index));
    if (address !== undefined) sectionAddress[taken.base + index] = address;
  }
  const context: FixupContext = {
    link,
    lowered: lowerRows(link.machine),
    bound: new Uint8Array(link.symbols.names.count),
    needs,
    undefined: new Map(),
    values: {
      sectionAddress,
      alive: new Uint8Array(sectionAddress.length).fill(1),
      merged: [],
      symbolAddress: globalAddresses(taken, sectionAddress, output, outside, link.symbols.names.count),
      templateStart: 0,
    },
    addresses: { slots: 0, table: output.slotsAt, plt: 0, gotPlt: 0 },
    loader: createLoaderWork(0),
    detour: null,
  };
  return file.sections.flatMap(({ index, alloc, name }): OurPiece[] => {
    const section = checkName(file, index);
    const kept = output.sections.get(section);
    if (!alloc || kept === undefined) return [];
    const before = file.sectionBytes(index);
    const size = output.graph.blocks.reduce((sum, block) => sum + (block.section === section ? block.size : 0), 0);
    if (size !== before.length) return [];
    const bytes = before.slice();
    const applied = applySection(context, taken, index, bytes, kept.address, output);
    return [{ name, section, at: 0, before, bytes, applied }];
  });
}

function addressOf(output: JitlinkOutput, section: string): number | undefined {
  return output.graph.blocks.find((block) => block.section === section)?.address;
}

function globalAddresses(
  { columns, globals, base }: TakenFile,
  sectionAddress: Float64Array,
  { graph }: JitlinkOutput,
  outside: ReadonlyMap<string, number>,
  count: number,
): Float64Array {
  const addresses = new Float64Array(count);
  for (let row = columns.firstGlobal; row < columns.count; row++) {
    const global = globals[row]!;
    const section = columns.section[row]!;
    const name = columns.nameOf(row);
    if (global < 0) continue;
    if (section >= 0) addresses[global] = sectionAddress[base + section]! + columns.value[row]!;
    else if (section === SECTION_COMMON) addresses[global] = graph.symbols.get(name) ?? NaN;
    else addresses[global] = outside.get(name) ?? graph.symbols.get(name) ?? columns.value[row]!;
  }
  return addresses;
}

function applySection(
  context: FixupContext,
  file: TakenFile,
  index: number,
  bytes: Uint8Array,
  address: number,
  output: JitlinkOutput,
): Applied[] {
  const relocations = file.file.relocationColumns(index);
  const { link, bound, lowered, addresses } = context;
  const places = new Map(output.graph.blocks.map((block) => [block.address, block.section]));
  const applied: Applied[] = [];
  for (let at = 0; at < relocations.count; at++) {
    const offset = relocations.offset[at]!;
    const symbol = relocations.symbol[at]!;
    const global = file.globals[symbol]!;
    const place = output.graph.edges.get(address + offset)?.target ?? 0;
    const through = places.get(place) ?? '';
    const indirect = SLOT_SECTIONS.has(through) || through === STUB_SECTION;
    if (global >= 0) bound[global] = indirect ? TO_DYNAMIC : TO_ADDRESS;
    const { headerSize } = link.machine.shared.plt;
    const one: FixupContext = {
      ...context,
      addresses: indirect ? { ...addresses, slots: place, plt: place - headerSize } : addresses,
    };
    const range: FixupRange = {
      file,
      section: file.base + index,
      relocations,
      first: at,
      end: at + 1,
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      start: 0,
      size: bytes.length,
      address,
      from: 0,
      packable: false,
    };
    applyLoaded(one, range);
    const refused =
      link.errors.length === 0 ? null : link.errors.map(({ code, message }) => `${code} ${message}`).join();
    link.errors.length = 0;
    applied.push({
      row: lowered.row[relocations.type[at]!]!,
      target: file.columns.nameOf(symbol),
      offset,
      address: address + offset,
      refused,
    });
  }
  return applied;
}
