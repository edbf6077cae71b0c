// Pass: what is reached from outside is kept, the rest is dropped (--gc-sections). Roots are what the loader or other
// modules use: exported symbols, the entry, constructors, notes, and what is marked to be retained.
import type { EdgeSymbol } from './edges.js';
import type { Companions } from './emitter.js';
import type { Link } from './link-state.js';
import { relocationsOf, sectionOf } from './references.js';
import {
  hasTrait,
  SECTION_ABSORBED,
  SECTION_CONSUMED,
  SECTION_DEAD,
  SECTION_DUPLICATE,
  SECTION_KEPT,
  TRAIT_ALLOC,
  TRAIT_DESCRIBES,
  TRAIT_GROUPED,
  TRAIT_ROOT_KIND,
  TRAIT_UNWIND,
} from './sections.js';
import * as symbols from './symbols.js';
import { forEachUnwindReference, type Unwind } from './unwind.js';

/** What lives with code besides what it refers to. */
export interface LivingWith {
  readonly unwind: Unwind;
  readonly companions: Companions | null;
}

/** Marks sections dead that nothing reaches, and gives their numbers. Without `gc` only what has lost what it describes. */
export function dropUnreached(link: Link, { unwind, companions }: LivingWith, edges: readonly EdgeSymbol[]): number[] {
  const { sections } = link;
  const count = sections.section.length;
  if (!link.options.gc) {
    for (let number = 0; number < count; number++) dropWithDescribed(link, number);
    return [];
  }
  const marked = new Uint8Array(count);
  const queue: number[] = [];
  const mark = (number: number): void => {
    if (number < 0 || number >= count || marked[number] === 1) return;
    marked[number] = 1;
    const fate = sections.fate[number];
    if (fate === SECTION_KEPT || fate === SECTION_ABSORBED) queue.push(number);
    const copy = link.copies.get(number);
    if (copy !== undefined) mark(link.symbols.section[copy.symbol] as number);
  };
  // Two sections of five are read by the link only: the loops below pass over them.
  const groups = groupMembers(link);
  const groupedDebug = filesWithGroupedDebug(link);
  const describers = sectionsByDescribed(link);
  const reach = (file: number, row: number): void => {
    const from = link.files[file];
    if (from === undefined) return;
    mark(sectionOf(link, from, row));
    const global = from.globals[row] as number;
    if (global >= 0 && starts.size > 0) reachName(global);
  };
  // Who names an edge of sections reaches them all.
  const starts = new Map(edges.map(({ symbol, members }) => [symbol, members]));
  const reachName = (symbol: number): void => {
    for (const number of starts.get(symbol) ?? []) mark(number);
  };
  for (let number = 0; number < count; number++) {
    if (sections.fate[number] !== SECTION_CONSUMED && isRoot(link, number)) mark(number);
  }
  for (const symbol of rootSymbols(link)) {
    mark(link.symbols.section[symbol] as number);
    reachName(symbol);
  }
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const section = sections.section[next];
    if (section === undefined) continue;
    const alloc = hasTrait(sections, next, TRAIT_ALLOC);
    if (!alloc) followUnloaded(link, next, groupedDebug, mark);
    // What debug information refers to is not needed for that.
    if (alloc && !hasTrait(sections, next, TRAIT_UNWIND)) {
      const number = sections.file[next] as number;
      const file = link.files[number];
      if (file !== undefined) {
        const { rows, first, end } = relocationsOf(link, file, section.index);
        for (let row = first; row < end; row++) reach(number, rows.symbol[row] as number);
        if (rows.minus !== undefined) for (let row = first; row < end; row++) reach(number, rows.minus[row] as number);
      }
      for (let fde = unwind.firstOf[next] ?? -1; fde >= 0; fde = unwind.fdeNext[fde] as number) {
        forEachUnwindReference(link, unwind, fde, reach);
      }
      companions?.(next, reach);
    }
    if (groups.size > 0) for (const other of groups.get(next) ?? []) mark(other);
    if (describers.size > 0) for (const other of describers.get(next) ?? []) mark(other);
  }
  const dropped: number[] = [];
  for (let number = 0; number < count; number++) {
    if (sections.fate[number] !== SECTION_KEPT) continue;
    if (marked[number] === 0) {
      sections.fate[number] = SECTION_DEAD;
      dropped.push(number);
    } else dropWithDescribed(link, number);
  }
  return dropped;
}

