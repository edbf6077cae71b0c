// Pass, on machines whose branches do not reach all of a large module: islands of code between the sections, through
// which far branches go. A link whose code is smaller than their reach pays nothing.
import type { VeneerShape } from '../../reloc/shared-machine.js';
import { TO_CONSTANT, TO_DYNAMIC } from './bindings.js';
import type { TakenFile } from './link-state.js';
import type { OutputSection } from './output-section.js';
import { layOutMembers } from './outputs.js';
import { relocationsOf } from './references.js';
import type { Scanning } from './scan.js';
import { addMadeSection, MADE_FILE } from './sections.js';
import { stubAddress, type TableAddresses } from './tables.js';
import { localAddress, type Values } from './values.js';

/** What a branch leads to: a symbol by its row in an object, and an addend. */
interface BranchTarget {
  readonly file: TakenFile;
  readonly row: number;
  readonly addend: number;
}

interface Island {
  /** Number of the made section. */
  readonly section: number;
  readonly output: OutputSection;
  readonly targets: BranchTarget[];
  readonly indices: Map<string, number>;
}

/** The islands of a link. */
export interface Veneers {
  readonly shape: VeneerShape;
  readonly islands: readonly Island[];
}

/** What is known once everything has an address. */
export interface PlacedLink {
  readonly values: Values;
  readonly addresses: TableAddresses;
}

/** Each look at the branches can bring new veneers, which move code; it ends long before this. */
const MOST_LOOKS = 32;

/**
 * Puts in the islands that are needed, and places everything anew with `place`. Null when all branches reach their
 * targets. `placed` says where things are after the last placing.
 */
export function addVeneers(
  scanning: Scanning,
  outputs: readonly OutputSection[],
  place: () => void,
  placed: () => PlacedLink,
): Veneers | null {
  const { landings, machine } = scanning.link;
  const shape = landings ? machine.shared.landingVeneer : machine.shared.veneer;
  const code = outputs.filter(({ alloc, executable, writable }) => alloc && executable && !writable);
  const [first, last] = [code[0], code.at(-1)];
  if (shape === null || first === undefined || last === undefined) return null;
  if (last.address + last.size - first.address <= shape.field.max) return null;
  const veneers: Veneers = { shape, islands: makeIslands(scanning, code, shape) };
  for (let look = 0; look < MOST_LOOKS; look++) {
    for (const { section, targets } of veneers.islands) {
      scanning.link.sections.size[section] = targets.length * shape.size;
    }
    for (const output of code) layOutMembers(scanning.link, output);
    place();
    if (!addMissing(scanning, veneers, placed())) return veneers;
  }
  throw new Error('internal: veneers find no end');
}

/** An island at least every half of what a branch reaches, so that there is one near every branch. */
function makeIslands(scanning: Scanning, code: readonly OutputSection[], shape: VeneerShape): Island[] {
  const { sections, target } = scanning.link;
  const rules = target.sections;
  const spacing = Math.floor(shape.field.max / 2);
  const islands: Island[] = [];
  let from = code[0]?.address ?? 0;
  for (const output of code) {
    if (rules.isUndivided(output.name)) continue;
    const members: number[] = [];
    const insert = (): void => {
      const section = addMadeSection(sections, {
        name: rules.made.veneers,
        kind: 'code',
        executable: true,
        align: shape.align,
      });
      sections.output[section] = output.number;
      members.push(section);
      islands.push({ section, output, targets: [], indices: new Map() });
    };
    for (const member of output.members) {
      const end = output.address + (sections.offset[member] as number) + (sections.size[member] as number);
      if (end - from > spacing && members.length > 0) {
        insert();
        from = output.address + (sections.offset[member] as number);
      }
      members.push(member);
    }
    insert();
    output.members.splice(0, output.members.length, ...members);
  }
  return islands;
}