function dropWithDescribed(link: Link, number: number): void {
  const { sections } = link;
  if (!hasTrait(sections, number, TRAIT_DESCRIBES) || sections.fate[number] !== SECTION_KEPT) return;
  const base = link.files[sections.file[number] as number]?.base ?? 0;
  const fate = sections.fate[base + (sections.section[number]?.describes ?? 0)];
  if (fate === SECTION_DEAD || fate === SECTION_DUPLICATE) sections.fate[number] = SECTION_DEAD;
}

function isRoot(link: Link, number: number): boolean {
  const { sections } = link;
  const section = sections.section[number];
  if (section === undefined) return false;
  // Debug information is kept for all, but for that of groups, which goes with them.
  if (!hasTrait(sections, number, TRAIT_ALLOC)) return !hasTrait(sections, number, TRAIT_GROUPED + TRAIT_DESCRIBES);
  if (section.retain) return true;
  if (hasTrait(sections, number, TRAIT_DESCRIBES)) return false;
  if (hasTrait(sections, number, TRAIT_ROOT_KIND)) {
    return section.kind !== 'note' || !hasTrait(sections, number, TRAIT_GROUPED);
  }
  return link.target.sections.isRoot(section);
}

function rootSymbols(link: Link): number[] {
  const table = link.symbols;
  const roots: number[] = [];
  for (let symbol = 0; symbol < table.names.count; symbol++) {
    if (symbols.hasFlag(table, symbol, symbols.DYNAMIC)) roots.push(symbol);
  }
  const { entry, init, fini, keep } = link.options;
  for (const name of [init, fini, ...keep, ...(entry === null ? [] : [entry])]) {
    const symbol = symbols.findSymbol(table, name);
    if (symbol >= 0) roots.push(symbol);
  }
  return roots;
}

/** Objects whose debug information is partly in groups: macros of headers, types. */
function filesWithGroupedDebug(link: Link): Set<number> {
  const { sections } = link;
  const files = new Set<number>();
  for (let number = 0; number < sections.section.length; number++) {
    if (!hasTrait(sections, number, TRAIT_GROUPED) || hasTrait(sections, number, TRAIT_ALLOC)) continue;
    if (sections.fate[number] !== SECTION_CONSUMED) files.add(sections.file[number] as number);
  }
  return files;
}

/** Debug information in groups is kept for other debug information that refers to it. */
function followUnloaded(
  link: Link,
  number: number,
  groupedDebug: ReadonlySet<number>,
  mark: (section: number) => void,
): void {
  const { sections } = link;
  const file = link.files[sections.file[number] as number];
  if (file === undefined || !groupedDebug.has(file.number)) return;
  const { rows, first, end } = relocationsOf(link, file, sections.section[number]?.index ?? 0);
  for (let row = first; row < end; row++) {
    const target = sectionOf(link, file, rows.symbol[row] as number);
    if (target >= 0 && !hasTrait(sections, target, TRAIT_ALLOC)) mark(target);
  }
}

/** Members of a group live together (gABI "Section Groups"): section → the others of its group. */
function groupMembers(link: Link): Map<number, number[]> {
  const { sections } = link;
  const groups = new Map<string, number[]>();
  const result = new Map<number, number[]>();
  for (let number = 0; number < sections.section.length; number++) {
    if (!hasTrait(sections, number, TRAIT_GROUPED) || sections.fate[number] !== SECTION_KEPT) continue;
    const group = sections.section[number]?.group;
    if (group == null) continue;
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [number]);
    else members.push(number);
  }
  for (const members of groups.values()) {
    if (members.length > 1) for (const number of members) result.set(number, members);
  }
  return result;
}

function sectionsByDescribed(link: Link): Map<number, number[]> {
  const { sections } = link;
  const result = new Map<number, number[]>();
  for (let number = 0; number < sections.section.length; number++) {
    if (!hasTrait(sections, number, TRAIT_DESCRIBES) || sections.fate[number] === SECTION_CONSUMED) continue;
    const described = sections.section[number]?.describes ?? null;
    if (described === null) continue;
    append(result, (link.files[sections.file[number] as number]?.base ?? 0) + described, number);
  }
  return result;
}

function append<Key>(map: Map<Key, number[]>, key: Key, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