/** Adds what far branches lack; true when there was something. */
function addMissing(scanning: Scanning, { shape, islands }: Veneers, placed: PlacedLink): boolean {
  const { link, lowered, bound, needs } = scanning;
  const { sections } = link;
  const isBranch = lowered.row.map((row) => row?.field === shape.field);
  let added = false;
  const addressOf = (island: Island, index: number): number =>
    (sections.address[island.section] as number) + index * shape.size;
  for (const { output } of new Map(islands.map((island) => [island.output, island])).values()) {
    for (const member of output.members) {
      const file = link.files[sections.file[member] as number];
      if (sections.file[member] === MADE_FILE || file === undefined) continue;
      const section = sections.section[member];
      if (section === undefined) continue;
      const { rows: relocations, first, end } = relocationsOf(link, file, section.index);
      for (let index = first; index < end; index++) {
        if (isBranch[relocations.type[index] as number] !== true) continue;
        const row = relocations.symbol[index] as number;
        const target = { file, row, addend: relocations.addend[index] as number };
        const global = file.globals[row] as number;
        if (global >= 0 && bound[global] === TO_CONSTANT) continue;
        const at = (sections.address[member] as number) + (relocations.offset[index] as number);
        if (reaches(shape, at, addressOfTarget(scanning, placed, target))) continue;
        const symbol = global >= 0 ? global : needs.firstLocal + file.localBase + row;
        const key = `${symbol} ${target.addend}`;
        const known = islands.some((island) => {
          const found = island.indices.get(key);
          return found !== undefined && reaches(shape, at, addressOf(island, found));
        });
        if (known) continue;
        const near = nearest(islands, (island) => Math.abs(addressOf(island, island.targets.length) - at));
        if (near === null || near.indices.has(key)) continue; // the fixups say what does not reach
        near.indices.set(key, near.targets.length);
        near.targets.push(target);
        added = true;
      }
    }
  }
  return added;
}

function nearest(islands: readonly Island[], distance: (island: Island) => number): Island | null {
  let best: Island | null = null;
  for (const island of islands) if (best === null || distance(island) < distance(best)) best = island;
  return best;
}

function reaches({ field }: VeneerShape, from: number, to: number): boolean {
  return to - from >= field.min && to - from <= field.max;
}

function addressOfTarget(scanning: Scanning, placed: PlacedLink, { file, row, addend }: BranchTarget): number {
  const { link, bound, needs } = scanning;
  const global = file.globals[row] as number;
  if (global < 0) return localAddress(placed.values, file, row, addend);
  if (bound[global] === TO_DYNAMIC) return stubAddress(link, placed.addresses, needs.stubOf[global] as number) + addend;
  return (placed.values.symbolAddress[global] as number) + addend;
}

/** Address of every veneer of an island, by its target's. */
function veneersByTarget(
  scanning: Scanning,
  veneers: Veneers,
  placed: PlacedLink,
  island: Island,
): Map<number, number> {
  const start = scanning.link.sections.address[island.section] as number;
  return new Map(
    island.targets.map((target, index) => [
      addressOfTarget(scanning, placed, target),
      start + index * veneers.shape.size,
    ]),
  );
}

/** Gives, for a branch at an address and a target that it does not reach, the address of a veneer that it does reach. */
export function detours(
  scanning: Scanning,
  veneers: Veneers,
  placed: PlacedLink,
): (from: number, to: number) => number | undefined {
  const all = veneers.islands.map((island) => veneersByTarget(scanning, veneers, placed, island));
  return (from, to) =>
    all.map((island) => island.get(to)).find((at) => at !== undefined && reaches(veneers.shape, from, at));
}

/** Writes all islands. */
export function writeVeneers(
  scanning: Scanning,
  veneers: Veneers,
  placed: PlacedLink,
  bytesOf: (section: number) => Uint8Array,
): void {
  const { shape, islands } = veneers;
  for (const island of islands) {
    const bytes = bytesOf(island.section);
    const start = scanning.link.sections.address[island.section] as number;
    island.targets.forEach((target, index) => {
      const at = index * shape.size;
      bytes.set(shape.encode(start + at, addressOfTarget(scanning, placed, target)), at);
    });
  }
}
